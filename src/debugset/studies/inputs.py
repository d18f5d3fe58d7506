"""What a kit is made of, read from what the stages wrote."""

import pandas as pd

from debugset.barlow.tree import read_rule
from debugset.base.files import read_parquet
from debugset.base.paths import BARLOW, SETS, SPARSE
from debugset.features.store import open_features
from debugset.images.sets import ImageSet, open_set
from debugset.sparse.tables import read_layer
from debugset.studies.making import Inputs, Request
from debugset.studies.misclassification import ERROR_COLUMNS


def read_inputs(request: Request, images: str, pictures: str) -> Inputs:
    """Open what a request needs; ``images`` and ``pictures`` are names of sets.

    Raises:
        FileNotFoundError: a stage has not run.
        ValueError: what it wrote is damaged, or of another version.
    """
    shown, shelf = open_set(SETS / images), open_set(SETS / pictures)
    inputs = Inputs(shown, open_features(request.model, shown), shelf, open_features(request.model, shelf))
    if request.layer == "barlow":
        return inputs._replace(pairs=_read_mode_pairs())
    inputs = inputs._replace(layer=read_layer(SPARSE, request.model, request.layer))
    if request.kind == "misclassification":
        return inputs._replace(errors=_read_errors(request, shown))
    return inputs


def _read_errors(request: Request, images: ImageSet) -> pd.DataFrame:
    """The errors that one feature, set to zero, corrects."""
    table = read_parquet(SPARSE / "removals.parquet")
    mine = table[(table["model"] == request.model) & (table["layer"] == request.layer)]
    mine = mine[(mine["removal"] == "zero") & (mine["blamed"] >= 0)]
    return mine.assign(row=images.rows_of(mine["image_id"]))[ERROR_COLUMNS]


def _read_mode_pairs() -> list[tuple[int, int]]:
    """Every feature in a rule of Barlow's failure modes, with the mode's class."""
    modes = read_parquet(BARLOW / "modes.parquet")
    pairs = set()
    for rule, class_ in zip(modes["rule"], modes["class"], strict=True):
        pairs |= {(feature, int(class_)) for feature, _, _ in read_rule(rule)}
    return sorted(pairs)
