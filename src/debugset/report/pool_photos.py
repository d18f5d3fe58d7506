"""Photos of the pool, as the page and the contact sheet show them: caption, mark, tool tip, and who to credit."""

from collections.abc import Mapping

from debugset.report.inputs import Inputs
from debugset.report.pictures import Tile, tile


def caption_and_mark(inputs: Inputs, row: int, label: int) -> tuple[str, str]:
    """What the photo in manifest row ``row`` shows, and whether class ``label`` is "right", "wrong" or, unknown, ""."""
    manifest = inputs.pool.manifest
    if "true_label" not in manifest:
        return inputs.class_name(label), ""
    truth = int(manifest["true_label"].iloc[row])
    return inputs.class_name(truth), "right" if truth == label else "wrong"


def source_words(inputs: Inputs, row: int, headings: Mapping[str, str]) -> str:
    """What the source says of the photo in manifest row ``row``, to be added to its tool tip.

    ``headings``: columns of the manifest, which it may lack, and how the tool tip calls them.
    """
    manifest, words = inputs.pool.manifest, ""
    for column, heading in headings.items():
        if column in manifest and manifest[column].iloc[row]:
            words += f"; {heading}: {manifest[column].iloc[row]}"
    return words


def pool_tile(inputs: Inputs, row: int, alt: str, *, caption: str = "", mark: str = "", detail: str = "") -> Tile:
    """The photo in manifest row ``row`` as a tile; noted, so that the page credits who made it."""
    inputs.shown_pool_rows.add(row)
    return tile(inputs.pool.image(row), alt, caption=caption, mark=mark, detail=detail)
