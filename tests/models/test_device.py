"""The machine's side: what the environment may say."""

import pytest
import torch

from debugset.models.device import autocast, device


def test_the_environment_names_the_device(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    assert device() == torch.device("cpu")


def test_without_it_a_gpu_is_taken_where_there_is_one(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device().type == "cpu"
    monkeypatch.delenv("DEBUGSET_DEVICE", raising=False)
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert device().type == ("cuda" if there else "cpu")


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="DEBUGSET_DEVICE=cuda:1: this machine has no usable CUDA device"):
        device()


def test_a_word_that_is_no_device_is_told(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "gpu")
    with pytest.raises(ValueError, match="DEBUGSET_DEVICE=gpu: no such device; say cpu, cuda, cuda:1 or free"):
        device()


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_precision_is_of_the_forward_pass(precision, dtype):
    with autocast(torch.device("cpu"), precision):
        assert torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2)).dtype == dtype
