"""The rooms that a stage's code comes from, against the code deps that dvc.yaml names.

DVC re-runs a stage when one of its deps changes, and it knows no imports. So every stage names each room (a folder of
``src/debugset``) that it can import from, imports inside functions included, and no other. Of a room that holds more
than a stage should wait for, it may name the files that it imports instead.

    python -m tests.pipeline.stage_rooms           # what is missing or too much, for every stage
    python -m tests.pipeline.stage_rooms pick      # the files that stage `pick` imports
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOTS = ("src", ".")
OURS = ("debugset", "stages")


def module_file(root: Path, module: str) -> Path | None:
    """The file of one of our own modules or packages, or None if there is none."""
    if module.split(".")[0] not in OURS:
        return None
    for base in ROOTS:
        path = root / base / Path(*module.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def imports(file: Path, module: str) -> Iterator[str]:
    """Every name that a file may import as a module, at any depth; attributes among them are no files."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def closure(root: Path, module: str) -> list[str]:
    """The files, relative to ``root`` and sorted, that ``python -m`` of a module can import.

    Raises:
        ValueError: the module is not one of ours.
    """
    if module_file(root, module) is None:
        raise ValueError(f"{module}: no such module under {' or '.join(ROOTS)}")
    seen: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = module_file(root, name)
        if name in seen or file is None:
            continue
        seen[name] = file
        parents = name.split(".")[:-1]
        waiting += [".".join(parents[: end + 1]) for end in range(len(parents))]
        waiting += imports(file, name)
    return sorted(file.relative_to(root).as_posix() for file in seen.values() if does_something(file))


def does_something(file: Path) -> bool:
    """Whether a file is more than an ``__init__`` with at most a docstring, whose words change no result."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return file.name != "__init__.py" or len(tree.body) > (ast.get_docstring(tree) is not None)


def entry_module(command: str) -> str | None:
    """The module that a stage's command runs with ``python -m``, or None."""
    found = re.search(r"\bpython3? -m (\S+)", command)
    return found.group(1) if found else None


def problems(needed: list[str], named: list[str]) -> Iterator[str]:
    """What a stage's code deps lack or have too much.

    Args:
        needed: the files that it imports.
        named: the files and folders that it names.
    """
    for file in needed:
        if not any(covers(dep, file) for dep in named):
            yield f"missing {file}, or its room"
    for dep in named:
        if not any(covers(dep, file) for file in needed):
            yield f"unneeded {dep}"


def covers(dep: str, file: str) -> bool:
    """Whether a named dep is the file, or a folder above it."""
    return file == dep or file.startswith(f"{dep}/")


def stage_problems(root: Path) -> Iterator[str]:
    """A line for each code dep that a stage of dvc.yaml lacks or has too much."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        for stage in repo.index.stages:
            module = entry_module(str(stage.cmd or ""))
            if module is not None:
                named = [dep.def_path for dep in stage.deps if dep.def_path.startswith(("src/", "stages/"))]
                for problem in problems(closure(root, module), named):
                    yield f"{stage.addressing}: {problem}"


def main(arguments: list[str]) -> int:
    """Print what the module's docstring says; the exit code is 1 if dvc.yaml and the code differ."""
    if arguments:
        print("\n".join(closure(Path.cwd(), f"stages.{arguments[0].split('@')[0]}")))
        return 0
    found = list(stage_problems(Path.cwd()))
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
