"""What may rightly come out empty: the report is written whatever of it, in plain JSON, and says what there is not."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from debugset.report import metrics
from debugset.report.inputs import Inputs
from debugset.report.page import render
from debugset.report.sections import relations, sparse
from debugset.report.write import write_report
from tests.report.elements import section
from tests.report.world import DEBUG, DEBUG_NAMES, write_evaluation


def change(root, name, edit):
    """Rewrite a table of the world by a function."""
    path = root / f"data/{name}.parquet"
    edit(pd.read_parquet(path)).to_parquet(path)


def evaluate_anew(root, keep=lambda table: table):
    write_evaluation(root, keep(pd.read_parquet(root / "data/evaluation/predictions.parquet")))


def no_seeds_but_failures_of_modes(root):
    def to_modes(failures):
        seeds = failures["role"] == "seed"
        return failures.assign(
            role=failures["role"].where(~seeds, "mode"), set=failures["set"].where(~seeds, "diagnosis")
        )

    change(root, "errors/failures", to_modes)
    for name in ("deval", "foundation", "original", "robust"):
        change(root, f"picks/{name}", lambda picks: picks.assign(seed_set="diagnosis"))
    evaluate_anew(root)


def no_heldout_failures(root):
    change(root, "errors/failures", lambda table: table[table["role"] != "heldout"])
    evaluate_anew(root)


def a_class_without_failures(root):
    change(root, "errors/failures", lambda table: table[table["class"] != DEBUG[0]])
    for name in ("deval", "foundation", "original", "robust"):
        change(root, f"picks/{name}", lambda picks: picks[picks["class"] != DEBUG[0]])
    evaluate_anew(root)


def heldout_failures_of_one_class(root):
    others = DEBUG[2:]
    change(root, "errors/failures", lambda table: table[(table["role"] == "seed") | ~table["class"].isin(others)])
    evaluate_anew(root)


def no_group_explained(root):
    numbers = ["base_error_rate", "aler", "gain", "heldout_gain", "chance_gain", "chance_gain_95", "valid"]
    change(root, "barlow/groups", lambda groups: groups.assign(reason="no failures", **dict.fromkeys(numbers, np.nan)))
    for name in ("barlow/modes", "barlow/pictures", "barlow/planted", "remeasured"):
        change(root, name, lambda table: table.head(0))


def modes_without_heldout_images(root):
    columns = ["heldout_count", "heldout_failures"]
    rates = ["heldout_error_rate", "heldout_error_coverage", "heldout_base_error_rate"]
    nothing = dict.fromkeys(columns, 0) | dict.fromkeys(rates, np.nan) | {"p": 1.0, "p_corrected": 1.0, "holds": False}
    change(root, "barlow/modes", lambda modes: modes.assign(**nothing))
    change(root, "remeasured", lambda table: table.head(0))


def nothing_removed(root):
    change(root, "dedup/keep", lambda fates: fates.assign(keep=True, reason=""))
    change(root, "dedup/border", lambda border: border.head(0))


def no_contexts(root):
    missing = {"context_retention": np.nan, "both_retention": np.nan}
    change(root, "retention", lambda table: table.assign(**missing))


def no_attributes(root):
    for path in (root / "data/relations").iterdir():
        path.unlink()


def an_unbiased_network_alone(root):
    for path in (root / "data/relations").iterdir():
        table = pd.read_parquet(path)
        table[table["name" if path.stem == "runs" else "run"] == "000"].to_parquet(path)


def attributes_that_no_image_shows(root):
    unseen = {"mean": np.nan, "kl": np.nan, "rank": np.nan, "kind": "", "mode": "", "std": np.nan, "images": 0}
    change(root, "relations/pairs", lambda pairs: pairs.assign(**unseen, expected_mean=np.nan, expected_std=np.nan))
    change(root, "relations/attributes", lambda table: table.assign(kl=np.nan, accuracy=np.nan))
    for name in ("modes", "maps"):
        change(root, f"relations/{name}", lambda table: table.head(0))


def no_errors_of_layers(root):
    nothing = {"errors": 0, **dict.fromkeys(("share", "low", "high", "chance"), np.nan)}
    change(root, "sparse/removal_shares", lambda shares: shares.assign(**nothing))
    no_causes = dict.fromkeys(("value", "low", "high", "chance"), np.nan)
    change(root, "sparse/blame", lambda blame: blame.assign(count=0, **no_causes))
    for name in ("deletions", "cards"):
        change(root, f"sparse/{name}", lambda table: table.head(0))


def layers_without_features(root):
    """Chosen ones: nothing is pictured, pasted, or shown of an error; all errors resist."""
    change(root, "sparse/layers", lambda layers: layers.assign(features=0.0))
    change(root, "sparse/removal_shares", lambda shares: shares.assign(share=0.0, low=0.0, high=0.0, chance=0.0))
    for name in ("weights", "pictures", "deletions", "cards"):
        change(root, f"sparse/{name}", lambda table: table.head(0))
    nothing = dict.fromkeys(("flipped", "low", "high", "changed"), np.nan)
    change(root, "sparse/patches", lambda patches: patches.assign(tries=0, **nothing))
    missing = dict.fromkeys(("value", "low", "high"), np.nan)
    change(root, "sparse/blame", lambda blame: blame.assign(**missing))
    change(root, "sparse/swaps", lambda swaps: swaps.assign(**missing))


def a_factor_without_end(root):
    """The errors that nothing caused were hardly ever corrected, so that the factor's interval has no upper end."""
    change(
        root, "sparse/blame", lambda blame: blame.assign(high=blame["high"].where(blame["measure"] != "factor", np.inf))
    )


def layers_of_one_model(root):
    for path in (root / "data/sparse").iterdir():
        change(root, f"sparse/{path.stem}", lambda table: table[table["model"] == "original"])


def nothing_but_failures_of_modes(root):
    """No failures to hold out and none to collect for but those of modes, nothing explained, nothing removed."""
    for empty in (no_seeds_but_failures_of_modes, no_heldout_failures, no_group_explained, nothing_removed,
                  no_contexts, no_attributes, no_errors_of_layers):  # fmt: skip
        empty(root)
    return {
        "summary": "There are no <em>seeds</em>: 19 failures of modes were used to look for similar images",
        "heldout": "The original model has no held-out failures.",
        "by_class": "The original model has no held-out failures.",
        "failure_modes": "No group could be explained.",
        "remeasured": "There are no failure modes to measure again.",
        "leaks": "here 0 of 150",
        "relations": "This profile has no images with attributes",
        "sparse": "There is no card: the chosen layer makes no error",
    }


def little_of_everything(root):
    """Failures of one class alone, none of another, modes that can't be tried again, an unbiased network alone."""
    for empty in (a_class_without_failures, heldout_failures_of_one_class, modes_without_heldout_images,
                  an_unbiased_network_alone, layers_of_one_model):  # fmt: skip
        empty(root)
    return {
        "summary": "(tshirt, dress, sneaker), but on none of tshirt.",
        "by_class": "The numbers",
        "failure_modes": "held-out half: no image to try it on",
        "remeasured": "No failure mode has held-out images to be measured on again.",
        "relations": "Network trained on: unbiased",
    }


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("empty", [nothing_but_failures_of_modes, little_of_everything])
def test_the_report_is_written_and_says_what_is_empty(world, tmp_path, params, empty):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    told = empty(tmp_path)
    write_report(tmp_path, params, DEBUG_NAMES)
    page = (tmp_path / "report/index.html").read_text()
    check_json(tmp_path)
    for place, words in told.items():
        assert words.lower() in " ".join(section(page, place).lower().split()), place


def check_json(root):
    """See to it that the metrics are JSON, which knows no NaN."""
    for path in (root / "metrics").glob("*.json"):
        json.loads(path.read_text(), parse_constant=pytest.fail)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_attributes_that_no_image_shows_have_no_numbers(world, tmp_path, params):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    attributes_that_no_image_shows(tmp_path)
    inputs = Inputs(tmp_path, params, DEBUG_NAMES)
    metrics.write(inputs)
    check_json(tmp_path)
    assert json.loads((tmp_path / "metrics/relations.json").read_text())["biased"] == {"bag-sandal_random_state_3": {}}
    text = section(render(inputs, [relations]), "relations")
    assert text.count("0 of them flawed") == 2
    assert "no test images" in text


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::UserWarning")
@pytest.mark.parametrize(
    ("empty", "told", "watched"),
    [
        (no_errors_of_layers, "No single feature is blamed for an error, so none was deleted", {"factor", "corrected"}),
        (layers_without_features, "trouser: no feature, its bias decides alone", {"hit_caused", "flips_unusual"}),
        (a_factor_without_end, "<b>2.50</b><small>2.25\N{EN DASH}\N{INFINITY}</small>", set()),
        (layers_of_one_model, "original, chosen: 2.0 features a class", set()),
    ],
)
def test_what_sparse_layers_do_not_have_is_told_and_has_no_number(world, tmp_path, params, empty, told, watched):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    empty(tmp_path)
    inputs = Inputs(tmp_path, params, DEBUG_NAMES)
    metrics.write(inputs)
    check_json(tmp_path)
    numbers = json.loads((tmp_path / "metrics/sparse.json").read_text())["original"]
    assert {"test", "test_dense", "features"} <= set(numbers)
    assert not watched & set(numbers)
    assert told in section(render(inputs, [sparse]), "sparse")
