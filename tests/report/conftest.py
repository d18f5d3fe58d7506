"""One drawn world and its report, shared by the tests that only read them."""

import pytest

from debugset.report.params import ReportParams
from debugset.report.write import write_report
from tests.report.world import DEBUG_NAMES, write_world

PARAMS = ReportParams(
    seeds_shown=6, picks_shown=3, border_pairs=4, examples=6, modes_shown=40, classes_shown=4, random_state=0
)


@pytest.fixture
def params():
    return PARAMS


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A folder with everything that the report reads."""
    root = tmp_path_factory.mktemp("world")
    write_world(root)
    return root


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """A world of larger photos whose truth is not known, as from Flickr."""
    root = tmp_path_factory.mktemp("photographs")
    write_world(root, truth=False, photo_size=300)
    return root


@pytest.fixture(scope="session")
def reported(world):
    """The same folder after the stage has written metrics, plots and the page."""
    write_report(world, PARAMS, DEBUG_NAMES)
    return world


@pytest.fixture(scope="session")
def page(reported):
    return (reported / "report/index.html").read_text(encoding="utf-8")
