"""From an image to a square of bytes: nothing is touched that fits, the middle is kept, every byte as the twin's."""

import io
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from debugset.images import pixels as module
from debugset.images.pixels import decode_ahead, png_file, square_pixels
from tests.datasets.tiny import plain
from tests.reference import pixels as naive

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def noise(width, height, random_state=0):
    rng = np.random.default_rng(random_state)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def stripes(wide):
    """Three squares of 32 px side by side, or one above the other."""
    squares = [plain(colour, 32, 32) for colour in (RED, GREEN, BLUE)]
    return Image.fromarray(np.concatenate(squares, axis=1 if wide else 0))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(4, 64),  # 16 sides at most: a longer image loses its ends first
    height=st.integers(4, 64),
    size=st.sampled_from([8, 32, 33, 96]),
    crop=st.sampled_from([1.0, 0.9, 0.875, 0.5]),
    interpolation=st.sampled_from(["bilinear", "bicubic", "lanczos"]),
)
def test_every_byte_is_the_naive_twin_s(width, height, size, crop, interpolation):
    image = noise(width, height)
    found = square_pixels(image, size, crop=crop, interpolation=interpolation)
    assert np.array_equal(found, naive.square_pixels(image, size, crop, interpolation))


@pytest.mark.parametrize("size", [(32, 32), (32, 48), (77, 32)])
def test_an_image_whose_shorter_side_fits_is_not_resized(size):
    image = noise(*size)
    left, top = (size[0] - 32) // 2, (size[1] - 32) // 2
    assert np.array_equal(square_pixels(image, 32), np.asarray(image)[top : top + 32, left : left + 32])


def test_images_of_32_px_are_embedded_at_96_px_by_one_bicubic_step():
    image = noise(32, 32)
    expected = np.asarray(image.resize((96, 96), Image.Resampling.BICUBIC))
    assert np.array_equal(square_pixels(image, 96, interpolation="bicubic"), expected)


@pytest.mark.parametrize("wide", [True, False])
def test_the_middle_of_a_long_image_is_kept_as_it_is(wide):
    found = square_pixels(stripes(wide), 32)
    assert (found == GREEN).all()
    assert found.shape == (32, 32, 3)


@pytest.mark.parametrize("wide", [True, False])
def test_a_long_image_is_resized_by_its_shorter_side(wide):
    found = square_pixels(stripes(wide), 96, interpolation="bicubic")
    assert found.shape == (96, 96, 3)
    assert (found[8:-8, 8:-8] == GREEN).all()


def test_crop_is_the_share_of_the_side_that_is_kept():
    image = noise(32, 32)
    assert (square_pixels(image, 16, crop=0.5) == np.asarray(image)[8:24, 8:24]).all()  # resized to 32: as it is


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_filter_is_the_one_that_is_named(interpolation):
    image = noise(32, 32)
    expected = image.resize((96, 96), Image.Resampling[interpolation.upper()])
    assert (square_pixels(image, 96, interpolation=interpolation) == np.asarray(expected)).all()


@pytest.mark.parametrize("size", [(33, 50), (50, 33), (7, 300), (1, 1), (225, 224), (1000, 31)])
@pytest.mark.parametrize(("side", "crop"), [(32, 1.0), (224, 0.875), (33, 0.9)])
def test_no_shape_lets_a_border_in(size, side, crop):
    found = square_pixels(Image.new("RGB", size, (200, 100, 50)), side, crop=crop)
    assert found.shape == (side, side, 3)
    assert (found == (200, 100, 50)).all()


@pytest.mark.parametrize("size", [(16, 65_000), (65_000, 16), (1, 30_000), (40_000, 3)])
@pytest.mark.parametrize("crop", [1.0, 0.875])
def test_a_line_of_pixels_is_cut_before_it_is_enlarged(size, crop, monkeypatch):
    enlarged = []
    resize = Image.Image.resize

    def noted(image, size, *arguments, **options):
        enlarged.append(size[0] * size[1])
        return resize(image, size, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", noted)
    image = Image.new("RGB", size, RED)
    longer = max(size)
    middle = [(longer - 8) // 2, 0, (longer + 8) // 2, min(size)]
    image.paste(BLUE, tuple(middle if size[0] > size[1] else [middle[1], middle[0], middle[3], middle[2]]))
    found = square_pixels(image, 224, crop=crop)
    assert found.shape == (224, 224, 3)
    assert tuple(found[112, 112]) == BLUE
    assert max(enlarged) <= 16 * 256 * 256


@pytest.mark.parametrize("box", [(0.0, 0.0, 300.0, 200.0), (10.5, 20.25, 110.0, 90.75)])
def test_a_box_fills_the_square(box):
    image = noise(300, 200)
    expected = image.resize((32, 32), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    assert np.array_equal(square_pixels(image, 32, box=box), np.asarray(expected))
    assert (square_pixels(stripes(True), 8, box=(0.0, 0.0, 64.0, 32.0))[:, [0, -2]] == [RED, GREEN]).all()


def test_batches_are_decoded_in_order_the_next_one_before_this_one_is_asked_for():
    started = [threading.Event() for _ in range(5)]

    def decode(number):
        started[number].set()
        return plain((number, 0, 0), 2, 3)

    batches = decode_ahead([[0, 1], [2, 3], [4]], decode)
    first = next(batches)
    assert first.shape == (2, 2, 3, 3)
    assert all(event.wait(60) for event in started[:4])
    assert not started[4].is_set()
    assert [batch[:, 0, 0, 0].tolist() for batch in (first, *batches)] == [[0, 1], [2, 3], [4]]
    assert list(decode_ahead([], decode)) == []


def test_what_fails_to_decode_is_told(monkeypatch):
    monkeypatch.setattr(module, "workers", lambda: 2)

    def decode(number):
        raise OSError(f"image {number} is cut short")

    with pytest.raises(OSError, match="image 0 is cut short"):
        next(decode_ahead([[0]], decode))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
@pytest.mark.parametrize("optimize", [False, True])
def test_a_png_file_holds_every_pixel(shape, optimize):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for given_ in (pixels, pixels[::-1, ::2]):  # in memory as a whole, and in pieces
        file = io.BytesIO(png_file(given_, optimize=optimize))
        assert np.array_equal(np.asarray(Image.open(file)), given_)
