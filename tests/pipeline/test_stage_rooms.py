"""Stages name exactly the rooms whose code they run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.stage_rooms import closure, imports, problems, stage_problems

ROOT = Path(__file__).resolve().parents[2]
READ_TABLES = ("dedup", "pick", "prepare", "remeasure", "report", "retention", "scrape")


@pytest.fixture
def tree(tmp_path):
    """A small repository whose stage `one` imports in every way that there is."""
    files = {
        "stages/__init__.py": '"""What DVC runs."""\n',
        "stages/one.py": "import debugset.low\nfrom debugset.room import high\n",
        "stages/two.py": "import os\n",
        "src/debugset/__init__.py": "",
        "src/debugset/low.py": "def late():\n    from debugset.late import thing\n    return thing\n",
        "src/debugset/late.py": "thing = 1\n",
        "src/debugset/unused.py": "",
        "src/debugset/room/__init__.py": "from debugset.room.high import name\n",
        "src/debugset/room/high.py": "from . import near\nfrom ..far import name\nimport numpy.linalg\n",
        "src/debugset/room/near.py": "",
        "src/debugset/far.py": "name = 2\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


ONE = [
    "src/debugset/far.py",
    "src/debugset/late.py",
    "src/debugset/low.py",
    "src/debugset/room/__init__.py",
    "src/debugset/room/high.py",
    "src/debugset/room/near.py",
    "stages/one.py",
]


def test_closure_follows_inner_relative_and_package_imports(tree):
    assert closure(tree, "stages.one") == ONE
    assert closure(tree, "stages.two") == ["stages/two.py"]


def test_unknown_module_is_named(tree):
    with pytest.raises(ValueError, match=r"stages\.three"):
        closure(tree, "stages.three")


def test_a_room_is_named_as_a_folder_or_by_the_files_that_are_imported():
    needed = ["src/debugset/low/a.py", "src/debugset/low/b.py", "stages/one.py"]
    assert list(problems(needed, ["src/debugset/low", "stages/one.py"])) == []
    assert list(problems(needed, needed)) == []


def test_what_is_missing_or_too_much_is_named():
    needed = ["src/debugset/low/a.py", "src/debugset/low/b.py"]
    named = ["src/debugset/low/b.py", "src/debugset/lower", "src/debugset/low/c.py"]
    missing, *unneeded = problems(needed, named)
    assert missing == "missing src/debugset/low/a.py, or its room"
    assert unneeded == ["unneeded src/debugset/lower", "unneeded src/debugset/low/c.py"]


def test_every_stage_names_the_rooms_that_it_imports():
    assert list(stage_problems(ROOT)) == []


@pytest.mark.parametrize("folder", ["src", "stages"])
def test_no_module_is_imported_by_a_computed_name(folder):
    for file in sorted((ROOT / folder).rglob("*.py")):
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
        assert not names & {"import_module", "__import__"}, file
        assert "importlib" not in imports(file, "stages.any"), f"{file}: importlib hides imports from DVC"


def test_stages_that_only_read_tables_import_no_network_library():
    """Importing torch takes longer than most of these stages."""
    modules = ", ".join(f"stages.{name}" for name in READ_TABLES)
    code = f"import sys, {modules}; print(*{{'torch', 'timm', 'torchvision'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
