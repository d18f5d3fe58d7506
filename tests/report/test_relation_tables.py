import pandas as pd
import pytest

from debugset.base.files import write_parquet
from debugset.report.inputs import Inputs
from debugset.report.relation_tables import RelationTables, mode_words, run_words

RUNS = [  # of random state 7: no bias, three levels of a pair's, one of another's; of 8: no bias
    ("000", "", "", 0.0, 7),
    ("001", "hat", "bag", 0.5, 7),
    ("002", "hat", "bag", 1.0, 7),
    ("003", "hat", "shoe", 1.0, 7),
    ("004", "", "", 0.0, 8),
]


def write_tables(root, params, runs):
    """Three pairs in every network, their divergence growing with the network's number."""
    runs = pd.DataFrame(runs, columns=["name", "attribute_a", "attribute_b", "tau", "random_state"])
    write_parquet(root / "data/relations/runs.parquet", runs)
    rows = []
    for place, run in enumerate(runs["name"]):
        for a, b in (("bag", "hat"), ("bag", "shoe"), ("hat", "shoe")):
            rows.append((a, b, run, float(place)))
    pairs = pd.DataFrame(rows, columns=["attribute_a", "attribute_b", "run", "kl"])
    write_parquet(root / "data/relations/pairs.parquet", pairs)
    return RelationTables(Inputs(root, params, ()))


@pytest.fixture
def tables(tmp_path, params):
    return write_tables(tmp_path, params, RUNS)


def test_a_biased_pair_is_followed_from_the_unbiased_network_of_its_random_state(tables):
    table = tables.biased_pairs
    series = {}
    for (a, b), rows in table.groupby(["attribute_a", "attribute_b"]):
        series[a, b] = list(zip(rows["run"], rows["tau"], rows["random_state"], strict=True))
    assert series == {
        ("bag", "hat"): [("000", 0, 7), ("001", 0.5, 7), ("002", 1, 7)],  # named the other way round in `runs`
        ("hat", "shoe"): [("000", 0, 7), ("003", 1, 7)],
    }


def test_two_levels_have_no_correlation(tables):
    assert tables.level_correlations() == {("bag", "hat", 7): pytest.approx(1)}


def test_without_bias_no_pair_is_followed(tmp_path, params):
    tables = write_tables(tmp_path, params, [RUNS[0], RUNS[4]])
    assert tables.biased_pairs.empty
    assert {"tau", "kl", "random_state"} <= set(tables.biased_pairs)
    assert tables.level_correlations() == {}


def test_shown_are_the_unbiased_network_and_each_pairs_most_biased_one(tables):
    assert [run["name"] for run in tables.shown_runs] == ["000", "002", "003"]
    assert [run_words(run) for run in tables.shown_runs] == ["unbiased", "hat-bag, tau 1", "hat-shoe, tau 1"]


def test_words_of_a_mode():
    assert mode_words("hat", "bag", "+-") == "with hat, without bag"
    assert mode_words("hat", "bag", "") == ""
