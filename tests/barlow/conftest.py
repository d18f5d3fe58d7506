"""What several tests look at: an analysis with its explanations, a network, images."""

import numpy as np
import pytest
import torch

from debugset.barlow.analysis import explain
from debugset.images.pixels import png_file
from debugset.images.sets import open_set, write_set
from debugset.models.classifier import build
from debugset.models.registry import find_architecture
from tests.barlow.toys import made_analysis


@pytest.fixture(scope="package")
def analysis():
    return made_analysis()


@pytest.fixture(scope="package")
def explanations(analysis):
    return explain(analysis)


@pytest.fixture(scope="package")
def network():
    torch.manual_seed(0)
    return build(find_architecture("test_resnet"), 3).eval()


@pytest.fixture
def images(tmp_path):
    """Twelve images, each of one colour, ever redder."""
    records = []
    for place in range(12):
        pixels = np.full((32, 32, 3), (20 * place, 40, 200), np.uint8)
        records.append(({"id": f"image-{place:02}", "label": 0, "shard": "0.tar"}, png_file(pixels)))
    write_set(tmp_path, records, ["a"])
    return open_set(tmp_path)
