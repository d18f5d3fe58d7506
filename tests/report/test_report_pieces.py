import base64
import io

import numpy as np
import pytest
from PIL import Image

from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs
from debugset.report.pictures import THUMBNAIL, data_uri
from debugset.report.seeds import nearest_picks, shown_seeds
from tests.report.world import CLASSES, DEBUG_NAMES


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


def test_seeds_come_from_every_debug_class_in_turn(world, params):
    seeds = shown_seeds(Inputs(world, params, DEBUG_NAMES))
    assert [seed.label for seed in seeds] == [0, 0, 2, 2, 3, 3]
    assert len({seed.image_id for seed in seeds}) == 6
    assert all(seed.predicted != seed.label for seed in seeds)


def test_picks_are_debug_train_and_nearest_first(world, params):
    inputs = Inputs(world, params, DEBUG_NAMES)
    for seed in shown_seeds(inputs):
        picks = nearest_picks(inputs, "original", seed)
        assert not picks["image_id"].isin(inputs.deval["image_id"]).any()
        assert picks["rank"].is_monotonic_increasing
        assert (inputs.pool.ids[picks["row"]] == picks["image_id"]).all()


def test_words_in_a_drawing_are_escaped_and_not_mathematics():
    with drawing(1, 1, (2.0, 2.0)) as (figure, axes):
        axes[0].set_title("<b>$x & y$</b>")
        text = svg(figure, "one", 'a "drawing"')
    assert "&lt;b&gt;$x &amp; y$&lt;/b&gt;" in text
    assert "<b>" not in text
    assert 'aria-label="a &#34;drawing&#34;"' in text


def test_two_drawings_share_no_id():
    parts = []
    for name in ("one", "two"):
        with drawing(1, 1, (2.0, 2.0)) as (figure, axes):
            axes[0].plot([0, 1], [0, 1], "o")
            parts.append(svg(figure, name, name))
    ids = [set(part.split(' id="')[1:]) for part in parts]
    assert ids[0]
    assert not {item.partition('"')[0] for item in ids[0]} & {item.partition('"')[0] for item in ids[1]}


def test_a_debug_class_without_failures_counts_all_the_same(world, params):
    every = Inputs(world, params, CLASSES)
    assert set(every.failures["class"]) < set(range(len(CLASSES)))
    assert every.debug_classes == list(range(len(CLASSES)))
    assert Inputs(world, params, [CLASSES[1], CLASSES[0]]).debug_classes == [0, 1]
