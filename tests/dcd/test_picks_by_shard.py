import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.dcd import picks as module
from debugset.dcd.picks import pick_by_shard, unit_rows
from tests.base.inputs import BAD_LABELS, BAD_MASKS, LABELS, MASKS, error
from tests.features.shards import in_shards
from tests.reference import picks as naive

NONE = np.zeros(0, bool)


def as_tuples(picks):
    return list(zip(*(column.tolist() for column in picks), strict=True))


def expected(seeds, seed_labels, pool, pool_labels, per_seed, *, excluded, weak_labels=True):
    """The naive picks, a class after another, in rows of all seeds."""
    found = []
    for label in np.unique(seed_labels) if weak_labels else [None]:
        mine = np.flatnonzero((seed_labels == label) if weak_labels else np.ones(len(seeds)))
        others = excluded | (weak_labels & (pool_labels != label))
        found += [
            (int(mine[seed]), *rest) for seed, *rest in naive.pick_neighbours(seeds[mine], pool, per_seed, others)
        ]
    return found


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    values=st.sampled_from([2, 4, 1000]),
    weak_labels=st.booleans(),
    normalise=st.booleans(),
    kept=st.sampled_from([1, 2**20]),
)
def test_equals_taking_the_smallest_entry_of_each_class_again_and_again(
    seed, values, weak_labels, normalise, kept, tmp_path_factory
):
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, values, (rng.integers(0, 7), 2)).astype(np.float32)
    pool = rng.integers(0, values, (rng.integers(1, 60), 2)).astype(np.float32)
    seed_labels, pool_labels = rng.integers(0, 3, len(seeds)), rng.integers(0, 3, len(pool))
    removed, taken = (rng.random(len(pool)) < share for share in (0.2, rng.choice([0.0, 0.3])))
    parts = in_shards(pool, rng.integers(0, 4, len(pool)))
    per_seed, spool = int(rng.integers(1, 9)), tmp_path_factory.mktemp("spool")
    told = [unit_rows(features) if normalise else features for features in (seeds, pool)]
    others = {"excluded": removed | taken, "weak_labels": weak_labels}
    naively = expected(told[0], seed_labels, told[1], pool_labels, per_seed, **others)
    how = {"removed": removed, "taken": taken, "weak_labels": weak_labels, "normalise": normalise}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEPT_PAIRS", kept)
        for _ in range(2):  # computed, then from the spool
            picks = pick_by_shard(seeds, seed_labels, parts, pool_labels, per_seed, spool, **how)
            assert as_tuples(picks) == naively


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    return {
        "seeds": rng.standard_normal((4, 3)).astype(np.float32),
        "seed_labels": np.array([4, 0, 4, 7]),  # nothing in the pool carries label 7
        "pool": rng.standard_normal((60, 3)).astype(np.float32),
        "pool_labels": rng.choice([0, 2, 4], 60),
        "removed": np.arange(60) % 5 == 0,
        "taken": np.zeros(60, bool),
    }


@pytest.fixture
def searched(monkeypatch):
    """How many pool images each search went through, in all or for a class."""
    calls = []
    search = module.nearest

    def counted(seeds, pool, *arguments, **named):
        calls.append(len(pool))
        return search(seeds, pool, *arguments, **named)

    monkeypatch.setattr(module, "nearest", counted)
    return calls


def picked(problem, spool, rows=60, **changes):
    """Picks from the pool's first rows, in shards of 20, checked against the naive ones."""
    told = problem | changes
    per_pool = {name: told[name][:rows] for name in ("pool", "pool_labels", "removed", "taken")}
    seeds, seed_labels = told["seeds"], told["seed_labels"]
    how = {"weak_labels": told.get("weak_labels", True)}
    excluded = per_pool["removed"] | per_pool["taken"]
    parts = in_shards(per_pool["pool"], np.arange(rows) // 20)
    kept = {name: per_pool[name] for name in ("removed", "taken")}
    picks = pick_by_shard(seeds, seed_labels, parts, per_pool["pool_labels"], 6, spool, **kept, **how)
    pool, labels = per_pool["pool"], per_pool["pool_labels"]
    assert as_tuples(picks) == expected(seeds, seed_labels, pool, labels, 6, excluded=excluded, **how)
    return picks


@pytest.mark.parametrize("weak_labels", [True, False])
def test_a_grown_pool_searches_its_new_shard_only(problem, searched, tmp_path, weak_labels):
    others = {"weak_labels": weak_labels}
    before = picked(problem, tmp_path, rows=40, **others)
    old = sum(searched)
    grown = picked(problem, tmp_path, **others)
    assert grown.image.max() >= 40
    classes = np.isin(problem["pool_labels"], [0, 4]) if weak_labels else np.ones(60, bool)
    free = classes & ~problem["removed"]
    assert old == free[:40].sum()
    assert sum(searched) - old == free[40:].sum()
    assert as_tuples(before) != as_tuples(grown)


def test_what_another_purpose_took_is_not_picked_and_searches_nothing_anew(problem, searched, tmp_path):
    first = problem["taken"].copy()
    first[picked(problem, tmp_path, taken=first).image[:4]] = True
    picked(problem, tmp_path, taken=first)
    done = len(searched)
    second = np.roll(first, 1)  # as many others: the pool has grown, and others were nearer
    picks = picked(problem, tmp_path, taken=second)
    assert not second[picks.image].any()
    assert len(searched) == done


CHANGES = {
    "nothing": ({}, 0),
    "a seed": ({"seeds": np.ones((4, 3), np.float32)}, 3),
    "a seed's class": ({"seed_labels": np.array([4, 4, 4, 7])}, 3),
    "an image": ({"pool": 25}, 1),
    "a weak label": ({"pool_labels": 26}, 1),
    "a weak label of a removed image": ({"pool_labels": 25}, 0),
    "the filter": ({"removed": 26}, 1),
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_only_what_changed_is_searched_again(problem, tmp_path, monkeypatch, change):
    picked(problem, tmp_path)
    listed, before = module._search_part, len(list(tmp_path.iterdir()))
    parts = []
    monkeypatch.setattr(module, "_search_part", lambda *told: parts.append(told[2]) or listed(*told))
    changes, shards = CHANGES[change]
    for name, value in changes.items():
        if isinstance(value, int):
            changed = problem[name].copy()
            changed[value] = (changed[value] + 2) % 5 if name == "pool_labels" else ~(changed[value] > 0)
            changes = {name: changed}
    picked(problem, tmp_path, **changes)
    assert len(parts) == shards == len(list(tmp_path.iterdir())) - before


def test_a_killed_run_goes_on_with_the_shards_that_are_left(problem, tmp_path, monkeypatch):
    listed, done = module._search_part, []

    def killed(*told):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return listed(*told)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_search_part", killed)
        with pytest.raises(KeyboardInterrupt):
            picked(problem, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(module, "_search_part", lambda *told: done.append(1) or listed(*told))
    picked(problem, tmp_path)
    assert len(done) == 3


def test_a_seed_whose_kept_list_ends_too_early_searches_the_whole_pool(problem, searched, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEPT_PAIRS", 1)
    monkeypatch.setattr(module, "FIRST_LIST", 1)
    near = np.repeat(problem["seeds"][:1], 12, axis=0)  # all want the same images
    picks = picked(problem, tmp_path, seeds=near, seed_labels=np.zeros(12, int), weak_labels=False)
    assert len(picks.image) == 48
    assert 60 in searched


def test_normalised_distance_ignores_length(problem, tmp_path):
    labels, masks = problem["pool_labels"], {name: problem[name] for name in ("removed", "taken")}
    owners, longer = np.arange(60) // 20, problem["pool"] * 2 ** np.arange(60)[:, None].astype(np.float32) ** 0.5

    def images(pool, **how):
        told = (problem["seeds"], problem["seed_labels"], in_shards(pool, owners), labels, 3, tmp_path)
        return pick_by_shard(*told, **masks, **how).image.tolist()

    assert images(problem["pool"], normalise=True) == images(longer, normalise=True)
    assert images(problem["pool"]) != images(longer)
    assert unit_rows(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], [0.6, 0.8]]


def test_a_normalised_row_is_the_same_in_any_company():
    features = np.random.default_rng(0).standard_normal((3000, 700)).astype(np.float32)
    whole = unit_rows(features)
    for rows in (slice(1, 2), slice(7, 1900), [2999, 5, 1601]):
        assert np.array_equal(unit_rows(features[rows]), whole[rows])
    assert np.array_equal(unit_rows(np.asfortranarray(features)), whole)


def test_no_failures_give_no_picks(problem, tmp_path):
    nothing = {"seeds": problem["seeds"][:0], "seed_labels": problem["seed_labels"][:0]}
    for weak_labels in (True, False):
        assert len(picked(problem, tmp_path, **nothing, weak_labels=weak_labels).seed) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"per_seed": 0}, r"^per_seed: must be at least 1, got 0"),
        ({"removed": NONE}, r"^removed: expected one value for each of 60 pool images"),
        ({"taken": NONE}, r"^taken: expected one value for each of 60 pool images"),
        ({"seeds": np.zeros((4, 2), np.float32)}, r"^pool: expected 2 features an image"),
        ({"pool": np.full((60, 3), np.nan, np.float32)}, r"^pool: contains NaN"),
    ],
)
def test_bad_input_is_named_and_nothing_is_kept(problem, tmp_path, change, message):
    told = problem | {"per_seed": 2} | change
    told["pool"] = in_shards(told["pool"], np.arange(60) // 20)
    with pytest.raises(ValueError, match=message):
        pick_by_shard(**told, spool=tmp_path)
    assert list(tmp_path.iterdir()) == []


def picks_of(problem, spool, **changes):
    """Picks by masks and labels of any type, which the naive ones do not take."""
    told = problem | changes
    told["pool"] = in_shards(told["pool"], np.arange(60) // 20)
    return pick_by_shard(**told, per_seed=6, spool=spool)


@pytest.mark.parametrize("name", ["removed", "taken"])
@pytest.mark.parametrize("kind", MASKS)
def test_masks_of_any_type_give_the_same_picks(problem, tmp_path, kind, name):
    problem[name] = np.arange(60) % 4 == 0
    wished = as_tuples(picks_of(problem, tmp_path / "one"))
    assert as_tuples(picks_of(problem, tmp_path / "two", **{name: MASKS[kind](problem[name])})) == wished


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_type_give_the_same_picks(problem, tmp_path, kind):
    wished = as_tuples(picks_of(problem, tmp_path / "one"))
    told = {name: LABELS[kind](problem[name]) for name in ("seed_labels", "pool_labels")}
    assert as_tuples(picks_of(problem, tmp_path / "two", **told)) == wished


@pytest.mark.parametrize("name", ["removed", "taken"])
@pytest.mark.parametrize("kind", BAD_MASKS)
def test_what_is_no_mask_is_refused(problem, tmp_path, kind, name):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error(name, line, 60)):
        picks_of(problem, tmp_path, **{name: make(60)})


@pytest.mark.parametrize(("name", "length"), [("seed_labels", 4), ("pool_labels", 60)])
@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_are_no_class_indices_are_refused(problem, tmp_path, kind, name, length):
    make, line = BAD_LABELS[kind]
    with pytest.raises(ValueError, match=error(name, line, length)):
        picks_of(problem, tmp_path, **{name: make(length)})


def test_no_seed_is_of_the_class_of_removed_images(problem, tmp_path):
    with pytest.raises(ValueError, match=r"^seed_labels: expected class indices from 0, but seed_labels\[2\] is -1; "):
        picks_of(problem, tmp_path, seed_labels=np.array([4, 0, -1, 7]))
