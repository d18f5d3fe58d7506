"""The README's table: every variant trained with five seeds, by the pipeline itself, in a scratch clone.

What: accuracy of every variant on every set, means over seeds with 95 % intervals over images and seeds.
Against: the original model, plain retraining, random images, the complete pool.
On: the default profile at the current commit, with ``train.seeds`` 1 to 5.
Writes: ``docs/results/table.json`` (metrics, params, commit), the pictures beside it and the table in README.md.

Run by ``make table``; stages that the checkout has already run come from its DVC cache.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from debugset.files import read_json, replacing_file, write_json
from debugset.git import git
from debugset.params import read
from debugset.profiles import set_list
from debugset.report.columns import COLUMNS
from debugset.report.inputs import VARIANTS

SEEDS = [1, 2, 3, 4, 5]
RESULT, README = Path("docs/results/table.json"), Path("README.md")
BEGIN, END = "<!-- table: written by `make table` -->", "<!-- end of table -->"


def main() -> None:
    """Run the pipeline with five seeds in a clone of HEAD; keep its metrics."""
    if git("status", "--porcelain", "--untracked-files=no"):
        raise SystemExit("error: commit your changes first; the table names the commit that it was measured on")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch) / "debugset"
        _run("git", "clone", "--quiet", ".", str(clone))
        _run("dvc", "cache", "dir", "--local", str(Path(".dvc/cache").resolve()), cwd=clone)
        set_list(clone / "params.yaml", "train", "seeds", SEEDS)
        _run("dvc", "repro", cwd=clone)
        accuracy = read_json(clone / "metrics/accuracy.json")
        for picture in ("accuracy.png", "seeds_and_picks.png"):
            shutil.copyfile(clone / "plots" / picture, RESULT.parent / picture)
        params = read(clone / "params.yaml")
    write_json(RESULT, {"commit": git("rev-parse", "HEAD").strip(), "params": params, "accuracy": accuracy})
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    with replacing_file(README) as temporary:
        text = f"{before}{BEGIN}\n{markdown_table(accuracy)}\n{END}{after}"
        temporary.write_text(text, encoding="utf-8")
    print(markdown_table(accuracy))


def markdown_table(accuracy: dict) -> str:
    """Accuracies in percent, a row a variant and a column a set; held-out with its interval."""
    headings = [f"{title}, all classes" if name.endswith("_all") else title for name, title in COLUMNS.items()]
    lines = ["| variant | " + " | ".join(headings) + " |", "|---|" + "---:|" * len(headings)]
    for variant in (name for name in VARIANTS if name in accuracy["variants"]):
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


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd)


if __name__ == "__main__":
    main()
