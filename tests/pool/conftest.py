from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import stamina

from debugset.images.sets import open_set
from debugset.pool.flickr.service import Service
from debugset.pool.simulator.library import PhotoLibrary
from debugset.pool.simulator.process import simulator_service
from debugset.pool.simulator.server import Simulator, application
from tests.pool.worlds import CAP, Requests, serving, write_world


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("generated") / "world")


@pytest.fixture(scope="session")
def photos(world: Path) -> pd.DataFrame:
    return open_set(world).manifest


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def own_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spool folder of the test's own."""
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "spool"))
    return tmp_path / "spool"


@pytest.fixture
def service(world: Path, requests: Requests) -> Iterator[Service]:
    """The simulator over the tiny world, with a small result cap."""
    app = application(Simulator(PhotoLibrary(open_set(world)), CAP))
    app.middlewares.append(requests.note)
    with serving(app) as url:
        yield simulator_service(url, world)
