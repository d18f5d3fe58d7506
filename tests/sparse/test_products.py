"""Products: the two ways to a weighted Gram matrix agree, and TF32 is off while it would harm."""

import numpy as np
import pytest
import torch

from debugset.sparse import products


@pytest.mark.parametrize("is_on_cpu", [True, False])
def test_a_gpu_would_compute_the_same(monkeypatch, is_on_cpu):
    monkeypatch.setattr(products, "_is_on_cpu", lambda tensor: is_on_cpu)
    rng = np.random.default_rng(0)
    block, weights = rng.random((40, 6), np.float32), rng.random(40, np.float32)
    columns, heavy = np.array([4, 0, 5]), weights > 0.3
    chosen = block[heavy][:, columns]
    found = products.weighted_gram(torch.from_numpy(block), torch.from_numpy(weights), 0.3, columns)
    assert found == pytest.approx((chosen * weights[heavy, None]).T @ chosen, rel=1e-5)
    assert products.product(torch.from_numpy(block.T), torch.from_numpy(block)).numpy() == pytest.approx(
        block.T @ block
    )


def test_tf32_is_off_inside_and_as_it_was_after():
    torch.set_float32_matmul_precision("high")
    try:
        with products.full_precision():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
