import pytest

from tests.studies.toys import make_inputs


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    return make_inputs(tmp_path_factory.mktemp("studies"))
