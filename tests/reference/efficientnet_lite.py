"""EfficientNet-Lite0 as functions on the PyPI package's own state dict, under the package's own names.

TensorFlow's network: padding so that a layer's output has ceil(input / stride) pixels, the odd pixel at the right and
the bottom; batch norm with epsilon 0.001; ReLU6; no squeeze-and-excitation (Tan and Le 2019, table 1, Lite variant).
"""

import torch.nn.functional as F

# of each stage: number of blocks, stride of the first
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
STRIDES = [stride if block == 0 else 1 for count, stride in STAGES for block in range(count)]


def convolved(x, weight, stride=1, groups=1):
    kernel = weight.shape[-1]
    height, width = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:])
    x = F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
    return F.conv2d(x, weight, stride=stride, groups=groups)


def normalised(x, state, name):
    mean, variance, weight, bias = (
        state[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (variance + 1e-3).sqrt() * weight + bias


def features(state, x):
    """Penultimate features (n, 1280) of images that are normalised already."""
    x = normalised(convolved(x, state["_conv_stem.weight"], 2), state, "_bn0").clamp(0, 6)
    for number, stride in enumerate(STRIDES):
        block, before = f"_blocks.{number}", x
        if number > 0:  # the first block does not expand
            x = normalised(convolved(x, state[f"{block}._expand_conv.weight"]), state, f"{block}._bn0").clamp(0, 6)
        depthwise = state[f"{block}._depthwise_conv.weight"]
        x = normalised(convolved(x, depthwise, stride, groups=len(depthwise)), state, f"{block}._bn1").clamp(0, 6)
        x = normalised(convolved(x, state[f"{block}._project_conv.weight"]), state, f"{block}._bn2")
        if stride == 1 and x.shape == before.shape:
            x = x + before
    x = normalised(convolved(x, state["_conv_head.weight"]), state, "_bn1").clamp(0, 6)
    return x.mean(dim=(2, 3))


def logits(state, x):
    """Logits (n, 1000) of images that are normalised already."""
    return features(state, x) @ state["_fc.weight"].T + state["_fc.bias"]
