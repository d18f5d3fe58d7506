"""L2 projected gradient descent on pixels (Madry et al. 2018), for adversarial training and robust accuracy.

Training on its images solves the robust objective of Barlow (Singla et al. 2021, objective 1): least loss under
the worst perturbation within an L2 ball.
"""

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
        pixels: in [0, 1].
        labels: class indices.
        radius: L2 norm of the largest perturbation, in units of pixels in [0, 1].
        step: length of a step along the L2-normalised gradient.
        steps: how many.
        generator: of the random start, on the CPU; None uses torch's own.
    """
    was_training = model.training
    model.eval()
    attacked = (pixels + _random_start(pixels, radius, generator)).clamp(0, 1)
    for _ in range(steps):
        attacked = attacked.detach().requires_grad_()
        loss = F.cross_entropy(model(attacked).float(), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, attacked)
        moved = attacked.detach() + step * gradient / _norm(gradient)
        attacked = (pixels + _within(moved - pixels, radius)).clamp(0, 1)
    model.train(was_training)
    return attacked.detach()


def _norm(difference: Tensor) -> Tensor:
    return difference.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


def _within(difference: Tensor, radius: float) -> Tensor:
    """The difference, shortened to the radius where it is longer."""
    return difference * (radius / _norm(difference)).clamp_max(1)


def _random_start(pixels: Tensor, radius: float, generator: torch.Generator | None) -> Tensor:
    """A random direction with a length uniform in [0, radius], for each image."""
    direction = torch.randn(pixels.shape, generator=generator).to(pixels)
    length = torch.rand(len(pixels), 1, 1, 1, generator=generator).to(pixels) * radius
    return direction / _norm(direction) * length
