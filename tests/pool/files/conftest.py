from collections.abc import Iterator
from pathlib import Path

import pytest

from debugset.pool.spool import Spool
from tests.pool.files.image_hosts import FakeClock, ImageHosts, Run
from tests.pool.worlds import serving


@pytest.fixture
def hosts() -> ImageHosts:
    return ImageHosts(FakeClock())


@pytest.fixture
def run(tmp_path: Path, hosts: ImageHosts) -> Iterator[Run]:
    with serving(hosts.app) as url, Spool(tmp_path / "spool.sqlite") as spool:
        yield Run(hosts, url, spool)
