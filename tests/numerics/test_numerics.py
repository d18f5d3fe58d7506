"""Numerics: what `settle` puts into the environment, and equal bits whatever the CPU and the user's environment."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from debugset.base import numerics
from debugset.base.params import ParamsError

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = "qemu-x86_64"
CONTRARY = {  # what a user's environment may hold for other programs
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "OMP_DYNAMIC": "TRUE",
    "MKL_NUM_THREADS": "1",
    "MKL_DYNAMIC": "TRUE",
    "MKL_CBWR": "AUTO",
    "OPENBLAS_NUM_THREADS": "2",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GOTO_NUM_THREADS": "2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "DNNL_DEFAULT_FPMATH_MODE": "BF16",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "ATEN_CPU_CAPABILITY": "default",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
}


def digests(path, *prefix, environment=None, **options):
    """What `digests.py` prints, run by this Python below a command."""
    command = [*prefix, str(Path(sys.executable).resolve()), str(ROOT / "tests/numerics/digests.py"), str(path)]
    packages = next(folder for folder in sys.path if folder.endswith("site-packages"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(numerics.PREFIXES)}
    search = os.pathsep.join([str(ROOT / "src"), packages])
    done = subprocess.run(
        command,
        env=kept | {"PYTHONPATH": search} | (environment or {}),
        capture_output=True,
        text=True,
        timeout=1200,  # a thread limit of the user's, if it got through, would make threads wait for ever
        **options,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(line.split(" ") for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The digests on this machine, and their parameter file."""
    path = tmp_path_factory.mktemp("numerics") / "params.yaml"
    path.write_text("numerics: portable\n")
    found = digests(path)
    assert len(found) == 11
    return path, found


@pytest.fixture(scope="module")
def emulated(here):
    """The digests under an Intel and an AMD CPU, neither with AVX-512, side by side; it takes two minutes."""
    path, _ = here
    cpus = ("Haswell", "EPYC")
    with ThreadPoolExecutor(len(cpus)) as pool:
        running = {cpu: pool.submit(digests, path, EMULATOR, "-cpu", cpu) for cpu in cpus}
    return {cpu: done.result() for cpu, done in running.items()}


@pytest.mark.skipif(not numerics.has_avx2(), reason="portable numerics hold for x86-64 CPUs with AVX2")
@pytest.mark.skipif(
    shutil.which(EMULATOR) is None, reason=f"{EMULATOR} is not installed (Debian: apt-get install qemu-user)"
)
@pytest.mark.parametrize("cpu", ["Haswell", "EPYC"])
def test_another_cpu_gives_the_same_bits(here, emulated, cpu):
    assert emulated[cpu] == here[1]


def test_the_user_s_environment_changes_no_bit(here):
    path, expected = here
    assert digests(path, environment=CONTRARY) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind a process to a core")
def test_a_single_core_gives_the_same_bits(here):
    path, expected = here
    core = min(os.sched_getaffinity(0))
    assert digests(path, preexec_fn=lambda: os.sched_setaffinity(0, {core})) == expected


def test_numpy_knows_the_features_that_are_switched_off():
    """Another numpy may call them otherwise, and would then say nothing."""
    dispatched = set(np._core._multiarray_umath.__cpu_dispatch__)
    off = set(numerics.PORTABLE["NPY_DISABLE_CPU_FEATURES"].split())
    assert off <= dispatched
    assert {name for name in dispatched if "512" in name or name == "X86_V4"} <= off


def test_portable_replaces_all_that_the_environment_says(params, monkeypatch):
    for name, value in CONTRARY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(numerics, "LIBRARIES", ())
    settled(monkeypatch, params("numerics: portable\n"))
    found = {name: value for name, value in os.environ.items() if name.startswith(numerics.PREFIXES)}
    assert found == numerics.PORTABLE | {numerics.SPIN: numerics.SPINS}
    assert numerics.in_force() == "portable"


def settled(monkeypatch, path):
    """Settle, the environment to be restored after the test."""
    environment = dict(os.environ)
    monkeypatch.setattr(os, "environ", environment)
    numerics.settle(path)


def test_native_leaves_the_environment_as_it_is_but_for_the_spinning(params, monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_CBWR", "AUTO")
    before = dict(os.environ)
    settled(monkeypatch, params("numerics: native\n"))
    assert os.environ == before | {numerics.SPIN: numerics.SPINS}
    assert numerics.in_force() == "native"


@pytest.mark.parametrize("own", [{"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "ACTIVE"}])
def test_native_leaves_the_user_s_own_way_of_waiting(params, monkeypatch, own):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    settled(monkeypatch, params("numerics: native\n"))
    assert os.environ == before


def test_a_c_library_that_was_told_its_instructions_is_refused(params, monkeypatch):
    monkeypatch.setattr(numerics, "LIBRARIES", ())
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1:glibc.cpu.hwcaps=-AVX2")
    with pytest.raises(ValueError, match="GLIBC_TUNABLES chooses the C library's instructions; take hwcaps out of it"):
        settled(monkeypatch, params("numerics: portable\n"))


@pytest.mark.parametrize(
    ("largest", "asked"),
    [
        (2**30, [(-3, 2**30), (-1, 2**31 - 1)]),
        (2**25, [(-3, 2**30), (-3, 2**25), (-1, 2**31 - 1)]),  # glibc before 2.35
        (0, [(-3, 2**30), (-3, 2**25)]),
    ],
)
@pytest.mark.parametrize("mode", ["portable", "native"])
def test_freed_memory_is_kept_in_both_modes(params, monkeypatch, mode, largest, asked):
    calls = []

    def mallopt(parameter, value):
        calls.append((parameter, value))
        return int(parameter != -3 or value <= largest)

    monkeypatch.setattr(numerics, "LIBRARIES", ())
    monkeypatch.setattr(numerics.ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=mallopt))
    settled(monkeypatch, params(f"numerics: {mode}\n"))
    assert calls == asked


def test_portable_after_numpy_is_refused(params):
    with pytest.raises(ValueError, match="numpy was imported before the stage began"):
        numerics.settle(params("numerics: portable\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("numerics: fast\n", r"`numerics`: say portable or native \(got 'fast'\)"),
        ("numerics: {}\n", r"`numerics`: say portable or native \(got {}\)"),
        ("recipe: {}\n", "`numerics` is missing; add `numerics: portable` or"),
    ],
)
def test_another_value_is_refused(params, text, said):
    path = params(text)
    with pytest.raises(ParamsError, match=f"params.yaml: {said}"):
        numerics.settle(path)


def test_a_cpu_without_avx2_is_told(params, monkeypatch, capsys):
    monkeypatch.setattr(numerics, "LIBRARIES", ())
    monkeypatch.setattr(numerics, "has_avx2", lambda: False)
    settled(monkeypatch, params("numerics: portable\n"))
    assert "warning: numerics: portable holds for x86-64 CPUs with AVX2" in capsys.readouterr().err


def stage(folder, **environment):
    """Run a stage that only says what its process was started with; its return code and output."""
    (folder / "stages").mkdir()
    shutil.copy(ROOT / "stages/__init__.py", folder / "stages")
    (folder / "stages/tell.py").write_text(
        "import os\nfrom debugset.base.command import run\n"
        "run(lambda: print(*sorted(f'{k}={v}' for k, v in os.environ.items())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "stages.tell"], cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_a_stage_begins_with_the_numerics_of_its_params(params, tmp_path):
    params("numerics: portable\n")
    (tmp_path / ".env").write_text("OMP_THREAD_LIMIT=1\nMKL_CBWR=AUTO\nDEBUGSET_WORKERS=3\n")
    code, told = stage(tmp_path, **CONTRARY)
    assert code == 0, told
    assert all(f"{name}={value}" in told.split() or " " in value for name, value in numerics.PORTABLE.items())
    assert "OMP_THREAD_LIMIT" not in told
    assert "DEBUGSET_WORKERS=3" in told


def test_a_stage_without_the_parameter_says_so_in_one_line(params, tmp_path):
    params("recipe: {}\n")
    assert stage(tmp_path) == (
        1,
        "error: params.yaml: `numerics` is missing; add `numerics: portable` or `numerics: native`\n",
    )
