"""Scratch clones of this repository in which real DVC runs, apart from the user's caches and settings."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from debugset.cli import profiles
from tests.pipeline.warm_python import warm_python

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"FLICKR_API_KEY": "9f1c-key-of-the-user", "FLICKR_API_SECRET": "77ab-secret-of-the-user"}
IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "test", "EMAIL": "test@localhost"}.items()
} | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "commit.gpgsign", "GIT_CONFIG_VALUE_0": "false"}
RESULTS = ("data/", "metrics/", "models/", "plots/", "report/", "dvc.lock")  # of an unfinished run, perhaps


@dataclass
class Clone:
    """A scratch clone.

    Attributes:
        folder: the clone's root.
        environment: what its commands run in.
        log: what the clone's first `dvc repro` printed, if it ran.
    """

    folder: Path
    environment: dict[str, str]
    log: str = ""

    def run(self, *command, **environment):
        """Run a command in the clone and return it completed, its output as text, stderr after stdout."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def dvc(self, *arguments, **environment):
        """Run dvc; its failure fails the test, showing the end of what it printed."""
        return self.succeed("dvc", *arguments, **environment)

    def git(self, *arguments):
        """Run git; its failure fails the test."""
        return self.succeed("git", *arguments)

    def succeed(self, *command, **environment):
        """Run a command that must succeed; what it printed."""
        completed = self.run(*command, **environment)
        assert completed.returncode == 0, f"{' '.join(command)}:\n{completed.stdout[-6000:]}"
        return completed.stdout

    def json_at(self, revision, path):
        """A JSON file as git has it at a revision."""
        return json.loads(self.git("show", f"{revision}:{path}"))

    def commit(self, message, tag=None):
        """Commit all changes, and tag the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        if tag:
            self.git("tag", tag)


def source_files():
    """What a commit of the working tree would hold: tracked files and new ones, as they are now, no new results."""
    new = [name for name in git_files("--others", "--exclude-standard") if not name.startswith(RESULTS)]
    return [name for name in [*git_files("--cached"), *new] if (ROOT / name).is_file()]


def git_files(*options):
    """The files that git lists in this repository."""
    listed = subprocess.run(["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, check=True)
    return listed.stdout.decode().split("\0")[:-1]


def make_clone(folder, profile):
    """Copy the working tree's files into a new git repository, with a profile as its params.yaml."""
    project = folder / "debugset"
    for name in source_files():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, project / name)
    (project / "params.yaml").write_text(profiles.render(profile))
    clone = Clone(project, isolated_environment(folder))
    clone.git("init", "-q", "-b", "main")
    clone.commit("clone")
    return clone


def clone_of(clone, folder):
    """A colleague's clone of a clone, on a machine of its own: nothing of DVC's is shared."""
    folder.mkdir()
    path = {"PATH": clone.environment["PATH"]}
    other = Clone(folder / "debugset", isolated_environment(folder) | path)
    clone.git("clone", "-q", str(clone.folder), str(other.folder))
    return other


def isolated_environment(folder):
    """This environment, DVC's folders and the spool moved into ``folder``; fetched sources are shared."""
    foreign = ("DVC_", "AWS_", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "PYTHONPATH")  # a git hook sets GIT_*
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
        "DVC_NO_ANALYTICS": "1",
        **IDENTITY,
        **KEYS,
        "DEBUGSET_SPOOL": str(new_spool(folder / "spool")),
    }


def new_spool(folder):
    """An empty spool that shares the sources which this machine fetched before."""
    sources = Path(os.environ.get("DEBUGSET_SPOOL") or ROOT / ".spool").resolve() / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    (folder / "sources").symlink_to(sources)
    return folder


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """A clone in which `dvc repro` has run profiles/smoke.yaml by a warm Python, committed as data-v1."""
    folder = tmp_path_factory.mktemp("smoke")
    with warm_python(folder) as binaries:
        clone = make_clone(folder, ROOT / "profiles" / "smoke.yaml")
        clone.environment["PATH"] = f"{binaries}{os.pathsep}{clone.environment['PATH']}"
        (clone.folder / "dvc.lock").unlink()  # another profile's; DVC would read and write all of it at every stage
        clone.log = clone.dvc("repro")
        clone.commit("the first snapshot", "data-v1")
        yield clone


@pytest.fixture(scope="session")
def two_versions(smoke, tmp_path_factory):
    """Clone A, which goes on from there: data-v2 is the later snapshot. ``outs_of`` holds each version's files."""
    from tests.pipeline.snapshots import later_snapshot

    if not str(smoke.folder).isascii():
        pytest.skip("DVC writes no path beyond ASCII into its configuration; set TMPDIR to another folder")
    return later_snapshot(smoke, tmp_path_factory.mktemp("versions") / "clone")
