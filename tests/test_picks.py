import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset import picks as module
from debugset.feature_files import Features
from debugset.params import ParamsError, check
from debugset.picks import PickParams, normalised, pick_by_class, pick_neighbours
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


@pytest.mark.parametrize("weak_labels", [True, False])
@pytest.mark.parametrize("normalise", [True, False])
def test_a_pool_in_parts_gives_the_same_picks(problem, weak_labels, normalise):
    owners = np.random.default_rng(0).integers(0, 5, 60)
    rows = [np.flatnonzero(owners == owner) for owner in range(5)]
    parts = Features([(mine, problem["pool"][mine]) for mine in rows])
    how = {"per_seed": 6, "weak_labels": weak_labels, "normalise": normalise}
    assert as_tuples(pick_by_class(**problem | {"pool": parts}, **how)) == as_tuples(pick_by_class(**problem, **how))


def test_a_pool_that_is_searched_as_one_is_never_loaded_whole(monkeypatch):
    pool = np.random.default_rng(0).standard_normal((20_000, 2)).astype(np.float32)
    parts = Features(
        [(np.arange(start, start + 5_000), pool[start : start + 5_000]) for start in range(0, 20_000, 5_000)]
    )
    read = []
    take = Features.__getitem__

    def counted(self, index):
        found = take(self, index)
        read.append(len(found))
        return found

    monkeypatch.setattr(Features, "__getitem__", counted)
    picks = pick_by_class(pool[:3], np.zeros(3, int), parts, np.zeros(20_000, int), 4, weak_labels=False)
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


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    seed_labels = np.array([4, 0, 4, 7])  # nothing in the pool carries label 7
    return {
        "seeds": rng.standard_normal((4, 3)),
        "seed_labels": seed_labels,
        "pool": rng.standard_normal((60, 3)),
        "pool_labels": rng.choice([0, 2, 4], 60),
    }


def test_each_class_searches_its_own_weak_label(problem):
    exclude = np.arange(60) % 5 == 0
    picks = pick_by_class(**problem, per_seed=6, exclude=exclude)
    expected = []
    for label in (0, 4):
        mine = np.flatnonzero(problem["seed_labels"] == label)
        others = exclude | (problem["pool_labels"] != label)
        for seed, *rest in naive.pick_neighbours(problem["seeds"][mine], problem["pool"], 6, others):
            expected.append((int(mine[seed]), *rest))
    assert as_tuples(picks) == expected


def test_without_weak_labels_the_whole_pool_is_one_problem(problem):
    picks = pick_by_class(**problem, per_seed=6, weak_labels=False)
    assert as_tuples(picks) == naive.pick_neighbours(problem["seeds"], problem["pool"], 6)


def test_normalised_distance_ignores_length(problem):
    longer = problem | {"pool": problem["pool"] * np.arange(1, 61)[:, None]}
    kept = pick_by_class(**problem, per_seed=3, normalise=True)
    again = pick_by_class(**longer, per_seed=3, normalise=True)
    assert kept.image.tolist() == again.image.tolist()
    assert pick_by_class(**longer, per_seed=3).image.tolist() != kept.image.tolist()
    assert normalised(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], [0.6, 0.8]]


def test_no_failures_give_no_picks(problem):
    nothing = problem | {"seeds": problem["seeds"][:0], "seed_labels": problem["seed_labels"][:0]}
    for weak_labels in (True, False):
        assert len(pick_by_class(**nothing, per_seed=3, weak_labels=weak_labels).seed) == 0


def test_params_are_checked():
    with pytest.raises(ParamsError, match=r"pick.per_seed`: Input should be greater than or equal to 1"):
        check(
            {"pick": dict(per_seed=0, per_seed_validation=1, weak_labels=True, normalise=True)},
            "pick",
            PickParams,
        )
