"""Pictures and tables of the default run itself, for README and docs: copies of its outs, and what its metrics say."""

from collections.abc import Iterator
from pathlib import Path

from debugset.base.files import read_json, replacing_file
from debugset.versions.lock import locked_outs
from tools.results import relations_tables
from tools.results.blocks import block_problems, write_block
from tools.results.clone import Clone
from tools.results.shared import RESULTS, copy_file, write_run

FOLDER = RESULTS / "default"
CARDS = ("label-sneaker-1", "prediction-trouser-1", "label-tshirt-1", "label-bag-1")  # docs/barlow.md discusses them
OUTS = ("plots/seeds_and_picks.png", "report/cards", "data/relations")
PAGE = Path("docs/barlow.md")


def make(clone: Clone) -> None:
    """Copy the pictures and write the tables.

    Raises:
        ValueError: a card that docs/barlow.md discusses is no failure mode any more.
    """
    clone.run("dvc", "checkout", *OUTS)
    cards = clone.folder / OUTS[1]
    there = {path.stem for path in cards.iterdir()}
    for name in CARDS:
        if name not in there:
            raise ValueError(f"{PAGE} shows the failure mode {name}, which is none now; choose from {sorted(there)}")
    for picture in (clone.folder / OUTS[0], *(cards / f"{name}.png" for name in CARDS)):
        copy_file(picture, FOLDER / picture.name)
    for name, text in _tables(clone.folder).items():
        write_block(PAGE, name, text)
    for name, text in relations_tables.tables(clone.folder).items():
        with replacing_file(FOLDER / f"{name}.md") as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
        write_block(relations_tables.PAGE, name, text)
    digests = locked_outs(clone.folder)
    write_run(FOLDER, clone.params, {"dvc.lock": {path: digests[path] for path in OUTS}})


def problems(root: Path) -> Iterator[str]:
    """A line for each table of the pages that is not what the committed metrics, or the stored tables, say."""
    for name, text in _tables(root).items():
        yield from block_problems(root, PAGE, name, text, "the metrics")
    for path in sorted((root / FOLDER).glob("*.md")):  # the tables of what git does not hold
        text = path.read_text(encoding="utf-8").strip("\n")
        yield from block_problems(root, relations_tables.PAGE, path.stem, text, f"{path.name} beside the pictures")


def _tables(root: Path) -> dict[str, str]:
    """The tables of docs/barlow.md by name."""
    return {
        "rules": _rules(read_json(root / "metrics/rules.json")),
        "planted": _planted(read_json(root / "metrics/modes.json")["planted"]),
    }


def _rules(rules: dict) -> str:
    """How well trees of the least and the largest depth explain failures."""
    lines = [
        "| failures of | features | grouping | depth | ALER - BER | held out | chance | classes with a valid leaf |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, groupings in sorted(rules.items()):
        analysed, features = name.split("_by_")
        for grouping, depths in sorted(groupings.items()):
            for depth in (min(depths), max(depths)):
                row = depths[depth]
                numbers = " | ".join(f"{row[key]:.3f}" for key in ("gain", "heldout_gain", "chance_gain"))
                number = depth.removeprefix("depth_")
                valid = f"{100 * row['valid']:.0f} %"
                lines.append(f"| {analysed} | {features} | {grouping} | {number} | {numbers} | {valid} |")
    return "\n".join(lines)


def _planted(planted: dict) -> str:
    """How well the most important leaves by label find the planted cause."""
    lines = ["| features | depth | precision | recall | base |", "|---|---:|---:|---:|---:|"]
    rows = [(*name.split("_"), row) for name, row in planted.items()]
    order = ("robust", "original", "pixels")
    by_label = [row for row in rows if row[1] == "label"]
    for features, _, depth, row in sorted(by_label, key=lambda row: (order.index(row[0]), row[2])):
        numbers = " | ".join(f"{row[key]:.2f}" for key in ("precision", "recall", "base"))
        lines.append(f"| {features} | {depth} | {numbers} |")
    return "\n".join(lines)
