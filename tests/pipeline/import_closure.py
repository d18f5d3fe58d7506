"""The code that a stage runs: its module's import closure, against the code deps that dvc.yaml names.

DVC re-runs a stage when one of its deps changes, and it knows no imports. So every stage lists each of our
modules that it can import, imports inside functions and package ``__init__`` files that do something included, the
other files of those packages (templates), and nothing else.

    python -m tests.pipeline.import_closure               # what is missing or too much, for every stage
    python -m tests.pipeline.import_closure pick          # the list for stage `pick`, ready to paste
    python -m tests.pipeline.import_closure --write       # correct the lists in dvc.yaml; comments stay

Imports by a computed name (`importlib.import_module`) cannot be seen here; a test forbids them.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

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
    packages = [file.parent for file in seen.values() if file.name == "__init__.py"]
    code = {file for file in seen.values() if does_something(file)}
    files = code.union(*(package_data(package) for package in packages))
    return sorted(file.relative_to(root).as_posix() for file in files)


def does_something(file: Path) -> bool:
    """Whether a file is more than an ``__init__`` with at most a docstring, whose words change no result."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return file.name != "__init__.py" or len(tree.body) > (ast.get_docstring(tree) is not None)


def package_data(package: Path) -> Iterator[Path]:
    """The files of a package that are not Python: its own and those of its folders that are no packages."""
    for path in package.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from package_data(path)
        elif path.is_file() and path.suffix != ".py":
            yield path


def entry_module(command: str) -> str | None:
    """The module that a stage's command runs with ``python -m``, or None."""
    found = re.search(r"\bpython3? -m (\S+)", command)
    return found.group(1) if found else None


def is_code(dependency: Any) -> bool:
    """Whether a dependency, as dvc.yaml writes it, is one of our own code files."""
    return isinstance(dependency, str) and dependency.startswith(("src/", "stages/"))


def differences(root: Path) -> dict[str, dict[str, list[str]]]:
    """For every resolved stage whose code deps differ from its import closure: missing, unneeded."""
    from dvc.repo import Repo

    found = {}
    with Repo(str(root)) as repo:
        for stage in repo.index.stages:
            module = entry_module(str(stage.cmd or ""))
            if module is None:
                continue
            needed = set(closure(root, module))
            named = {dep.def_path for dep in stage.deps if is_code(dep.def_path)}
            if needed != named:
                found[stage.addressing] = {
                    "missing": sorted(needed - named),
                    "unneeded": sorted(named - needed),
                }
    return found


def rewrite(root: Path, text: str) -> str:
    """dvc.yaml's text with every stage's code deps replaced by its import closure; all other lines stay.

    Raises:
        ValueError: a stage's deps are not written one a line.
    """
    lines = text.splitlines()
    edits: list[tuple[int, list[int], list[str]]] = []
    for name, stage in fields(fields(yaml.compose(text))["stages"]).items():
        body = fields(fields(stage).get("do", stage))
        module = entry_module(body["cmd"].value) if "cmd" in body else None
        if module is None:
            continue
        code = closure(root, module)
        if "deps" in body:
            deps = body["deps"]
            if not isinstance(deps, yaml.SequenceNode) or deps.flow_style:
                raise ValueError(f"dvc.yaml: stage `{name}`: write `deps` one a line")
            indent = " " * deps.start_mark.column
            old = [entry.start_mark.line for entry in deps.value if is_code(entry.value)]
            edits.append((deps.start_mark.line, old, [f"{indent}- {file}" for file in code]))
        else:
            indent = lines[body["cmd"].start_mark.line].partition("cmd")[0]
            new = [f"{indent}deps:", *(f"{indent}  - {file}" for file in code)]
            edits.append((body["cmd"].end_mark.line + 1, [], new))
    for start, old, new in sorted(edits, reverse=True):
        for place in reversed(old):
            del lines[place]
        lines[start:start] = new
    return "\n".join(lines) + "\n"


def fields(node: yaml.Node) -> dict[str, yaml.Node]:
    """The entries of a mapping's node."""
    return {key.value: value for key, value in node.value}


def main(arguments: list[str]) -> int:
    """Print or write what the module's docstring says; the exit code is 1 if dvc.yaml and the code differ."""
    root = Path.cwd()
    if arguments == ["--write"]:
        file = root / "dvc.yaml"
        file.write_text(rewrite(root, file.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if arguments:
        for name in arguments:
            module = name if "." in name else f"stages.{name.split('@')[0]}"
            print("\n".join(f"      - {file}" for file in closure(root, module)))
        return 0
    found = differences(root)
    for stage, lists in found.items():
        for kind, files in lists.items():
            print("\n".join(f"{stage}: {kind} {file}" for file in files), end="\n" if files else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
