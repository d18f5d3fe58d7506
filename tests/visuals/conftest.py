"""What several tests look at: a network, images."""

import pytest

from tests.visuals.toys import reddening_images, small_resnet


@pytest.fixture(scope="package")
def network():
    return small_resnet()


@pytest.fixture
def images(tmp_path):
    return reddening_images(tmp_path)
