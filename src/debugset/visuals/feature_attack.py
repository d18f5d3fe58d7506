"""Feature attacks: images changed so that a feature grows, which shows what it sees (Singla et al. 2021, section 4)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from debugset.models.attacks import ascend
from debugset.models.classifier import Classifier


class FeatureAttack(NamedTuple):
    """Attacked images."""

    pixels: Float[Tensor, "b 3 h w"]  # in [0, 1], within the radius of the originals
    before: Float[Tensor, " b"]  # the feature of the originals
    after: Float[Tensor, " b"]  # that of the attacked images


def feature_attack(
    classifier: Classifier,
    pixels: Float[Tensor, "b 3 h w"],
    feature: int,
    *,
    radius: float,
    step: float,
    steps: int,
) -> FeatureAttack:
    """Climb a feature's L2-normalised gradient within an L2 ball, and keep the best image on the way.

    The paper climbs without a bound; here each step is projected to the ball and to [0, 1]. No step's graph
    outlives it, so memory does not grow with the steps.

    Args:
        classifier: in evaluation mode.
        pixels: in [0, 1], on the classifier's device.
        feature: index of the penultimate feature.
        radius: of the ball, in units of pixels in [0, 1], as ``step`` is.

    Raises:
        ValueError: the feature does not exist.
    """

    def features(attacked: Tensor) -> Tensor:
        return classifier.features(attacked)[:, feature].float()

    with torch.no_grad():
        width = classifier.features(pixels[:1]).shape[1]
        if not 0 <= feature < width:
            raise ValueError(f"feature: the model has features 0 to {width - 1}, got {feature}")
        before = features(pixels)
    best, highest, attacked = pixels, before, pixels
    for _ in range(steps):
        attacked = ascend(lambda images: features(images).sum(), attacked, pixels, radius=radius, step=step)
        with torch.no_grad():
            value = features(attacked)
        better = value > highest
        best = torch.where(better.view(-1, 1, 1, 1), attacked, best)
        highest = torch.where(better, value, highest)
    return FeatureAttack(best.detach(), before, highest)
