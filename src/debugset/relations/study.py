"""The study of one network: its relations against the true ones, what its failure modes cost, and where it looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from debugset.images.sets import ImageSet
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import compute_logits, pixel_batches
from debugset.relations.accuracy import (
    ENTROPY,
    LOW_ENTROPY,
    METHODS,
    OURS,
    accuracy_decrease,
    entropy_modes,
    low_entropy_modes,
    top_decrease,
)
from debugset.relations.diagnosis import FAILURE_MODE, attribute_divergences, diagnose, pair_samples
from debugset.relations.heatmaps import contribution_maps, overlaid, png_files
from debugset.relations.masks import Mask
from debugset.relations.mining import Network, mine_cosines, mine_masks, pattern_batches
from debugset.relations.params import RelationsParams

HISTOGRAM_BINS = 20


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

    @cached_property
    def looked_at(self) -> Int64[np.ndarray, " m"]:
        """The training images that are mined, in random order."""
        return np.random.default_rng(self.params.random_state).permutation(self.rows)[: self.params.images]

    @cached_property
    def shown(self) -> pd.DataFrame:
        """The attributes of the mined images."""
        return self.attributes.iloc[self.looked_at].reset_index(drop=True)

    @cached_property
    def masks(self) -> list[Mask]:
        """Each attribute's mask."""
        return mine_masks(self.network, self.train, self.looked_at, (self.shown > 0).to_numpy(), self.params)

    @cached_property
    def cosines(self) -> Float32[np.ndarray, "m a a"]:
        """The cosines of the mined images."""
        return mine_cosines(self.network, self.train, self.looked_at, self.masks, self.params.batch)

    @cached_property
    def diagnosis(self) -> pd.DataFrame:
        """The pairs, by `diagnose`, with ``correlation``: of the training images' annotations."""
        options = {name: getattr(self.params, name) for name in ("bins", "bandwidth", "floor", "min_std", "threshold")}
        found = diagnose(self.cosines, self.shown, self.relations, **options)
        with np.errstate(invalid="ignore", divide="ignore"):  # an attribute that every image shows has none
            correlations = self.attributes.iloc[self.rows].corr()
        return found.assign(
            correlation=[
                correlations.loc[a, b] for a, b in zip(found["attribute_a"], found["attribute_b"], strict=True)
            ]
        )

    @cached_property
    def modes(self) -> pd.DataFrame:
        """The failure modes of every method, by `ranked_modes`."""
        return ranked_modes(self)

    @cached_property
    def right(self) -> pd.DataFrame:
        """Whether the score of each attribute of each test image has the right sign; no rows without test images."""
        if not len(self.test):
            return self.test_attributes > 0
        rows, architecture = np.arange(len(self.test)), self.network.architecture
        scores = compute_logits(prepare_for_inference(self.network.scores), self.test, rows, architecture, "fp32")
        return pd.DataFrame((scores > 0) == (self.test_attributes > 0).to_numpy(), columns=self.test_attributes.columns)


def attribute_table(study: Study) -> pd.DataFrame:
    """A row an attribute: ``attribute, kl`` (equation 5), ``accuracy`` in tests, its mask's ``kept, residual``."""
    divergences = attribute_divergences(study.diagnosis)
    rows = [
        {
            "attribute": name, "kl": divergences.get(name, np.nan), "accuracy": float(study.right[name].mean()),
            "kept": float(mask.keep.mean()), "residual": mask.residual,
        }
        for name, mask in zip(study.attributes, study.masks, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def histogram_table(study: Study) -> pd.DataFrame:
    """A row a pair: ``attribute_a, attribute_b, counts``, images by cosine in equal bins of [-1, 1] (figure 3)."""
    edges = np.linspace(-1, 1, HISTOGRAM_BINS + 1)
    pairs = study.diagnosis[["attribute_a", "attribute_b"]]
    samples = (pair_samples(study.cosines, study.shown > 0, *pair) for pair in pairs.itertuples(index=False))
    return pairs.assign(counts=[np.histogram(one, edges)[0].tolist() for one in samples])


def failure_modes(diagnosis: pd.DataFrame) -> pd.DataFrame:
    """The failure modes of a diagnosis: the first of each relation label, then the second, and so on."""
    return diagnosis[diagnosis["kind"] == FAILURE_MODE].sort_values(
        ["rank", "kl"], ascending=[True, False], ignore_index=True
    )


def cost_table(study: Study) -> pd.DataFrame:
    """Table 1: ``method, top, modes, passed, ordinary, in_mode, decrease``, means over each ranking's first modes."""
    costs = []
    for method in METHODS:
        modes = study.modes[study.modes["method"] == method]
        costs.append(top_decrease(modes, study.params.top, study.params.test_images).assign(method=method))
    return pd.concat(costs, ignore_index=True)


def ranked_modes(study: Study) -> pd.DataFrame:
    """The ranked failure modes of the diagnosis and of both baselines, and what each costs on test images."""
    train = study.attributes.iloc[study.rows]
    ranked = {
        OURS: failure_modes(study.diagnosis).rename(columns={"kl": "score"}),
        ENTROPY: entropy_modes(train, study.relations),
        LOW_ENTROPY: low_entropy_modes(train, study.relations, study.params.unrelated),
    }
    columns = ["attribute_a", "attribute_b", "relation", "mode", "score"]
    found = [
        accuracy_decrease(modes[columns], study.test_attributes, study.right).assign(
            method=method, place=range(1, len(modes) + 1)
        )
        for method, modes in ranked.items()
    ]
    return pd.concat([one for one in found if len(one)] or found[:1], ignore_index=True)


def map_table(study: Study) -> pd.DataFrame:
    """Heat maps of pairs that deviate: ``attribute_a, attribute_b, image_id, attribute, png`` (figure 7).

    The pairs with a blind spot or failure mode come first, by rank in their label; then those of the highest
    divergence. Images show either attribute. The attribute '' is the image as it is.
    """
    flawed = study.diagnosis.assign(fine=study.diagnosis["kind"] == "")
    flawed = flawed[flawed["images"] > 0].sort_values(["fine", "rank", "kl"], ascending=[True, True, False])
    pairs = flawed.head(study.params.maps)[["attribute_a", "attribute_b"]].to_numpy(object).tolist()
    rows = [row for a, b in pairs for row in _maps(study, a, b)]
    return pd.DataFrame(rows, columns=["attribute_a", "attribute_b", "image_id", "attribute", "png"])


def _maps(study: Study, a: str, b: str) -> list[tuple[str, str, str, str, bytes]]:
    """Images of every kind that shows either attribute, in turn, and their maps."""
    both = study.shown[[a, b]].to_numpy() > 0
    kinds = [np.flatnonzero((both == kind).all(1)) for kind in ((True, True), (True, False), (False, True))]
    turns = [kind[turn] for turn in range(study.params.map_images) for kind in kinds if turn < len(kind)]
    rows = study.looked_at[np.sort(turns[: study.params.map_images])]
    names: list[str] = list(study.attributes.columns)
    wished = [names.index(a), names.index(b)]
    (pixels,) = pixel_batches(study.train, rows, study.network.architecture, len(rows))
    (found,) = pattern_batches(study.network, study.train, rows, len(rows), wished)
    ids = study.train.ids[rows].tolist()
    pictures = [(a, b, image_id, "", png) for image_id, png in zip(ids, png_files(pixels), strict=True)]
    for place, index in enumerate(wished):
        keep = found.gradients.new_tensor(study.masks[index].keep)
        maps = contribution_maps(found.gradients[:, place], found.activations, keep.bool(), found.shape)
        pictures += [
            (a, b, image_id, names[index], png)
            for image_id, png in zip(ids, overlaid(pixels.to(maps), maps), strict=True)
        ]
    return pictures


TABLES: Mapping[str, Callable[[Study], pd.DataFrame]] = {
    "pairs": lambda study: study.diagnosis,
    "attributes": attribute_table,
    "histograms": histogram_table,
    "modes": lambda study: study.modes,
    "costs": cost_table,
    "maps": map_table,
}
