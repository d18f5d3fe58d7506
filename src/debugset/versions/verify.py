"""Whether this machine gives the committed results: stages run anew in a scratch copy, outs compared by their MD5."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from debugset.base.machine import weights_folder
from debugset.base.numerics import Mode, asked, cpu_name
from debugset.base.params import PARAMS_FILE
from debugset.versions.lock import deps_of, locked_outs, locked_stages, maker, outs_of, problems
from debugset.versions.scratch import empty_spool, lay_out, run_dvc, scratch_environment

_STARTED = re.compile(r"Running stage '([^']+)'")
_SHOWN_LINES = 15  # of a log whose run failed


class Verdict(NamedTuple):
    """How a stage's outs compare with the committed ones.

    Attributes:
        stage: its name.
        seconds: that it took.
        outs: how many it has.
        differing: paths of those that differ.
        inputs: paths of deps that differ, because an earlier stage gave something else.
    """

    stage: str
    seconds: float
    outs: int
    differing: list[str]
    inputs: list[str]


def verify(root: Path, stages: Sequence[str]) -> bool:
    """Run stages anew and print a line for each: whether its outs are the ones that ``dvc.lock`` names.

    Args:
        root: the repository; its tracked files are run as they are now.
        stages: names of stages or groups, whose deps come from DVC's cache; none for the whole pipeline, from nothing.

    Returns:
        Whether all are the same.

    Raises:
        ValueError: the lock file is stale, or a stage is unknown.
        OSError: a stage failed, or a dep is not in DVC's cache.
    """
    mode = asked(root / PARAMS_FILE)  # a misspelt one would make the lock file look stale
    for problem in problems(root):
        raise ValueError(problem)
    members = _expand_groups(root, stages)
    _print_machines(root, mode)
    folder = Path(tempfile.mkdtemp(prefix="debugset-verify-"))
    print(f"log: {folder / 'log'}\n", flush=True)
    try:
        verdicts = _compare(root, folder, members)
    except BaseException:
        if (folder / "log").exists():
            print(f"\nwhat was done so far stays in {folder}, for you to look at and remove", flush=True)
        else:
            shutil.rmtree(folder)
        raise
    different = [verdict.stage for verdict in verdicts if verdict.differing]
    print(f"\n{len(verdicts) - len(different)} of {len(verdicts)} stages are the same")
    if different:
        print(f"what this machine made stays in {folder}, for you to look at and remove")
    else:
        shutil.rmtree(folder)
    return not different


def _compare(root: Path, folder: Path, stages: Sequence[str]) -> list[Verdict]:
    """Run the stages, or all, in a folder, and tell each verdict as it comes."""
    scratch = folder / "debugset"
    scratch.mkdir()
    lay_out(root, scratch)
    if stages:
        _check_out_deps(root, scratch, stages)
    verdicts = []
    for verdict in _run(root, folder, stages):
        _print_verdict(verdict)
        verdicts.append(verdict)
    return verdicts


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
    outs = _needed_outs(root, stages)
    if not outs:
        return
    cache = _cache_dir(root)
    _cache_dir(scratch, "--local", str((root / cache).resolve()))
    checkout = run_dvc(scratch, "checkout", *outs)
    missing = [out for out in outs if not (scratch / out).exists()]
    if checkout.returncode or missing:
        raise OSError(
            f"{', '.join(missing or outs)}: not in DVC's cache, so {', '.join(stages)} cannot be run; "
            "run `dvc pull` or `dvc repro` first"
        )


def _needed_outs(root: Path, stages: Sequence[str]) -> list[str]:
    """The outs that hold what the stages read."""
    entries = locked_stages(root)
    needed: set[Path] = set()
    for stage in stages:
        for dep in map(Path, deps_of(entries[stage])):
            needed |= {dep, *dep.parents}
    return [out for out in locked_outs(root) if Path(out) in needed]


def _run(root: Path, folder: Path, stages: Sequence[str]) -> Iterator[Verdict]:
    """Run stages, or all of them, each from its deps alone: neither cache nor spool knows a result."""
    scratch = folder / "debugset"
    _cache_dir(scratch, "--local", str(folder / "cache"))
    environment = scratch_environment(scratch) | {
        "DEBUGSET_SPOOL": str(empty_spool(folder / "spool")),
        "DEBUGSET_WEIGHTS": str(weights_folder().resolve()),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # the stages' python is this one
        "PYTHONUNBUFFERED": "1",  # else lines would come in blocks
    }
    command = [sys.executable, "-m", "dvc", "repro", "--force", "--no-run-cache"]
    command += ["--single-item", *stages] if stages else []
    committed = locked_stages(root)
    running, started = "", time.monotonic()
    for line in _lines(command, scratch, environment, folder / "log"):
        if match := _STARTED.search(line):
            if running:  # it has ended, and its outs are in the lock file
                yield _verdict(running, committed[running], scratch, time.monotonic() - started)
            running, started = match[1], time.monotonic()
            _print_running(running)
    yield _verdict(running, committed[running], scratch, time.monotonic() - started)


def _lines(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> Iterator[str]:
    """The lines that a command prints, which the log keeps; its failure is an error that shows the log's end."""
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            errors="replace",
            start_new_session=True,
        ) as process,
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


def _verdict(stage: str, committed: Mapping[str, Any], scratch: Path, seconds: float) -> Verdict:
    made = locked_stages(scratch)[stage]
    outs = outs_of(committed)
    differing = _differing_paths(outs, outs_of(made))
    inputs = _differing_paths(deps_of(made), deps_of(committed))
    return Verdict(stage, seconds, len(outs), differing, inputs)


def _differing_paths(some: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    return [path for path, digest in some.items() if others.get(path) != digest]


def _print_verdict(verdict: Verdict) -> None:
    """A line a stage."""
    outcome = "different" if verdict.differing else "same"
    text = f"{verdict.stage:24} {outcome:10} {verdict.seconds:5.0f} s"
    if verdict.differing:
        text += f"   {', '.join(verdict.differing)}"
        if verdict.inputs:
            text += f" (as its inputs do: {', '.join(verdict.inputs)})"
    else:
        text += f"   {verdict.outs} {'out' if verdict.outs == 1 else 'outs'}"
    print(f"\r\033[K{text}" if sys.stdout.isatty() else text, flush=True)


def _print_running(stage: str) -> None:
    """What runs now, where it can be wiped out again."""
    if sys.stdout.isatty():
        print(f"{stage:24} running", end="", flush=True)


def _cache_dir(folder: Path, *arguments: str) -> str:
    """Ask for the folder of a repository's cache, or set it."""
    command = run_dvc(folder, "cache", "dir", *arguments)
    if command.returncode:
        raise OSError(f"dvc cache dir: {' '.join(command.stdout.split())}")
    return command.stdout.strip()
