"""The graph against the profiles: each is valid, resolves, and holds just the params that stages declare."""

import ast

import pytest
import yaml

from debugset.base import numerics
from debugset.cli import profiles, sections
from tests.pipeline.conftest import ROOT, make_clone
from tests.pipeline.stage_rooms import closure, entry_module

PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))


def name_of(path):
    return path.stem


def leaves(value, prefix=""):
    """The dotted keys of a nested mapping's values."""
    if not isinstance(value, dict) or not value:
        return {prefix}
    return {leaf for key, item in value.items() for leaf in leaves(item, f"{prefix}.{key}".lstrip("."))}


@pytest.fixture(scope="module")
def declared():
    """The params that each resolved stage declares."""
    from dvc.dependency.param import ParamsDependency
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        found = {}
        for stage in repo.index.stages:
            params = [dep.params for dep in stage.deps if isinstance(dep, ParamsDependency)]
            found[stage.addressing] = {key for keys in params for key in keys}
        return found


def test_the_active_parameters_are_the_default_profile():
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "profiles" / "fashion.yaml").read_bytes()


@pytest.mark.parametrize("path", PROFILES, ids=name_of)
def test_a_profile_is_valid(path):
    sections.validate(profiles.read(path), path)


@pytest.mark.parametrize("path", PROFILES, ids=name_of)
def test_a_profile_has_every_param_that_a_stage_declares_and_no_other(path, declared):
    keys = leaves(profiles.read(path))
    for stage, names in declared.items():
        missing = [name for name in names if not any(f"{key}.".startswith(f"{name}.") for key in keys)]
        assert not missing, f"{stage} declares {missing}"
    all_names = set().union(*declared.values())
    unused = [key for key in keys if not any(f"{key}.".startswith(f"{name}.") for name in all_names)]
    assert not unused, f"no stage declares {unused}: changing them would re-run nothing"


@pytest.mark.parametrize("path", PROFILES, ids=name_of)
def test_a_profile_resolves_in_a_fresh_clone(path, tmp_path):
    clone = make_clone(tmp_path, path)
    stages = set(clone.dvc("stage", "list", "--name-only").split())
    assert stages <= set(clone.dvc("dag", "--dot").replace('"', " ").replace(";", " ").split())
    dry = clone.dvc("repro", "--dry", "--force")  # without force DVC wants the data of a fresh clone
    assert all(f"'{stage}'" in dry for stage in stages)


def sections_read(module):
    """The sections of the params that a stage's code names: to `load`, to `check`, to a mapping of `sections`."""
    files = [ROOT / file for file in closure(ROOT, module) if file.endswith(".py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    named = [value.value for node in nodes for value in asked(node) if isinstance(value, ast.Constant)]
    return set(named) & set(sections.SECTIONS)


def asked(node):
    """What a node of the syntax asks of the params, if it does."""
    match node:
        case ast.Call(func=ast.Name(id="load" | "check" | "check_section")):
            return node.args
        case ast.Call(func=ast.Attribute(value=ast.Name(id="sections"), attr="get")):
            return node.args
        case ast.Subscript(value=ast.Name(id="sections")):
            return [node.slice]
    return []


def test_a_stage_declares_the_sections_that_its_code_reads_and_no_other(declared):
    with (ROOT / "dvc.lock").open() as file:
        commands = {name: entry["cmd"] for name, entry in yaml.safe_load(file)["stages"].items()}
    assert set(commands) == set(declared)
    for stage, names in declared.items():
        read = sections_read(entry_module(commands[stage]))
        # Every stage begins by asking for the numerics; to copy bytes needs none.
        computes = set() if stage in ("scrape", "model-foundation") else {numerics.KEY}
        assert read | computes == {name.split(".")[0] for name in names}, stage
        assert read, stage


def test_the_graph_stays_small(declared):
    assert 0 < len(declared) <= 30


def test_every_command_runs_the_clone_s_own_code():
    with (ROOT / "dvc.yaml").open() as file:
        stages = yaml.safe_load(file)["stages"]
    for name, stage in stages.items():
        assert stage.get("do", stage)["cmd"].startswith("PYTHONPATH=src python -m stages."), name


def test_expensive_stages_can_be_restored_from_the_shared_run_cache():
    """DVC shares no run of a stage that has an uncached or persistent out; only `report` may have one."""
    with (ROOT / "dvc.yaml").open() as file:
        stages = yaml.safe_load(file)["stages"]
    for name, stage in stages.items():
        body = stage.get("do", stage)
        assert not body.get("always_changed"), name
        for kind in ("outs", "metrics", "plots"):
            flags = [flag for out in body.get(kind, []) if isinstance(out, dict) for flag in out.values()]
            assert name == "report" or all(flag.get("cache", True) for flag in flags), name
            assert not any(flag.get("persist") for flag in flags), name
