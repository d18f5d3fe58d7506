"""The README's table: every variant trained with five random states, by the pipeline itself.

What: accuracy of every variant on every set, means over training runs with 95 % intervals over images and runs.
Against: the original model, plain retraining, random images, the complete pool.
On: the default profile with ``train.random_states`` 1 to 5; the first is the default run's own.
"""

from collections.abc import Iterator
from pathlib import Path

from debugset.base.files import read_json, write_json
from debugset.cli.profiles import set_values
from debugset.report.headings import COLUMNS, VARIANT_ORDER
from tools.results.blocks import block_problems, write_block
from tools.results.clone import Clone
from tools.results.shared import RESULTS, copy_file, write_run

RANDOM_STATES = [1, 2, 3, 4, 5]
FOLDER = RESULTS / "table"
PAGE = Path("README.md")
ACCURACY = "metrics/accuracy.json"


def make(clone: Clone) -> None:
    """Run the pipeline with five random states; keep its metrics, its picture and the table."""
    set_values(clone.folder / "params.yaml", {"train.random_states": RANDOM_STATES})
    clone.run("dvc", "repro")
    accuracy = read_json(clone.folder / ACCURACY)
    write_json(FOLDER / "accuracy.json", accuracy)
    copy_file(clone.folder / "plots/accuracy.png", FOLDER / "accuracy.png")
    write_block(PAGE, "table", markdown_table(accuracy))
    write_run(FOLDER, clone.params, {ACCURACY: {"runs": first_run(accuracy["runs"])}})


def problems(root: Path) -> Iterator[str]:
    """A line if README's table is not that of the five random states."""
    path = root / FOLDER / "accuracy.json"
    if path.is_file():  # a missing one is told with its run.json
        yield from block_problems(root, PAGE, "table", markdown_table(read_json(path)), "the five random states")


def first_run(runs: dict) -> dict:
    """What the default run measures too: the original, and every variant's first run."""
    wanted = {name: "0" if name == "original" else str(RANDOM_STATES[0]) for name in runs}
    return {name: {wanted[name]: of_variant[wanted[name]]} for name, of_variant in runs.items()}


def markdown_table(accuracy: dict) -> str:
    """Accuracies in percent, a row a variant and a column a set; held-out with its interval."""
    headings = [f"{title}, all classes" if name.endswith("_all") else title for name, title in COLUMNS.items()]
    lines = ["| variant | " + " | ".join(headings) + " |", "|---|" + "---:|" * len(headings)]
    for variant in (name for name in VARIANT_ORDER if name in accuracy["variants"]):
        cells = accuracy["variants"][variant]
        shown = [_cell(cells.get(name), interval=name == "heldout") for name in COLUMNS]
        name = f"**{variant}**" if variant == accuracy["chosen"] else variant
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _cell(cell: dict | None, *, interval: bool) -> str:
    if cell is None:
        return "-"
    text = f"{100 * cell['accuracy']:.1f}"
    return f"{text} ({100 * cell['low']:.1f} to {100 * cell['high']:.1f})" if interval else text
