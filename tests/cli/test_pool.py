"""``debugset pool``: the simulator; the other commands are tested beside what they call."""

import json
import os
import signal
import subprocess
import sys
from functools import partial

import pandas as pd

from debugset.images.sets import write_manifest
from tests.cli.conftest import MANIFEST_COLUMNS, ROOT


def test_the_simulator_serves_until_interrupted(debugset):
    more = ["uploaded", "owner", "owner_name", "licence", "title", "tags", "secret", "server"]
    world = debugset.folder / "world"
    world.mkdir()
    write_manifest(world, pd.DataFrame(columns=[*MANIFEST_COLUMNS, *more]), ["bag"])
    command = [sys.executable, "-m", "debugset.cli", "pool", "simulator", "--world", str(world)]
    # a shell that runs the tests in the background has them ignore interrupts, which a child would inherit
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.PIPE, text=True, preexec_fn=heed
    ) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            assert url.startswith("http://127.0.0.1:")
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_the_simulator_s_missing_world_is_one_line(debugset):
    assert "no such image set" in debugset("pool", "simulator", "--world", "nowhere", fails=True)
