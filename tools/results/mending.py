"""Mending a failure mode on purpose, the table of docs/barlow.md: `debugset barlow mend`, then the pipeline."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from debugset.base.files import read_json, write_json
from debugset.report.headings import VARIANT_ORDER
from tools.results.blocks import block_problems, write_block
from tools.results.clone import Clone
from tools.results.shared import RESULTS, write_run

MODE = "label-shirt-1"
FOLDER, SCORES = RESULTS / "mending", "scores.json"
PAGE = Path("docs/barlow.md")
METRICS = ("metrics/modes.json", "metrics/accuracy.json")


class Scores(NamedTuple):
    """What the table tells of a variant, in percent."""

    mode: float
    all_modes: float
    heldout: float


def make(clone: Clone) -> None:
    """Measure every variant without and with the mode's failures among the seeds."""
    before = _scores(clone.folder)
    shared = _shared(clone.folder)
    clone.run("dvc", "checkout", "data/barlow", "data/sets/diagnosis")
    clone.run("debugset", "barlow", "mend", MODE)
    clone.run("dvc", "repro")
    after = _scores(clone.folder)
    scores = {name: [before[name]._asdict(), after[name]._asdict()] for name in before}
    write_json(FOLDER / SCORES, scores)
    write_block(PAGE, "mending", markdown_table(read_json(FOLDER / SCORES)))  # rounded, as the check reads them
    write_run(FOLDER, clone.params, shared)


def problems(root: Path) -> Iterator[str]:
    """A line if the page's table is not that of the scores."""
    path = root / FOLDER / SCORES
    if path.is_file():  # a missing one is told with its run.json
        yield from block_problems(root, PAGE, "mending", markdown_table(read_json(path)), "its scores")


def _scores(folder: Path) -> dict[str, Scores]:
    """By variant: error rates of the mode and of all modes, accuracy on held-out failures."""
    modes = pd.read_csv(folder / "plots/modes.csv")
    of_mode = modes[modes["mode"] == MODE].set_index("variant")["error_rate"]
    all_modes = read_json(folder / METRICS[0])["error_rate"]
    variants = read_json(folder / METRICS[1])["variants"]
    return {
        name: Scores(float(of_mode[name]), 100 * all_modes[name], 100 * variants[name]["heldout"]["accuracy"])
        for name in VARIANT_ORDER
        if name in of_mode.index
    }


def _shared(folder: Path) -> dict[str, Any]:
    """The part of the metrics that the table's left numbers come from."""
    variants = read_json(folder / METRICS[1])["variants"]
    heldout = {name: {"heldout": cells["heldout"]} for name, cells in variants.items()}
    return {
        METRICS[0]: {"error_rate": read_json(folder / METRICS[0])["error_rate"]},
        METRICS[1]: {"variants": heldout},
    }


def markdown_table(scores: dict[str, list[dict[str, float]]]) -> str:
    """A row a variant: each score without and with the mode's failures among the seeds."""
    lines = ["| variant | that mode | all modes | held-out failures right |", "|---|---|---|---|"]
    for variant in (name for name in VARIANT_ORDER if name in scores):
        before, after = scores[variant]
        cells = [f"{before[name]:.1f} → {after[name]:.1f}" for name in Scores._fields]
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    return "\n".join(lines)
