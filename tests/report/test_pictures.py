import base64
import io

import numpy as np
import pytest
from PIL import Image

from debugset.report.pictures import THUMBNAIL, data_uri


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_a_small_image_keeps_every_pixel():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 24, 3), dtype=np.uint8)
    uri, crisp = data_uri(Image.fromarray(pixels))
    assert crisp
    assert (np.asarray(decoded(uri)) == pixels).all()


@pytest.mark.parametrize("size", [(800, 400), (40, 20)])
@pytest.mark.parametrize("key", ["exif", "comment", "icc_profile"])
def test_nothing_but_pixels_of_a_file_reaches_the_page(size, key):
    image = Image.new("RGB", size, "teal")
    image.info[key] = b"Exif\0\0home address"
    uri, _ = data_uri(image)
    assert b"home address" not in base64.b64decode(uri.partition(",")[2])


def test_a_large_image_becomes_a_thumbnail_of_its_shape():
    image = Image.new("RGB", (800, 400), "teal")
    uri, crisp = data_uri(image)
    assert not crisp
    assert decoded(uri).size == (THUMBNAIL, THUMBNAIL // 2)
    assert image.size == (800, 400)
