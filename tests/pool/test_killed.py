"""A scrape against a hostile service, killed at twenty random moments: it ends byte for byte as if undisturbed."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import stamina
from aiohttp import web

from debugset.base.machine import spool_folder
from debugset.images.sets import open_set
from debugset.pool.simulator.library import IMAGE_HOST, PhotoLibrary
from debugset.pool.simulator.process import simulator_service
from debugset.pool.spool import File, Spool
from tests.pool import runs
from tests.pool.simulator.faults import FAULTS, Faults
from tests.pool.simulator.faulty_server import faulty_application
from tests.pool.simulator.spoiled import PLACEHOLDER_SHA256
from tests.pool.worlds import CAP, Requests, serving

CHANGES = {"placeholders": [PLACEHOLDER_SHA256]}


def whole(name: str) -> set[str]:
    """The paths of the files that the spool holds for good."""
    path = spool_folder() / "scrape" / f"{name}.sqlite"
    if not path.exists():
        return set()
    with Spool(path) as spool:
        rows = spool._rows("SELECT url, status FROM files")
    return {url.removeprefix(f"https://{IMAGE_HOST}") for url, status in rows if not File(status).failure}


def test_a_run_killed_at_random_moments_goes_on_where_it_was(
    world: Path, requests: Requests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamina.set_testing(True, attempts=6)
    rates = dict.fromkeys(FAULTS, 0.03) | {"invalid_key": 0.0, "slow": 0.0, "huge_bytes": 0.01}
    app = faulty_application(PhotoLibrary(open_set(world)), CAP, Faults(rates, 3))
    app.middlewares.append(requests.note)
    with serving(app) as url:
        service = simulator_service(url, world)
        monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "first spool"))
        undisturbed = runs.run(service, world, tmp_path / "undisturbed", **CHANGES)
        searches, images = len(requests.searches), len(requests.images)
        packed = len(open_set(tmp_path / "undisturbed" / "pool"))

        monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "second spool"))
        folder = tmp_path / "out"
        moment = random.Random(5)
        for phase in ["searching"] * 8 + ["downloading"] * 8 + ["packing"] * 4:
            done = whole(service.name)
            requests.searches.clear(), requests.images.clear()
            enough = moment.randint(1, {"searching": searches, "downloading": images}.get(phase, 1) // 12 + 1)
            limit = moment.randrange(packed) if phase == "packing" else packed
            command = [
                sys.executable,
                "-m",
                "tests.pool.runs",
                url,
                str(world),
                str(folder),
                json.dumps(CHANGES),
                str(limit),
            ]
            process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src:."}, stderr=subprocess.PIPE)

            def kill(
                request: web.Request, process: subprocess.Popen = process, phase: str = phase, enough: int = enough
            ) -> None:
                asked = {"searching": requests.searches, "downloading": requests.images}.get(phase, [])
                if len(asked) >= enough:
                    process.kill()

            requests.before = kill
            _, said = process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL, said.decode()
            requests.before = None
            assert phase != "searching" or not requests.images
            assert not done & set(requests.images)  # nothing that was whole is fetched again
        runs.run(service, world, folder, **CHANGES)
    left = {name: content for name, content in runs.files(folder).items() if ".tmp" not in name}
    assert left == undisturbed
