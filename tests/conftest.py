"""What every test shares: no test reaches beyond this machine; how workers of pytest-xdist share the tests."""

import socket
from pathlib import Path

import pytest

LOOPBACK = ("127.", "::1", "localhost")
SMOKE_RUN = ("test_experiments", "test_outputs", "test_sharing", "test_smoke")  # files that share one smoke run


@pytest.hookimpl(optionalhook=True)  # pytest may run without xdist
def pytest_xdist_make_scheduler(config, log):
    """Each file goes to one worker, since its tests share fixtures; those of the smoke run go to the same."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "the smoke run" if Path(file).stem in SMOKE_RUN else file

    config.option.loadscopereorder = False  # the order is that of the next function
    return Scheduling(config, log)


def pytest_collection_modifyitems(items):
    """The longest begin: a worker that has nothing left to do waits for no other."""
    items.sort(key=lambda item: (item.path.stem not in SMOKE_RUN, item.path.stem != "test_numerics"))


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
