"""The study of one network: its relations against the true ones, what its failure modes cost, and where it looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Int64

from debugset.base.paths import GROUND_TRUTH
from debugset.images.sets import ImageSet
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import compute_outputs, pixel_batches, png_files
from debugset.relations.accuracy import (
    ENTROPY,
    LOW_ENTROPY,
    METHODS,
    MODE_COLUMNS,
    OURS,
    accuracy_decrease,
    entropy_modes,
    low_entropy_modes,
    top_decrease,
)
from debugset.relations.diagnosis import FAILURE_MODE, attribute_divergences, diagnose, pair_samples
from debugset.relations.heatmaps import contribution_maps, overlay
from debugset.relations.masks import Mask
from debugset.relations.mining import Network, mine_cosines, mine_masks, pattern_batches
from debugset.relations.params import RelationsParams

_HISTOGRAM_BINS = 20  # of [-1, 1]


@dataclass
class Study:
    """A network, what it was trained on, and what it is tested on.

    Attributes:
        network: the attribute network and the layer to look at.
        train: the image set that its training images are of.
        rows: those images, ascending.
        attributes: of all images of ``train``.
        test: the test images.
        test_attributes: of the test images.
        relations: the ground truth's labelled pairs.
        params: settings.
    """

    network: Network
    train: ImageSet
    rows: Int64[np.ndarray, " n"]
    attributes: pd.DataFrame
    test: ImageSet
    test_attributes: pd.DataFrame
    relations: pd.DataFrame
    params: RelationsParams

    def check_shown(self) -> None:
        """Raise a ValueError unless an image to be mined shows an attribute of a labelled pair."""
        labelled = pd.unique(self.relations[["attribute_a", "attribute_b"]].to_numpy().ravel())
        if not self.shown[labelled].to_numpy().any():
            what = f"none of the {len(self.mined)} images looked at shows an attribute of a labelled pair"
            mend = f"raise it, or label other pairs in {GROUND_TRUTH / self.params.truth}"
            raise ValueError(f"relations.images: {what}; {mend}")

    @cached_property
    def mined(self) -> Int64[np.ndarray, " m"]:
        """The training images that are mined, in random order."""
        return np.random.default_rng(self.params.random_state).permutation(self.rows)[: self.params.images]

    @cached_property
    def shown(self) -> pd.DataFrame:
        """Which attributes the mined images show."""
        return self.attributes.iloc[self.mined].reset_index(drop=True) > 0

    @cached_property
    def masks(self) -> list[Mask]:
        """Each attribute's mask."""
        return mine_masks(self.network, self.train, self.mined, self.shown.to_numpy(), self.params)

    @cached_property
    def cosines(self) -> Float32[np.ndarray, "m a a"]:
        """The cosines of the mined images."""
        return mine_cosines(self.network, self.train, self.mined, self.masks, self.params.batch)

    @cached_property
    def diagnosis(self) -> pd.DataFrame:
        """The pairs, by `diagnose`, with ``correlation``: of the training images' annotations."""
        options = self.params.model_dump(include={"threshold", "bins", "bandwidth", "floor", "min_std"})
        table = diagnose(self.cosines, self.shown, self.relations, **options)
        with np.errstate(invalid="ignore", divide="ignore"):  # an attribute that every image shows has none
            correlations = self.attributes.iloc[self.rows].corr()
        pairs = zip(table["attribute_a"], table["attribute_b"], strict=True)
        return table.assign(correlation=[correlations.loc[a, b] for a, b in pairs])

    @cached_property
    def modes(self) -> pd.DataFrame:
        """The ranked failure modes of the diagnosis and of both baselines, and what each costs on test images."""
        train = self.attributes.iloc[self.rows]
        rankings = {
            OURS: failure_modes(self.diagnosis).rename(columns={"kl": "score"}),
            ENTROPY: entropy_modes(train, self.relations),
            LOW_ENTROPY: low_entropy_modes(train, self.relations, self.params.unrelated),
        }
        costs = []
        for method, ranking in rankings.items():
            cost = accuracy_decrease(ranking[MODE_COLUMNS], self.test_attributes, self.right)
            costs.append(cost.assign(method=method, place=range(1, len(ranking) + 1)))
        ranked = [cost for cost in costs if len(cost)]  # columns of an empty one would lose their types
        return pd.concat(ranked or costs[:1], ignore_index=True)

    @cached_property
    def right(self) -> pd.DataFrame:
        """Whether the score of each attribute of each test image has the right sign; no rows without test images."""
        shown = self.test_attributes > 0
        if not len(self.test):
            return shown
        classifier, rows = prepare_for_inference(self.network.classifier), np.arange(len(self.test))
        scores = compute_outputs(classifier, self.test, rows, self.network.architecture, "fp32")
        return shown == (scores > 0)


def failure_modes(diagnosis: pd.DataFrame) -> pd.DataFrame:
    """The failure modes of a diagnosis: the first of each relation label, then the second, and so on."""
    modes = diagnosis[diagnosis["kind"] == FAILURE_MODE]
    return modes.sort_values(["rank", "kl"], ascending=[True, False], ignore_index=True)


def _attribute_table(study: Study) -> pd.DataFrame:
    """A row an attribute: ``attribute, kl`` (equation 5), ``accuracy`` in tests, its mask's ``kept, residual``."""
    divergences = attribute_divergences(study.diagnosis)
    rows = []
    for name, mask in zip(study.attributes, study.masks, strict=True):
        accuracy, kept = float(study.right[name].mean()), float(mask.keep.mean())
        rows.append((name, divergences.get(name, np.nan), accuracy, kept, mask.residual))
    return pd.DataFrame(rows, columns=["attribute", "kl", "accuracy", "kept", "residual"])


def _histogram_table(study: Study) -> pd.DataFrame:
    """A row a pair: ``attribute_a, attribute_b, counts``, images by cosine in equal bins of [-1, 1] (figure 3)."""
    edges = np.linspace(-1, 1, _HISTOGRAM_BINS + 1)
    pairs = study.diagnosis[["attribute_a", "attribute_b"]]
    counts = []
    for a, b in pairs.itertuples(index=False):
        counts.append(np.histogram(pair_samples(study.cosines, study.shown, a, b), edges)[0].tolist())
    return pairs.assign(counts=counts)


def _cost_table(study: Study) -> pd.DataFrame:
    """Table 1: ``method, top, modes, passed, ordinary, in_mode, decrease``, means over each ranking's first modes."""
    costs = []
    for method in METHODS:
        modes = study.modes[study.modes["method"] == method]
        costs.append(top_decrease(modes, study.params.top, study.params.test_images).assign(method=method))
    return pd.concat(costs, ignore_index=True)


def _map_table(study: Study) -> pd.DataFrame:
    """Heat maps of pairs that deviate: ``attribute_a, attribute_b, image_id, attribute, png`` (figure 7).

    The pairs with a blind spot or failure mode come first, by rank in their label; then those of the highest
    divergence. Images show either attribute. The attribute '' is the image as it is.
    """
    pairs = study.diagnosis.assign(fine=study.diagnosis["kind"] == "")
    pairs = pairs[pairs["images"] > 0].sort_values(["fine", "rank", "kl"], ascending=[True, True, False])
    rows: list[tuple] = []
    for a, b in pairs.head(study.params.maps)[["attribute_a", "attribute_b"]].itertuples(index=False):
        rows += _map_rows(study, a, b)
    return pd.DataFrame(rows, columns=["attribute_a", "attribute_b", "image_id", "attribute", "png"])


def _map_rows(study: Study, a: str, b: str) -> list[tuple]:
    """Images that show either attribute, and their maps of both."""
    images = _map_images(study, a, b)
    ids = study.train.ids[images].tolist()
    names = list(study.attributes.columns)
    attributes = [names.index(a), names.index(b)]
    (pixels,) = pixel_batches(study.train, images, study.network.architecture, len(images))
    (patterns,) = pattern_batches(study.network, study.train, images, len(images), attributes)
    rows = [(a, b, image_id, "", png) for image_id, png in zip(ids, png_files(pixels), strict=True)]
    for place, attribute in enumerate(attributes):
        keep = torch.from_numpy(study.masks[attribute].keep).to(patterns.gradients.device)
        maps = contribution_maps(patterns.gradients[:, place], patterns.activations, keep, patterns.shape)
        files = png_files(overlay(pixels.to(maps), maps))
        rows += [(a, b, image_id, names[attribute], png) for image_id, png in zip(ids, files, strict=True)]
    return rows


def _map_images(study: Study, a: str, b: str) -> Int64[np.ndarray, " k"]:
    """The first ``map_images`` images of every kind that shows either attribute, in turn."""
    in_a, in_b = study.shown[a].to_numpy(), study.shown[b].to_numpy()
    kinds = [np.flatnonzero(in_a & in_b), np.flatnonzero(in_a & ~in_b), np.flatnonzero(~in_a & in_b)]
    turns: list[int] = []
    for turn in range(study.params.map_images):
        for kind in kinds:
            turns += kind[turn : turn + 1].tolist()  # nothing where the kind has no more
    return study.mined[np.sort(turns[: study.params.map_images])]


TABLES: Mapping[str, Callable[[Study], pd.DataFrame]] = {
    "pairs": lambda study: study.diagnosis,
    "attributes": _attribute_table,
    "histograms": _histogram_table,
    "modes": lambda study: study.modes,
    "costs": _cost_table,
    "maps": _map_table,
}
