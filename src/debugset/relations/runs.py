"""The runs: one attribute network for each random state, biased pair and bias level, and the images it trains on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int64

from debugset.images.sets import ImageSet, read_attributes
from debugset.relations.params import AttributesParams


@dataclass(frozen=True)
class Run:
    """One attribute network.

    Attributes:
        name: of its folder.
        attribute_a: of the biased pair; '' in an unbiased training set.
        attribute_b: the other one.
        tau: the bias level; 0 in an unbiased training set.
        random_state: of training set and weights.
    """

    name: str
    attribute_a: str
    attribute_b: str
    tau: float
    random_state: int

    @property
    def pair(self) -> tuple[str, str] | None:
        """The biased pair, or None."""
        return (self.attribute_a, self.attribute_b) if self.tau else None

    @property
    def words(self) -> str:
        """The training set in words."""
        bias = f"{self.attribute_a}-{self.attribute_b} at tau {self.tau:g}" if self.tau else "unbiased"
        return f"random_state {self.random_state}, {bias}"


def runs(params: AttributesParams) -> list[Run]:
    """All networks that params ask for: of each random state an unbiased one, then those of every pair by level."""
    planned: list[Run] = []
    for random_state in params.random_states:
        planned.append(Run(f"{len(planned):03d}", "", "", 0.0, random_state))
        for a, b in params.pairs:
            for tau in params.taus:
                planned.append(Run(f"{len(planned):03d}", a, b, tau, random_state))
    return planned


def read_training_attributes(images: ImageSet, params: AttributesParams) -> pd.DataFrame:
    """The attributes of a training set; none of an empty set.

    Raises:
        ValueError: there are images with fewer than two attributes, or the logistic loss meets values other than +1
            and -1.
    """
    table = read_attributes(images)
    if len(images) and table.empty:
        raise ValueError(f"{images.folder}: its manifest has no column `attribute:NAME`; add one for each attribute")
    if len(images) and table.shape[1] == 1:
        what = f"has one attribute, `{table.columns[0]}`, but a relation needs two"
        raise ValueError(f"{images.folder}: {what}; add a column `attribute:NAME`")
    graded = [name for name in table if not table[name].abs().eq(1).all()]
    if params.loss == "logistic" and graded:
        raise ValueError(
            f"{images.folder}: attribute `{graded[0]}` has values other than +1 and -1; say `attributes.loss: squared`"
        )
    return table


def read_test_attributes(images: ImageSet, names: list[str]) -> pd.DataFrame:
    """The attributes of a test set, those of the training set by name; no rows where there is no test image.

    Raises:
        ValueError: there are test images, but an attribute of the training images is missing.
    """
    table = read_attributes(images)
    missing = [name for name in names if name not in table]
    if len(images) and missing:
        raise ValueError(f"{images.folder}: its manifest has no column `attribute:{missing[0]}`, which training has")
    return table.reindex(columns=names)


def biased_rows(
    attributes: pd.DataFrame, pair: tuple[str, str] | None, tau: float, count: int | None, random_state: int
) -> Int64[np.ndarray, " m"]:
    """The images of a training set that is biased at a level, ascending.

    With one random state, the images left at a higher level are among those left at a lower one.

    Args:
        attributes: one row an image, positive where the attribute is there.
        pair: two attributes; None leaves the set unbiased.
        tau: share of the images in which just one of them is there that is removed, from 0 to 1.
        count: how many of the images left to take; None takes all.
        random_state: of both choices.

    Raises:
        ValueError: an attribute is unknown, no image is left, or fewer than ``count`` are.
    """
    for name in pair or ():
        if name not in attributes:
            raise ValueError(f"attributes.pairs: {name} is no attribute; there are {', '.join(map(str, attributes))}")
    rng = np.random.default_rng([random_state, 1])
    order, removed = rng.permutation(len(attributes)), np.empty(0, np.int64)
    if pair is not None:
        shown = attributes[list(pair)].to_numpy() > 0
        opposite = order[shown[order, 0] != shown[order, 1]]
        removed = opposite[: round(tau * len(opposite))]
    left = np.setdiff1d(order, removed)
    if pair is not None and not len(left):
        what = f"a bias of {tau:g} of {' and '.join(pair)} leaves none of the {len(order)} images"
        raise ValueError(f"attributes.taus: {what}; lower it, or make more images")
    if count is None:
        return left
    if len(left) < count:
        of = f"a bias of {tau:g} of {' and '.join(pair)}" if pair else "the training set"
        have = f"{count} images are asked for, but {of} leaves {len(left)}"
        raise ValueError(f"attributes.images: {have}; lower it, or make more images")
    return np.sort(rng.permutation(left)[:count])
