"""Numerics: the same bits on every x86-64 CPU with AVX2; threads and memory that make good use of the machine.

A sum taken in another order has other bits. Libraries choose the order by the CPU that they find and by the number of
threads; ``portable`` makes every machine look alike to all of them, whatever the user's environment says. They read
their settings when they are loaded, so `settle` comes before numpy and torch are imported. Processes that a stage
starts inherit the settings. A GPU ignores them.
"""

import ctypes
import os
import platform
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Literal, cast, get_args

from debugset.base.paths import PARAMS_FILE

Mode = Literal["portable", "native"]

KEY = "numerics"  # the one parameter outside the sections
_THREADS = 2  # one thread sums in another order than two
PORTABLE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own loops
    "MKL_CBWR": "COMPATIBLE",  # torch's products; by the value AVX2 an Intel and an AMD CPU still differ
    "OPENBLAS_CORETYPE": "Haswell",  # products and decompositions of numpy and scipy
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # numpy's exp and its like
    "OMP_NUM_THREADS": str(_THREADS),
    "OMP_DYNAMIC": "FALSE",  # as many threads as asked for, however few cores there are
    "MKL_NUM_THREADS": str(_THREADS),
    "MKL_DYNAMIC": "FALSE",
    "OPENBLAS_NUM_THREADS": "1",  # it never starts more threads than there are cores, and one is everywhere
}
# What else such libraries read: cleared, so that nothing of the user's environment counts.
PREFIXES = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "ONEDNN_", "DNNL_", "ATEN_", "NPY_", "NUMBA_CPU_")
# How often a thread of GNU's OpenMP looks again while it waits, before it sleeps. By default so often that it takes the
# core from whatever else wants to run; much less often, and waking up costs more: benchmarks/numerics.txt.
SPIN, SPINS = "GOMP_SPINCOUNT", "2500"
# Parameters of glibc's mallopt, and the sizes up to which it may be asked to allocate from the heap, best first.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_HEAP_ALLOCATIONS = (2**30, 2**25)  # older versions take 32 MiB at most
LIBRARIES = ("numpy", "torch")


def settle(path: Path = PARAMS_FILE) -> None:
    """Prepare this process, and those that it will start, for the numerics that the parameter file asks for.

    How threads wait and that freed memory is kept, which changes no bit, is settled too.

    Raises:
        ParamsError: the parameter ``numerics`` is missing or unknown.
        ValueError: a library was imported before, or the C library was told which instructions to use: too late.
    """
    _keep_memory()
    if read_mode(path) == "native":
        if "OMP_WAIT_POLICY" not in os.environ:  # the user's own way of waiting
            os.environ.setdefault(SPIN, SPINS)
        return
    if loaded := [name for name in LIBRARIES if name in sys.modules]:
        raise ValueError(
            f"numerics: portable: {loaded[0]} was imported before the stage began (by a sitecustomize or .pth file?), "
            "too late for its settings; mend that, or set numerics: native"
        )
    if "hwcaps" in os.environ.get("GLIBC_TUNABLES", ""):
        raise ValueError(
            "numerics: portable: GLIBC_TUNABLES chooses the C library's instructions; take hwcaps out of it"
        )
    make_portable(os.environ)
    if not has_avx2():
        print(
            f"warning: numerics: portable holds for x86-64 CPUs with AVX2; on this one ({platform.machine()}) "
            "the last digits will differ",
            file=sys.stderr,
        )


def read_mode(path: Path = PARAMS_FILE) -> Mode:
    """The parameter ``numerics``; a ParamsError names the file if it is missing or unknown."""
    from debugset.base.params import read  # its libraries are slow to load, and `debugset --help` reads none

    return check_mode(read(path).get(KEY), path)


def check_mode(value: object, path: Path = PARAMS_FILE) -> Mode:
    """The value, if it is a mode, else a ParamsError that names the file."""
    from debugset.base.params import ParamsError

    if value in get_args(Mode):
        return cast(Mode, value)
    if value is None:
        raise ParamsError(f"{path}: `numerics` is missing; add `numerics: portable` or `numerics: native`")
    raise ParamsError(f"{path}: `numerics`: say portable or native (got {value!r})")


def make_portable(environment: MutableMapping[str, str]) -> None:
    """Put the portable settings into an environment, in place of all that it says to the same libraries."""
    for name in list(environment):
        if name.startswith(PREFIXES):
            del environment[name]
    environment.update(PORTABLE)
    environment[SPIN] = SPINS


def _keep_memory() -> None:
    """Keep freed memory in this process, where the C library is GNU's.

    A network's outputs are large and short-lived. By default the system gets their memory back at once, and each page
    of the next ones costs a fault: benchmarks/embedding.txt.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and any(mallopt(_M_MMAP_THRESHOLD, size) for size in _HEAP_ALLOCATIONS):
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def in_force() -> Mode:
    """The numerics of this process, by its environment."""
    portable = all(os.environ.get(name) == value for name, value in PORTABLE.items())
    return "portable" if portable else "native"


def has_avx2() -> bool:
    """Whether this machine's CPU knows AVX2 and FMA, as far as the system tells."""
    return {"avx2", "fma"} <= set(_cpuinfo("flags").split())


def cpu_name() -> str:
    """The CPU's maker, model and vector instructions, for people: `Intel(R) Xeon(R), family 6 model 143, AVX-512`."""
    name = _cpuinfo("model name") or platform.processor() or platform.machine()
    numbers = f"family {_cpuinfo('cpu family')} model {_cpuinfo('model')}"
    model = numbers if _cpuinfo("model") else platform.machine()
    vectors, flags = "no AVX2", _cpuinfo("flags").split()
    if "avx512f" in flags:
        vectors = "AVX-512"
    elif "avx2" in flags:
        vectors = "AVX2"
    return f"{' '.join(name.split())}, {model}, {vectors}"


def _cpuinfo(field: str) -> str:
    """The first processor's value of a field of Linux's list, or nothing."""
    file = Path("/proc/cpuinfo")
    found = re.search(rf"^{field}\s*:(.*)$", file.read_text() if file.is_file() else "", re.MULTILINE)
    return found[1].strip() if found else ""
