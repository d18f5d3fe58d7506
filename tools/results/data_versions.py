"""Two data versions, by the commands of docs/data-versions.md: `tools/data_versions`, a script for people to read."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from tools.results.clone import Clone
from tools.results.shared import RESULTS, write_run

FOLDER = RESULTS / "data-versions"
METRICS = ("metrics/summary.json", "metrics/pool.json")


def make(clone: Clone) -> None:
    """Run the script in a clone of its own; keep what the first version shares with the default run."""
    folder = os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="debugset-versions-")  # it stays, for people to go on
    done = subprocess.run(["tools/data_versions"], env=clone.environment | {"FOLDER": folder})
    if done.returncode:
        raise OSError("tools/data_versions failed; its words are above")
    own = Clone(Path(folder).resolve() / "debugset")
    first = {path: json.loads(own.output("git", "show", f"data-v1:{path}")) for path in METRICS}
    write_run(FOLDER, own.params, first)
