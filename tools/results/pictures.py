"""Pictures and tables of the default run itself, for README and docs: copies of its outs, and what its metrics say."""

from collections.abc import Iterator
from pathlib import Path

from debugset.base.files import read_json, replacing_file
from debugset.versions.lock import locked_outs
from tools.results import relations_tables, sparse_tables
from tools.results.blocks import block_problems, write_block
from tools.results.clone import Clone
from tools.results.shared import RESULTS, copy_file, write_run

FOLDER = RESULTS / "default"
PAGE = Path("docs/barlow.md")
CARDS = {  # that pages discuss
    PAGE: ("label-sneaker-1", "prediction-trouser-1", "label-tshirt-1", "label-bag-1"),
    sparse_tables.PAGE: (
        "error-diagnosis-04089",
        "error-diagnosis-05604",
        "error-diagnosis-03507",
        "error-diagnosis-01501",
    ),
}
OUTS = ("plots/seeds_and_picks.png", "report/cards", "data/relations")


def make(clone: Clone) -> None:
    """Copy the pictures and write the tables.

    Raises:
        ValueError: a card that a page discusses is made no more.
    """
    clone.run("dvc", "checkout", *OUTS)
    cards = _discussed_cards(clone.folder / OUTS[1])
    for picture in (clone.folder / OUTS[0], *cards):
        copy_file(picture, FOLDER / picture.name)
    for page, name, text in _tables(clone.folder):
        write_block(page, name, text)
    for name, text in relations_tables.tables(clone.folder).items():
        with replacing_file(FOLDER / f"{name}.md") as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
        write_block(relations_tables.PAGE, name, text)
    digests = locked_outs(clone.folder)
    write_run(FOLDER, clone.params, {"dvc.lock": {path: digests[path] for path in OUTS}})


def _discussed_cards(folder: Path) -> list[Path]:
    """The files of `CARDS`; a ValueError if one is missing."""
    there = {path.stem for path in folder.iterdir()}
    for page, names in CARDS.items():
        for name in names:
            if name not in there:
                raise ValueError(f"{page} shows the card {name}, which is none now; choose from {sorted(there)}")
    return [folder / f"{name}.png" for names in CARDS.values() for name in names]


def problems(root: Path) -> Iterator[str]:
    """A line for each table of the pages that is not what the committed metrics, or the stored tables, say."""
    for page, name, text in _tables(root):
        yield from block_problems(root, page, name, text, "the metrics")
    for path in sorted((root / FOLDER).glob("*.md")):  # the tables of what git does not hold
        text = path.read_text(encoding="utf-8").strip("\n")
        yield from block_problems(root, relations_tables.PAGE, path.stem, text, f"{path.name} beside the pictures")


def _tables(root: Path) -> Iterator[tuple[Path, str, str]]:
    """The tables that metrics in git give: page, name, text."""
    yield PAGE, "rules", _rules(read_json(root / "metrics/rules.json"))
    yield PAGE, "planted", _planted(read_json(root / "metrics/modes.json")["planted"])
    for name, text in sparse_tables.tables(read_json(root / "metrics/layers.json")).items():
        yield sparse_tables.PAGE, name, text


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
