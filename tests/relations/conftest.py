"""Every test of relations runs on one CPU, unless it says otherwise."""

import pytest


@pytest.fixture(autouse=True)
def one_cpu(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    monkeypatch.delenv("DEBUGSET_DEVICES", raising=False)
