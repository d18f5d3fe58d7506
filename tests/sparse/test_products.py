"""Products: the two ways to a weighted Gram matrix agree, and TF32 is off while it would harm."""

import numpy as np
import pytest
import torch

from debugset.sparse import products


class Elsewhere(torch.Tensor):
    """A tensor that says that it lies on a GPU, and is computed with on the CPU."""

    @property
    def device(self):
        return torch.device("meta")


@pytest.mark.parametrize("kind", [torch.Tensor, Elsewhere])
def test_a_gram_matrix_leaves_out_rows_of_little_weight(kind):
    rng = np.random.default_rng(0)
    block, weights = rng.random((40, 6), np.float32), rng.random(40, np.float32)
    columns, heavy = np.array([4, 0, 5]), weights > 0.3
    expected = (block[heavy][:, columns] * weights[heavy, None]).T @ block[heavy][:, columns]
    block, weights = torch.from_numpy(block).as_subclass(kind), torch.from_numpy(weights).as_subclass(kind)
    found = products.weighted_gram(block, weights, 0.3, columns)
    assert found == pytest.approx(expected, rel=1e-5)


def test_tf32_is_off_inside_and_as_it_was_after():
    torch.set_float32_matmul_precision("high")
    try:
        with products.full_precision():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
