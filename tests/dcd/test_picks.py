import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.base.params import ParamsError, check
from debugset.dcd import picks as module
from debugset.dcd.picks import PickParams, Picks, pick_neighbours, picks_frame
from debugset.features.neighbours import nearest
from debugset.features.store import Features
from tests.base.inputs import BAD_MASKS, FEATURES, MASKS, error
from tests.features.shards import in_shards
from tests.reference import picks as naive


def as_tuples(picks):
    return list(zip(*(column.tolist() for column in picks), strict=True))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), values=st.sampled_from([2, 4, 1000]))
def test_equals_taking_the_smallest_entry_again_and_again(seed, values):
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, values, (rng.integers(0, 7), 2)).astype(np.float32)
    pool = rng.integers(0, values, (rng.integers(0, 40), 2)).astype(np.float32)
    exclude = rng.random(len(pool)) < 0.3 if seed % 2 else None
    per_seed = int(rng.integers(1, 9))  # often more than the pool holds
    expected = naive.pick_neighbours(seeds, pool, per_seed, exclude)
    assert as_tuples(pick_neighbours(seeds, pool, per_seed, exclude=exclude)) == expected


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), listed=st.sampled_from([1, 2**23]))
def test_seeds_that_compete_for_the_same_images_run_dry_and_go_on(seed, listed):
    rng = np.random.default_rng(seed)
    seeds = np.repeat(rng.standard_normal((2, 3)), 8, axis=0)
    seeds += rng.choice([0, 1e-3]) * rng.standard_normal(seeds.shape)
    pool = rng.standard_normal((150, 3)).astype(np.float16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST_LIST", 1)
        patch.setattr(module, "LISTED_PAIRS", listed)
        patch.setattr(module, "SCANNED_AT_A_TIME", 7)
        assert as_tuples(pick_neighbours(seeds, pool, 6)) == naive.pick_neighbours(seeds, pool, 6)


def test_a_scarce_pool_is_shared_out_whole_and_its_input_stays_as_it_was():
    pool = np.arange(5, dtype=np.float32)[:, None]
    exclude = np.array([False, True, False, False, False])
    picks = pick_neighbours(np.array([[0.0], [0.0]]), pool, 50, exclude=exclude)
    assert picks.image.tolist() == [0, 2, 3, 4]
    assert picks.seed.tolist() == [0, 0, 0, 0]  # equal distances go to the first seed
    assert picks.rank.tolist() == [0, 1, 2, 3]
    assert exclude.sum() == 1


def test_reads_a_memory_mapped_pool(tmp_path):
    rng = np.random.default_rng(0)
    pool = np.lib.format.open_memmap(tmp_path / "pool.npy", "w+", np.float32, (3000, 4))
    pool[:] = rng.standard_normal(pool.shape)
    seeds = pool[::300] + np.float32(0.01)
    assert as_tuples(pick_neighbours(seeds, pool, 5)) == naive.pick_neighbours(seeds, np.array(pool), 5)


def test_a_pool_that_is_searched_as_one_is_never_loaded_whole(monkeypatch):
    pool = np.random.default_rng(0).standard_normal((20_000, 2)).astype(np.float32)
    parts = in_shards(pool, np.arange(20_000) // 5_000)
    read = []
    take = Features.__getitem__

    def counted(self, index):
        found = take(self, index)
        read.append(len(found))
        return found

    monkeypatch.setattr(Features, "__getitem__", counted)
    picks = pick_neighbours(pool[:3], parts, 4)
    assert sorted(picks.image[picks.rank == 0].tolist()) == [0, 1, 2]
    assert max(read) <= 8192


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"per_seed": 0}, r"^per_seed: must be at least 1, got 0"),
        ({"pool": np.zeros((3, 5))}, r"^pool: expected 2 features an image"),
        ({"exclude": np.zeros(2, bool)}, r"^exclude: expected one value for each of 3 pool images"),
        ({"pool": np.array([[0, np.nan]] * 3)}, r"^pool: contains NaN"),
        ({"seeds": np.array([[0, np.inf]])}, r"^seeds: contains NaN or infinite"),
        ({"seeds": np.zeros((1, 0)), "pool": np.zeros((3, 0))}, r"^seeds: expected a matrix of numbers"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"seeds": np.zeros((1, 2)), "pool": np.zeros((3, 2)), "per_seed": 1, "exclude": None} | change
    exclude = arguments.pop("exclude")
    with pytest.raises(ValueError, match=message):
        pick_neighbours(*arguments.values(), exclude=exclude)


def test_params_are_checked():
    with pytest.raises(ParamsError, match=r"pick.per_seed`: Input should be greater than or equal to 1"):
        check(
            {"pick": dict(per_seed=0, per_seed_validation=1, weak_labels=True, normalise=True)},
            "pick",
            PickParams,
        )


@settings(max_examples=50, deadline=None)
@given(random_state=st.integers(0, 2**32), listed=st.integers(1, 12))
def test_lists_that_are_known_beforehand_change_nothing(random_state, listed):
    rng = np.random.default_rng(random_state)
    seeds, pool = (rng.integers(0, 4, (rows, 2)).astype(np.float32) for rows in (5, 30))
    exclude = rng.random(30) < 0.4
    known = nearest(seeds, pool, listed)  # excluded images among them
    expected = naive.pick_neighbours(seeds, pool, 3, exclude)
    assert as_tuples(pick_neighbours(seeds, pool, 3, exclude=exclude, known=known)) == expected


def test_a_table_of_picks_names_each_image_and_its_seed_s_set():
    seeds = pd.DataFrame({"set": ["seed_source", "diagnosis"], "class": [4, 7], "image_id": ["a", "a"]})
    picks = Picks(np.array([1, 0]), np.array([2, 0]), np.array([0.5, 0.75]), np.array([0, 0]))
    table = picks_frame(picks, seeds, np.array(["p", "q", "r"], object))
    assert table.to_dict("list") == {
        "class": [7, 4],
        "seed_set": ["diagnosis", "seed_source"],
        "seed_id": ["a", "a"],
        "image_id": ["r", "p"],
        "distance": [0.5, 0.75],
        "rank": [0, 0],
    }


LINE, EXCLUDED = np.arange(5.0)[:, None], np.array([False, True, False, False, True])


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_any_type_excludes_the_same_images(kind):
    exclude = MASKS[kind](EXCLUDED)
    picks = pick_neighbours(np.array([[0.0], [3.0]]), LINE, 2, exclude=exclude)
    assert as_tuples(picks) == [(0, 0, 0.0, 0), (1, 3, 0.0, 0), (1, 2, 1.0, 1)]
    assert np.asarray(exclude).reshape(-1).tolist() == EXCLUDED.tolist()  # it stays as it was


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_what_is_no_mask_is_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("exclude", line, 5)):
        pick_neighbours(LINE[:2], LINE, 2, exclude=make(5))


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_any_type_give_the_same_picks(kind):
    picks = pick_neighbours(FEATURES[kind](LINE[:2]), FEATURES[kind](LINE), 2)
    assert as_tuples(picks) == as_tuples(pick_neighbours(LINE[:2], LINE, 2))
    assert as_tuples(pick_neighbours(LINE[:2].astype(int), LINE.astype(np.uint8), 2)) == as_tuples(picks)
