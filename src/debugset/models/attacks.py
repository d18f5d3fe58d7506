"""L2 projected gradient ascent on pixels (Madry et al. 2018), for adversarial training and robust accuracy.

Training on its images solves the robust objective of Barlow (Singla et al. 2021, objective 1): least loss under
the worst perturbation within an L2 ball.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn


def l2_attack(
    model: nn.Module,
    pixels: Float[Tensor, "b c h w"],
    labels: Int64[Tensor, " b"],
    *,
    radius: float,
    step: float,
    steps: int,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "b c h w"]:
    """Images within ``radius`` of the given ones that the model gets wrong most.

    The model runs in evaluation mode, so that its batch statistics do not see the attack; its mode is restored.

    Args:
        model: maps pixels in [0, 1] to logits.
        radius: L2 norm of the largest perturbation, in units of pixels in [0, 1].
        step: length of each of the ``steps`` along the L2-normalised gradient.
        generator: of the random start, on the CPU; None uses torch's own.
    """
    was_training = model.training
    model.eval()

    def loss(attacked: Tensor) -> Tensor:
        return F.cross_entropy(model(attacked).float(), labels, reduction="sum")

    attacked = (pixels + _random_start(pixels, radius, generator)).clamp(0, 1)
    for _ in range(steps):
        attacked = ascend(loss, attacked, pixels, radius=radius, step=step)
    model.train(was_training)
    return attacked


def ascend(
    objective: Callable[[Tensor], Tensor],
    attacked: Float[Tensor, "b c h w"],
    pixels: Float[Tensor, "b c h w"],
    *,
    radius: float,
    step: float,
) -> Float[Tensor, "b c h w"]:
    """Attacked images one step up the objective's L2-normalised gradient, projected to the ball and to [0, 1].

    Args:
        objective: maps images to the number that shall grow, a sum over the images.
        pixels: the centres of the balls, in [0, 1], whose L2 radius is in the same units.
        step: its length, before the projection.
    """
    attacked = attacked.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(attacked), attacked)
    difference = attacked.detach() + step * gradient / _norm(gradient) - pixels
    return (pixels + difference * (radius / _norm(difference)).clamp_max(1)).clamp(0, 1)


def _norm(difference: Tensor) -> Tensor:
    """The L2 norm of each image's, never 0: it is divided by."""
    return difference.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


def _random_start(pixels: Tensor, radius: float, generator: torch.Generator | None) -> Tensor:
    """A random direction with a length uniform in [0, radius], for each image."""
    direction = torch.randn(pixels.shape, generator=generator).to(pixels)
    length = torch.rand(len(pixels), 1, 1, 1, generator=generator).to(pixels) * radius
    return direction / _norm(direction) * length
