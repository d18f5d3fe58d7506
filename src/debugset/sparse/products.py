"""Products of matrices on a device: torch's on a GPU, numpy's on the CPU.

On the CPU torch's are five times slower than numpy's where numerics are portable.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from debugset.base.compiled import loading_kernels


def product(left: Float[torch.Tensor, "a b"], right: Float[torch.Tensor, "b c"]) -> Float[torch.Tensor, "a c"]:
    """The product of two matrices of one type on one device."""
    if _is_on_cpu(left):
        return torch.from_numpy(left.numpy() @ right.numpy())
    return left @ right


def weighted_gram(
    block: Float[torch.Tensor, "b w"],
    weights: Float[torch.Tensor, " b"],
    least: float,
    columns: Int64[np.ndarray, " a"],
) -> Float64[np.ndarray, "a a"]:
    """The sum over rows of weight x outer product of their columns; rows up to the least weight are left out."""
    if _is_on_cpu(block):
        with loading_kernels():
            from debugset.sparse.kernels import gather
        chosen = gather(block.numpy(), weights.numpy(), least, columns)
        return (chosen.T @ chosen).astype(np.float64)  # numpy sees a symmetric product and computes half of it
    rows = torch.nonzero(weights > least)[:, 0]
    picked = block[rows][:, torch.from_numpy(columns).to(block.device)] * weights[rows, None].sqrt()
    return (picked.T @ picked).double().cpu().numpy()


def _is_on_cpu(tensor: torch.Tensor) -> bool:
    """Where numpy computes."""
    return tensor.device.type == "cpu"


@contextmanager
def full_precision() -> Iterator[None]:
    """No TF32 in a GPU's products, whatever the process has chosen: its ten bits are too few for a gradient."""
    chosen = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(chosen)
