"""What every test shares: no test reaches beyond this machine."""

import socket

import pytest

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture
def params(tmp_path):
    """Write a text as a parameter file; its path."""

    def write(text):
        path = tmp_path / "params.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(autouse=True)
def no_internet(monkeypatch):
    """Connections leave this process for loopback only; anything else is an error at once."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test connects to {address[0]}; tests use no internet")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
