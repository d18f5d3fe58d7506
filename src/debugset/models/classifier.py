"""A classifier on pixels in [0, 1]: normalisation inside, features and logits outside; and its folder on disk."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from debugset.base.files import read_json, reading, replacing_folder, sha256, write_json
from debugset.models.registry import Architecture

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


@dataclass(frozen=True)
class Description:
    """What ``model.json`` says of a stored model."""

    name: str  # the architecture's in params
    architecture: Architecture  # how it was built
    classes: tuple[str, ...]  # names of its outputs, in order; empty for a model whose outputs are not used
    origin: str  # where the weights come from, in words
    weights_sha256: str = ""  # of ``model.safetensors``
    scores: dict[str, Any] | None = None  # what was measured when it was made, for example its robust accuracy


class Classifier(nn.Module):
    """A timm backbone (``forward_features`` and ``forward_head`` included) behind its normalisation."""

    mean: Tensor  # per channel, of pixels in [0, 1]
    std: Tensor

    def __init__(self, backbone: Any, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c"]:
        """Logits of pixels in [0, 1]."""
        return self.backbone((pixels - self.mean) / self.std)

    def features(self, pixels: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Penultimate features (what the decision layer sees) of pixels in [0, 1]."""
        maps = self.backbone.forward_features((pixels - self.mean) / self.std)
        return self.backbone.forward_head(maps, pre_logits=True)


def build(architecture: Architecture, classes: int, *, pretrained: bool = False) -> Classifier:
    """A classifier of that architecture, its weights random unless ``pretrained`` asks timm for the hub's."""
    import timm

    backbone = timm.create_model(architecture.timm_name, pretrained, num_classes=classes, **architecture.options)
    return Classifier(backbone, architecture.mean, architecture.std)


def save_model(folder: Path, classifier: Classifier, description: Description) -> None:
    """Write a model folder: safetensors and JSON, nothing pickled."""
    from safetensors.torch import save

    weights = {name: tensor.contiguous().cpu() for name, tensor in classifier.backbone.state_dict().items()}
    with replacing_folder(folder) as temporary:
        (temporary / WEIGHTS).write_bytes(save(weights))  # by hand: the library's own are private files
        about = asdict(description) | {"weights_sha256": sha256(temporary / WEIGHTS)}
        write_json(temporary / DESCRIPTION, about, digits=17)  # a rounded mean would change the features


def read_description(folder: Path) -> Description:
    """Read the description of a stored model; errors as of `debugset.base.files.reading`."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no model is stored there; run the stage that makes it, or `dvc pull`")
    content = read_json(path)
    with reading(path, "does not describe a model"):
        about: dict[str, Any] = content["architecture"]
        about["mean"], about["std"] = tuple(about["mean"]), tuple(about["std"])
        content["architecture"], content["classes"] = Architecture(**about), tuple(content["classes"])
        return Description(**content)


def load_model(folder: Path) -> tuple[Classifier, Description]:
    """Read a stored model, in evaluation mode.

    Raises:
        FileNotFoundError: the folder holds no model.
        ValueError: the weights do not have the SHA-256 that the description says.
    """
    from safetensors.torch import load_file

    description = read_description(folder)
    path = folder / WEIGHTS
    with reading(path, f"not the weights that {DESCRIPTION} tells of"):
        digest = sha256(path)
        if digest != description.weights_sha256:
            raise ValueError(f"its SHA-256 is {digest}")
        classifier = build(description.architecture, len(description.classes))
        classifier.backbone.load_state_dict(load_file(path))
    return classifier.eval(), description


def fingerprint(description: Description) -> str:
    """What decides a model's features: its weights and how images are fed to it, as one JSON line."""
    return json.dumps([description.weights_sha256, asdict(description.architecture)], sort_keys=True)
