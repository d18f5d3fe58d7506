"""Attribute columns of a manifest: what each image shows, +1 or -1, or any number where attributes are continuous."""

import pandas as pd

from debugset.images.sets import ImageSet

PREFIX = "attribute:"  # column names of a manifest: an attribute may be called `label`


def columns(attributes: pd.DataFrame) -> pd.DataFrame:
    """Attributes, one a column, as the columns of a manifest."""
    return attributes.add_prefix(PREFIX)


def attributes(images: ImageSet) -> pd.DataFrame:
    """The attributes of a set's images: one row an image, one column an attribute, in the manifest's order.

    Raises:
        ValueError: a value is missing or infinite.
    """
    named = [name for name in images.manifest.columns if name.startswith(PREFIX)]
    found = images.manifest[named].rename(columns=lambda name: name.removeprefix(PREFIX))
    if texts := [name for name in found if not pd.api.types.is_numeric_dtype(found[name])]:
        raise ValueError(f"{images.folder}: attribute `{texts[0]}` holds no numbers; say +1 where it is there, else -1")
    found = found.astype("float32")
    bad = ~found.abs().lt(float("inf"))
    if bad.any(axis=None):
        row, name = next((row, name) for name in found for row in bad.index[bad[name]])
        raise ValueError(f"{images.folder}: image {images.ids[row]!r} has no finite value of attribute `{name}`")
    return found
