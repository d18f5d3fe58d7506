"""Processes that take devices: never the same one, and a killed one's is free again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from debugset.models import device as free_device
from debugset.models import device as module

SOURCE = Path(free_device.__file__).parents[2]
WORKER = """
import sys
from pathlib import Path
from debugset.models.device import take
print(take(sys.argv[2:], Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Start a process that takes one of two devices and keeps it."""
    started = []

    def run():
        command = [sys.executable, "-c", WORKER, str(tmp_path / "locks"), "one", "two"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = os.environ | {"PYTHONPATH": str(SOURCE)}
        started.append(subprocess.Popen(command, **pipes, env=environment, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_each_process_has_a_device_of_its_own_and_the_next_waits_for_one(start):
    workers = [start(), start()]
    taken = [int(worker.stdout.readline()) for worker in workers]
    assert sorted(taken) == [0, 1]
    third = start()
    assert third.stderr.readline().startswith("waiting for a device: all 2 are taken, by locks in ")
    workers[0].send_signal(signal.SIGKILL)
    assert int(third.stdout.readline()) == taken[0]


def test_a_process_keeps_its_device(monkeypatch, tmp_path):
    monkeypatch.setenv("DEBUGSET_DEVICE", "free")
    monkeypatch.setenv("DEBUGSET_LOCKS", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda gpu: type("GPU", (), {"uuid": f"uuid-{gpu}"}))
    monkeypatch.setattr(free_device, "_HELD", [])
    module._free_gpu.cache_clear()
    try:
        assert module.device() == module.device() == torch.device("cuda", 0)
        assert free_device.take(["cuda-uuid-0", "cuda-uuid-1"], tmp_path) == 1
    finally:
        module._free_gpu.cache_clear()


def test_without_a_gpu_none_is_free(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "free")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="DEBUGSET_DEVICE=free: this machine has no usable CUDA device"):
        module.device()


BUSY = """
import os, sys
from pathlib import Path
from debugset.models.device import take
log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
device = take(["one", "two"], Path(sys.argv[1]))
os.write(log, f"take {device}\\n".encode())
sum(number * number for number in range(300_000))
os.write(log, f"leave {device}\\n".encode())
"""


def test_no_two_of_many_workers_ever_hold_the_same_device(tmp_path):
    command = [sys.executable, "-c", BUSY, str(tmp_path / "locks"), str(tmp_path / "log")]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    workers = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(6)]
    assert [worker.wait(60) for worker in workers] == [0] * 6
    held = set()
    for line in (tmp_path / "log").read_text().splitlines():
        event, device = line.split()
        assert (device in held) == (event == "leave"), line
        held ^= {device}
    assert not held
