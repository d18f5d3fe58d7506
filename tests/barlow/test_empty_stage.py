"""Stage barlow without failure modes: it passes, for that is a result, and one line says why there are none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from debugset.base.paths import SETS
from debugset.dcd.remeasure import remeasure
from stages import barlow
from stages import remeasure as remeasure_stage
from tests.barlow.toys import PARAMS
from tests.datasets.tiny import plain, tiny_set

MEND = "; make data/sets/diagnosis larger, or lower `barlow.min_images`"
LABELS, NONE = np.arange(30) % 3, np.zeros(30, int)
FAILING = np.array([0, 1] * 15)  # every second image of class a is taken for b
VISUALS = {"attack_radius": 1.0, "attack_step": 0.1, "attack_steps": 2}
FEATURES = np.column_stack([FAILING, np.arange(30)]).astype(np.float32)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the stage on images of these classes with these predictions; the lines that it prints, and its tables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(barlow, "_pictures", lambda *_: pd.DataFrame(columns=barlow.MODE_PICTURE_COLUMNS))

    def run_stage(labels, predicted, **changes):
        count = len(predicted)
        tiny_set(SETS / "diagnosis", [plain((place, 0, 0)) for place in range(count)], labels)
        for name in ("stored_predictions", "new_predictions"):
            monkeypatch.setattr(barlow, name, lambda *_: np.asarray(predicted, np.int64))
        monkeypatch.setattr(barlow, "_features", lambda source, images: FEATURES[:count])
        params = PARAMS.model_copy(update={"min_images": 5, "permutations": 0, **changes})
        sections = {"barlow": params.model_dump(), "embed": {"precision": "fp32"}, "visuals": VISUALS}
        Path("params.yaml").write_text(yaml.safe_dump(sections))
        barlow.main()
        tables = {path.stem: pd.read_parquet(path) for path in Path("data/barlow").iterdir()}
        return capsys.readouterr().out.splitlines(), tables

    return run_stage


@pytest.mark.parametrize(
    ("labels", "predicted", "line"),
    [
        (LABELS, LABELS, "no failures in 6"),
        (NONE[:8], FAILING[:8], "too few images in 6" + MEND),
        (NONE, NONE + 1, "too few images in 4, failures only in 2" + MEND),
        (NONE[:0], NONE[:0], "too few images in 6" + MEND),
    ],
    ids=["no failures", "few images", "failures only", "no images"],
)
def test_where_no_group_can_be_explained_the_reasons_are_counted(run, labels, predicted, line):
    lines, tables = run(labels, predicted)
    assert lines == [
        "barlow: 0 failure modes, 0 of them hold on the held-out half",
        f"barlow: no group can be explained: {line}",
    ]
    assert all(tables[name].empty for name in ("modes", "members", "nodes", "pictures"))
    assert set(tables["groups"]["reason"]) and "" not in set(tables["groups"]["reason"])


@pytest.mark.parametrize("changes", [{"min_gain": 0.9}, {"min_gain": 0.7}], ids=str)
def test_explained_groups_without_a_mode_name_the_bounds(run, changes):
    lines, tables = run(NONE, FAILING, **changes)
    assert lines[1:] == [
        "barlow: no leaf passes `barlow.min_gain` and `barlow.min_coverage`; lower them to see weaker modes"
    ]
    assert len(tables["nodes"])


def test_modes_are_told_without_a_further_line(run):
    lines, tables = run(NONE, FAILING)
    assert len(lines) == 1
    assert len(tables["modes"]) == 1


PREDICTIONS = pd.DataFrame(
    [("original", 0, "diagnosis", name, 0, 1) for name in "xyz"],
    columns=["model", "random_state", "set", "image_id", "label", "predicted"],
)
MEMBERS = pd.DataFrame(
    [("label-a-1", "x", 0, "discovery", True, True), ("label-a-1", "y", 0, "heldout", False, True)],
    columns=["mode", "image_id", "label", "half", "inside", "failed"],
)
NO_IMAGES = (
    "remeasure: no failure mode has held-out images, so nothing is measured again; lower `barlow.discovery`, or make "
    "data/sets/diagnosis larger"
)


@pytest.mark.parametrize(
    ("members", "line"),
    [
        (MEMBERS.head(0), "remeasure: there is no failure mode, so nothing is measured again"),
        (MEMBERS, NO_IMAGES),
        (MEMBERS.head(1), NO_IMAGES),
    ],
    ids=["no mode", "none that the rule holds for", "no held-out half"],
)
def test_nothing_to_measure_again_is_told(tmp_path, monkeypatch, capsys, members, line):
    monkeypatch.chdir(tmp_path)
    for name, table in (("barlow/members", members), ("evaluation/predictions", PREDICTIONS)):
        path = Path(f"data/{name}.parquet")
        path.parent.mkdir(parents=True)
        table.to_parquet(path)
    Path("params.yaml").write_text("remeasure: {resamples: 100, random_state: 0}\n")
    remeasure_stage.main()
    assert capsys.readouterr().out.splitlines() == [line]
    found = pd.read_parquet("data/remeasured.parquet")
    assert found.columns.tolist() == remeasure(members, PREDICTIONS).columns.tolist()
    assert found.empty
