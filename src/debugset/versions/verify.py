"""Whether this machine gives the committed results: stages run anew in a scratch copy, outs compared by their MD5."""

import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from typing import Any

from debugset.base.machine import weights_folder
from debugset.base.numerics import Mode, cpu_name, read_mode
from debugset.base.params import PARAMS_FILE
from debugset.versions.lock import digests, locked_outs, locked_stages, maker, problems
from debugset.versions.scratch import cache_of, empty_spool, lay_out, run_dvc, scratch_environment, use_cache

_STARTED = re.compile(r"Running stage '([^']+)'")
_SHOWN_LINES = 15  # of a log whose run failed


def verify(root: Path, stages: Sequence[str]) -> bool:
    """Run stages anew, print for each whether its outs are those that ``dvc.lock`` names, and return whether all are.

    Args:
        root: the repository; its tracked files are run as they are now.
        stages: names of stages or groups, whose deps come from DVC's cache; none for the whole pipeline, from nothing.

    Raises:
        ValueError: the lock file is stale, or a stage is unknown.
        OSError: a stage failed, or a dep is not in DVC's cache.
    """
    mode = read_mode(root / PARAMS_FILE)  # a misspelt one would make the lock file look stale
    for problem in problems(root):
        raise ValueError(problem)
    members = _expand_groups(root, stages)
    _print_machines(root, mode)
    folder = Path(tempfile.mkdtemp(prefix="debugset-verify-"))
    print(f"log: {folder / 'log'}\n", flush=True)
    try:
        same = _compare(root, folder, members)
    except BaseException:
        if (folder / "log").exists():
            print(f"\nwhat was done so far stays in {folder}, for you to look at and remove", flush=True)
        else:
            shutil.rmtree(folder)
        raise
    print(f"\n{same.count(True)} of {len(same)} stages are the same")
    if all(same):
        shutil.rmtree(folder)
    else:
        print(f"what this machine made stays in {folder}, for you to look at and remove")
    return all(same)


def _compare(root: Path, folder: Path, stages: Sequence[str]) -> list[bool]:
    """Run the stages, or all, in a folder; whether each gives the committed outs, printed as it comes."""
    scratch = folder / "debugset"
    scratch.mkdir()
    lay_out(root, scratch)
    if stages:
        _check_out_deps(root, scratch, stages)
    committed = locked_stages(root)
    same = []
    for stage, seconds in _run(folder, stages):
        same.append(_compare_stage(stage, seconds, committed[stage], locked_stages(scratch)[stage]))
    return same


def _expand_groups(root: Path, stages: Sequence[str]) -> list[str]:
    """The stages, groups such as ``train`` replaced by their members."""
    known = list(locked_stages(root))
    expanded = []
    for name in stages:
        members = [stage for stage in known if name in (stage, stage.split("@")[0])]
        if not members:
            raise ValueError(f"{name}: no such stage; choose from {', '.join(known)}")
        expanded += members
    return expanded


def _print_machines(root: Path, mode: Mode) -> None:
    print(f"dvc.lock was made on: {maker(root) or 'a CPU that nobody recorded'}")
    print(f"this machine:         {cpu_name()}")
    if mode == "native":
        print("numerics: native; another kind of CPU gives other last digits")
    if _on_gpu():
        print("device: a GPU, whose last digits are its own; set DEBUGSET_DEVICE=cpu to compare with a CPU's")


def _on_gpu() -> bool:
    """Whether stages will run on a GPU; takes none, unlike `debugset.models.device.device`."""
    wished = os.environ.get("DEBUGSET_DEVICE")
    if wished:
        return wished != "cpu"
    import torch

    return torch.cuda.is_available()


def _check_out_deps(root: Path, scratch: Path, stages: Sequence[str]) -> None:
    """Take from the repository's cache what the stages read and other stages wrote."""
    entries = locked_stages(root)
    read: set[Path] = set()
    for stage in stages:
        for dep in map(Path, digests(entries[stage], "deps")):
            read |= {dep, *dep.parents}
    outs = [out for out in locked_outs(root) if Path(out) in read]
    if not outs:
        return
    use_cache(scratch, cache_of(root))
    checkout = run_dvc(scratch, "checkout", *outs)
    missing = [out for out in outs if not (scratch / out).exists()]
    if checkout.returncode or missing:
        raise OSError(
            f"{', '.join(missing or outs)}: not in DVC's cache, so {', '.join(stages)} cannot be run; "
            "run `dvc pull` or `dvc repro` first"
        )


def _run(folder: Path, stages: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Run stages, or all, each from its deps alone (no cache or spool knows a result); yield each, and its seconds."""
    scratch = folder / "debugset"
    use_cache(scratch, folder / "cache")
    environment = scratch_environment(scratch) | {
        "DEBUGSET_SPOOL": str(empty_spool(folder / "spool")),
        "DEBUGSET_WEIGHTS": str(weights_folder().resolve()),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # the stages' python is this one
        "PYTHONUNBUFFERED": "1",  # else lines would come in blocks
    }
    targets = ["--single-item", *stages] if stages else []
    command = [sys.executable, "-m", "dvc", "repro", "--force", "--no-run-cache", *targets]
    running, started = "", time.monotonic()
    for line in _lines(command, scratch, environment, folder / "log"):
        if match := _STARTED.search(line):
            if running:
                yield running, time.monotonic() - started
            running, started = match[1], time.monotonic()
            if sys.stdout.isatty():  # it can be wiped out again
                print(f"{running:24} running", end="", flush=True)
    yield running, time.monotonic() - started


def _lines(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> Iterator[str]:
    """The lines that a command prints, which the log keeps; its failure is an error that shows the log's end."""
    pipes: Any = {"stdin": DEVNULL, "stdout": PIPE, "stderr": STDOUT, "errors": "replace"}
    with (
        log.open("w", encoding="utf-8") as file,
        Popen(command, cwd=folder, env=environment, start_new_session=True, **pipes) as process,
    ):
        try:
            for line in process.stdout or ():
                file.write(line)
                file.flush()
                yield line
        except BaseException:  # DVC and the stage that it runs end too
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode:
        end = log.read_text(encoding="utf-8").splitlines()[-_SHOWN_LINES:]
        print("\n".join(["", *end]), file=sys.stderr)
        raise OSError(f"the run failed; {log} has all that it said")


def _compare_stage(stage: str, seconds: float, committed: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Print how a stage's entry in the lock file compares with the committed one."""
    outs = digests(committed, "outs")
    differing = _differing_paths(outs, digests(made, "outs"))
    text = f"{stage:24} {'different' if differing else 'same':10} {seconds:5.0f} s   "
    if differing:
        text += ", ".join(differing)
        inputs = _differing_paths(digests(made, "deps"), digests(committed, "deps"))
        if inputs:  # an earlier stage gave something else
            text += f" (as its inputs do: {', '.join(inputs)})"
    else:
        text += "1 out" if len(outs) == 1 else f"{len(outs)} outs"
    print(f"\r\033[K{text}" if sys.stdout.isatty() else text, flush=True)
    return not differing


def _differing_paths(some: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    return [path for path, digest in some.items() if others.get(path) != digest]
