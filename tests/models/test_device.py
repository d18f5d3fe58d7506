"""The device: what the environment may say, and never the same one for two processes that ask for a free one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from debugset.models import device as module
from debugset.models.device import autocast, device, take_device

SOURCE = Path(module.__file__).parents[2]
WORKER = """
import sys
from pathlib import Path
from debugset.models.device import take_device
taken = take_device(sys.argv[2:], Path(sys.argv[1]))
print(taken.index, flush=True)
sys.stdin.read()
"""


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
    module._take_gpu.cache_clear()
    try:
        assert device() == device() == torch.device("cuda", 0)
        assert take_device(["cuda-uuid-0", "cuda-uuid-1"], tmp_path).index == 1
    finally:
        module._take_gpu.cache_clear()


def test_without_a_gpu_none_is_free(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "free")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="DEBUGSET_DEVICE=free: this machine has no usable CUDA device"):
        device()


BUSY = """
import os, sys
from pathlib import Path
from debugset.models.device import take_device
log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
taken = take_device(["one", "two"], Path(sys.argv[1]))
os.write(log, f"take {taken.index}\\n".encode())
sum(number * number for number in range(300_000))
os.write(log, f"leave {taken.index}\\n".encode())
"""


def test_no_two_of_many_workers_ever_hold_the_same_device(tmp_path):
    command = [sys.executable, "-c", BUSY, str(tmp_path / "locks"), str(tmp_path / "log")]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    workers = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(6)]
    assert [worker.wait(300) for worker in workers] == [0] * 6
    held = set()
    for line in (tmp_path / "log").read_text().splitlines():
        event, index = line.split()
        assert (index in held) == (event == "leave"), line
        held ^= {index}
    assert not held
