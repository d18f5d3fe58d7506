"""Stages name exactly the code that they run."""

import ast
from pathlib import Path

import pytest

from tests.pipeline.import_closure import closure, differences, imports, rewrite

ROOT = Path(__file__).resolve().parents[2]


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
        "src/debugset/room/__pycache__/near.pyc": "",
        "src/debugset/room/templates/page.html": "",
        "src/debugset/room/inner/__init__.py": "",
        "src/debugset/room/inner/unused.txt": "",
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
    "src/debugset/room/templates/page.html",
    "stages/one.py",
]


def test_closure_follows_inner_relative_and_package_imports(tree):
    assert closure(tree, "stages.one") == ONE
    assert closure(tree, "stages.two") == ["stages/two.py"]


def test_unknown_module_is_named(tree):
    with pytest.raises(ValueError, match=r"stages\.three"):
        closure(tree, "stages.three")


def test_rewrite_changes_code_deps_only(tree):
    before = """\
stages:
  # the first
  one:
    cmd: PYTHONPATH=src python -m stages.one ${item}
    deps:
      # data
      - data/sets  # the sets
      - src/debugset/unused.py
      - data/pool
    outs: [x]
  two:
    foreach: [a, b]
    do:
      cmd: PYTHONPATH=src python -m stages.two
      deps:
      - stages/two.py
  without:
    cmd: python -m stages.two
    outs: [y]
"""
    code = "".join(f"      - {file}\n" for file in ONE)
    assert (
        rewrite(tree, before)
        == f"""\
stages:
  # the first
  one:
    cmd: PYTHONPATH=src python -m stages.one ${{item}}
    deps:
      # data
{code}      - data/sets  # the sets
      - data/pool
    outs: [x]
  two:
    foreach: [a, b]
    do:
      cmd: PYTHONPATH=src python -m stages.two
      deps:
      - stages/two.py
  without:
    cmd: python -m stages.two
    deps:
      - stages/two.py
    outs: [y]
"""
    )
    assert rewrite(tree, rewrite(tree, before)) == rewrite(tree, before)


def test_every_stage_names_its_import_closure():
    found = differences(ROOT)
    assert not found, f"{found}; `python -m tests.pipeline.import_closure --write` corrects dvc.yaml"


@pytest.mark.parametrize("folder", ["src", "stages"])
def test_no_module_is_imported_by_a_computed_name(folder):
    for file in sorted((ROOT / folder).rglob("*.py")):
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
        assert not names & {"import_module", "__import__"}, file
        assert "importlib" not in imports(file, "stages.any"), f"{file}: importlib hides imports from DVC"
