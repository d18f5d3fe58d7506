"""What several tests look at: an analysis with its explanations, a network, images."""

import pytest

from debugset.barlow.analysis import explain
from tests.barlow.toys import made_analysis
from tests.visuals.toys import reddening_images, small_resnet


@pytest.fixture(scope="package")
def analysis():
    return made_analysis()


@pytest.fixture(scope="package")
def explanations(analysis):
    return explain(analysis)


@pytest.fixture(scope="package")
def network():
    return small_resnet()


@pytest.fixture
def images(tmp_path):
    return reddening_images(tmp_path)
