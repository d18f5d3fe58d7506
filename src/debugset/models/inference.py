"""Preparing a model to embed and predict: on the device, batch norm folded into convolutions, batches that fit.

A batch norm that is not trained multiplies and adds a number a channel, which the convolution before it can do as well
(Jacob et al. 2018, section 3.2). It changes outputs by rounding alone.
"""

import copy
import warnings
from collections import Counter
from typing import cast

import torch
from torch import nn

from debugset.models.classifier import Classifier
from debugset.models.device import device

# Pixels of a batch, channels not counted. A CPU is quickest while a batch fits its caches; a GPU wants to be full.
CPU_PIXELS = 600_000
_GPU_PIXELS = 256 * 224**2

BatchNorm = nn.modules.batchnorm._BatchNorm


def prepare_for_inference(classifier: Classifier) -> Classifier:
    """A copy of a classifier in evaluation mode for embedding and predicting, on `debugset.models.device.device`."""
    copied = copy.deepcopy(classifier).requires_grad_(False)
    fold_batch_norms(copied.backbone)
    return copied.to(device()).to(memory_format=torch.channels_last)


def batch_size(where: torch.device, side: int) -> int:
    """How many square images of ``side`` px a device takes at a time; it changes no result."""
    return max(1, (CPU_PIXELS if where.type == "cpu" else _GPU_PIXELS) // side**2)


def fold_batch_norms(model: nn.Module) -> None:
    """Fold, in place, each batch norm of a model in evaluation mode that alone follows a convolution.

    What timm does in the same layer as the norm, activation and drop, stays. A model whose graph cannot be traced
    stays as it is, with a warning: slower, as right.
    """
    for convolution, norm in _find_pairs(model):
        before, after = cast(nn.Conv2d, model.get_submodule(convolution)), cast(BatchNorm, model.get_submodule(norm))
        rest = [getattr(after, name) for name in ("drop", "act") if hasattr(after, name)]  # of timm's `BatchNormAct2d`
        model.set_submodule(convolution, nn.utils.fusion.fuse_conv_bn_eval(before, after))
        model.set_submodule(norm, nn.Sequential(*rest))


def _find_pairs(model: nn.Module) -> list[tuple[str, str]]:
    """The names of each convolution and of the batch norm that is all that sees its output."""
    modules = dict(model.named_modules())
    if not any(isinstance(module, BatchNorm) for module in modules.values()):
        return []
    try:
        graph = _Tracer().trace(model)
    except Exception as error:  # the model's own code runs on stand-ins for tensors, and may fail in any way
        warnings.warn(f"batch norm is not folded: the model cannot be traced ({error})", stacklevel=2)
        return []
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    pairs = []
    for node in graph.nodes:
        before = node.args[0] if node.op == "call_module" and node.args else None
        if not isinstance(before, torch.fx.Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        convolution, norm = str(before.target), str(node.target)
        if calls[convolution] > 1 or calls[norm] > 1:  # a layer that is used twice is left alone
            continue
        if _can_fold(modules[convolution], modules[norm]):
            pairs.append((convolution, norm))
    return pairs


def _can_fold(convolution: nn.Module, norm: nn.Module) -> bool:
    """Whether the one is a convolution and the other a batch norm with statistics of its own."""
    from timm.layers import Conv2dSame

    return (
        type(convolution) in (nn.Conv2d, Conv2dSame)  # others, such as StdConv2d, make their weights anew at each call
        and isinstance(norm, BatchNorm)
        and norm.running_var is not None
        and not norm.training
    )


class _Tracer(torch.fx.Tracer):
    """Follows a model down to layers; a convolution or norm of timm is one too, whatever it is made of."""

    def __init__(self) -> None:
        from timm.layers import get_notrace_functions, get_notrace_modules

        super().__init__(autowrap_functions=tuple(get_notrace_functions()))
        self._layers = (nn.Conv2d, BatchNorm, *get_notrace_modules())

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self._layers) or super().is_leaf_module(m, module_qualified_name)
