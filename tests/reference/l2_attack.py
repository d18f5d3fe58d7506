"""The L2 attack, an image at a time: one gradient step after another, each projected as it is worded."""

import torch
import torch.nn.functional as F


def l2_attack(model, pixels, labels, starts, *, radius, step, steps):
    """Attacked images; ``starts`` are the perturbations that the steps begin from."""
    found = []
    for image, label, start in zip(pixels, labels, starts, strict=True):
        attacked = torch.clamp(image + start, 0, 1)
        for _ in range(steps):
            attacked = attacked.detach().requires_grad_()
            F.cross_entropy(model(attacked[None]), label[None]).backward()
            direction = attacked.grad / torch.sqrt((attacked.grad**2).sum())
            difference = attacked.detach() + step * direction - image
            length = torch.sqrt((difference**2).sum())
            if length > radius:
                difference = difference / length * radius
            attacked = torch.clamp(image + difference, 0, 1)
        found.append(attacked.detach())
    return torch.stack(found)
