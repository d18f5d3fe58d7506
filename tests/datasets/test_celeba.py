"""CelebA where it lies: the right faces with the right attributes, clipped boxes, clear lines for other copies."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from debugset.datasets import collection
from debugset.datasets.celeba import (
    CelebAParams,
    crop_areas,
    cut_face,
    draw_names,
    find_photo_folder,
    read_annotations,
    read_records,
)
from debugset.images.sets import open_set, read_attributes, write_set
from tests.datasets.tiny import decoded

NAMES = ("5_o_Clock_Shadow", "Attractive", "Wearing_Lipstick")
WIDTH, HEIGHT = 120, 100
ROWS = {  # attributes, box and partition; rows are not in the order of names
    "000002.jpg": ((-1, 1, 1), (20, 10, 40, 40), 0),
    "000001.jpg": ((1, -1, -1), (0, 0, 60, 30), 0),
    "000003.jpg": ((1, 1, 1), (30, 30, 40, 40), 1),
    "000005.jpg": ((1, 1, -1), (90, -20, 80, 60), 2),  # 90 to 120 and 0 to 40 are inside
    "000004.jpg": ((-1, -1, 1), (10, 50, 64, 32), 2),
    "000006.jpg": ((-1, -1, -1), (0, 0, 0, 0), 0),
    "000007.jpg": ((-1, 1, -1), (WIDTH, 10, 40, 40), 0),  # wholly outside
    "000008.jpg": ((1, -1, 1), (10, 20, 50, 50), 0),
}
PARAMS = CelebAParams(source="celeba", train=None, test=None, random_state=0, side=20, margin=0.0)
LISTS = {
    "attr": "Anno/list_attr_celeba.txt",
    "bbox": "Anno/list_bbox_celeba.txt",
    "eval": "Eval/list_eval_partition.txt",
}


def photo(number):
    """A photo whose red tells the column, green the row and blue which photo it is."""
    column, row = np.meshgrid(2 * np.arange(WIDTH), 2 * np.arange(HEIGHT))
    return np.stack([column, row, np.full_like(row, 20 * number)], -1).astype(np.uint8)


def write_lists(root, rows=ROWS):
    texts = {
        "attr": [f"{len(rows)}", " ".join(NAMES) + " "],
        "bbox": [f"{len(rows)}", "image_id x_1 y_1 width height"],
        "eval": [],
    }
    for name, (values, box, part) in rows.items():
        texts["attr"].append(f"{name} " + " ".join(f"{value:2}" for value in values))
        texts["bbox"].append(f"{name}    " + " ".join(f"{value:3}" for value in box))
        texts["eval"].append(f"{name} {part}")
    for key, lines in texts.items():
        (root / LISTS[key]).parent.mkdir(parents=True, exist_ok=True)
        (root / LISTS[key]).write_text("\n".join(lines) + "\n")


@pytest.fixture
def root(tmp_path):
    """CelebA's official layout."""
    root = tmp_path / "celeba"
    write_lists(root)
    (root / "Img" / "img_celeba").mkdir(parents=True)
    for name in ROWS:
        file = root / "Img" / "img_celeba" / name
        Image.fromarray(photo(int(name[:6]))).save(file, "JPEG", quality=95, subsampling=0)
    return root


def written(folder, name, params, root):
    found, dropped = read_records(name, params, root)
    folder.mkdir()
    write_set(folder, found, ["face"])
    return open_set(folder), dropped


def test_a_set_holds_its_partition_with_attributes_by_name(root, tmp_path):
    train, dropped = written(tmp_path / "train", "train", PARAMS, root)
    assert dropped == 2
    assert list(train.ids) == ["000001", "000002", "000008"]
    wanted = pd.DataFrame([[1, -1, -1], [-1, 1, 1], [1, -1, 1]], columns=NAMES, dtype="float32")
    pd.testing.assert_frame_equal(read_attributes(train), wanted)
    assert train.labels.tolist() == [0, 0, 0]
    blue = train.pixels(range(3), 20)[..., 2].mean((1, 2))
    np.testing.assert_allclose(blue, [20, 40, 160], atol=2)

    test, dropped = written(tmp_path / "test", "test", PARAMS, root)
    assert dropped == 0
    assert list(test.ids) == ["000004", "000005"]
    assert read_attributes(test).to_numpy().tolist() == [[-1, -1, 1], [1, 1, -1]]
    assert test.manifest[["width", "height"]].to_numpy().tolist() == [[20, 20], [20, 20]]


@pytest.mark.parametrize(("row", "left", "top", "width", "height"), [(0, 10, 50, 64, 32), (1, 90, 0, 30, 40)])
def test_a_crop_shows_its_box_clipped_to_the_photo(root, tmp_path, row, left, top, width, height):
    test, _ = written(tmp_path / "test", "test", PARAMS, root)
    pixels = test.pixels([row], 20)[0].astype(float)
    centres = (np.arange(20) + 0.5) / 20  # where in the box each pixel of the crop lies
    inner = slice(2, -2)  # at its ends the filter sees one side only
    np.testing.assert_allclose(pixels[:, :, 0].mean(0)[inner], 2 * (left + centres * width - 0.5)[inner], atol=2)
    np.testing.assert_allclose(pixels[:, :, 1].mean(1)[inner], 2 * (top + centres * height - 0.5)[inner], atol=2)


def test_a_crop_sees_nothing_outside_its_area(tmp_path):
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[10:30, 10:30] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert decoded(cut_face(tmp_path / "a.png", (10, 10, 30, 30), 5)).min() >= 254


def test_a_large_face_shrinks_as_in_one_step(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    large = Image.fromarray(noise).resize((600, 600), Image.Resampling.BICUBIC)
    large.save(tmp_path / "a.png")
    one_step = decoded(collection.jpeg_file(large.resize((40, 40), Image.Resampling.BILINEAR))).astype(float)
    assert np.abs(decoded(cut_face(tmp_path / "a.png", (0, 0, 600, 600), 40)) - one_step).mean() < 1


def test_margins_are_added_on_each_side_and_clipped():
    boxes = np.array(
        [[20, 10, 40, 30], [0, 0, 10, 10], [90, 80, 30, 20], [119, 99, 1, 1], [30, 30, 5, 0], [30, 30, -5, 5]]
    )
    sizes = np.tile([WIDTH, HEIGHT], (len(boxes), 1))
    areas, kept = crop_areas(boxes, sizes, 0.1)
    assert areas[:3].tolist() == [[16, 7, 64, 43], [0, 0, 11, 11], [87, 78, 120, 100]]
    assert kept.tolist() == [True, True, True, True, False, False]
    areas, _ = crop_areas(boxes, sizes, 0.0)
    assert areas[:4].tolist() == [[20, 10, 60, 40], [0, 0, 10, 10], [90, 80, 120, 100], [119, 99, 120, 100]]


def test_a_box_outside_is_dropped_though_its_margin_reaches_inside():
    boxes = np.array([[-20, 10, 20, 20], [10, HEIGHT, 20, 20], [-20, 10, 21, 20]])
    _, kept = crop_areas(boxes, np.tile([WIDTH, HEIGHT], (3, 1)), 1.0)
    assert kept.tolist() == [False, False, True]


def test_each_photo_is_clipped_by_its_own_size():
    areas, kept = crop_areas(np.array([[5, 5, 50, 50], [5, 5, 50, 50]]), np.array([[30, 100], [100, 20]]), 0.0)
    assert areas.tolist() == [[5, 5, 30, 55], [5, 5, 55, 20]]
    assert kept.all()


def test_a_number_draws_a_nested_seeded_part():
    names = [f"{number:06d}.jpg" for number in range(60)]
    partition = pd.Series([0, 1, 2] * 20, index=pd.Index(names, dtype=object))

    def draw(name="train", **changes):
        return draw_names(name, PARAMS.model_copy(update=changes), partition)

    ten = draw(train=10)
    assert ten == sorted(ten) == draw(train=10)
    assert len(ten) == 10 and set(ten) < set(draw(train=15)) < set(draw())
    assert draw() == names[::3] == draw(train=20)
    assert ten != draw(train=10, random_state=1)
    assert ten != names[::3][:10]  # identities come in no order, but nobody promises that
    assert set(draw("test", train=1, test=7)) < set(names[2::3])
    with pytest.raises(ValueError, match="train: 21 images asked for, but CelebA has 20; lower it, or null"):
        draw(train=21)


def test_dropped_images_come_off_the_number(root):
    found, dropped = read_records("train", PARAMS.model_copy(update={"train": 5}), root)
    assert (len(list(found)), dropped) == (3, 2)


def test_shards_are_filled_in_the_order_of_ids(root, tmp_path, monkeypatch):
    monkeypatch.setattr(collection, "IMAGES_PER_SHARD", 2)
    train, _ = written(tmp_path / "train", "train", PARAMS, root)
    assert train.manifest["shard"].tolist() == ["00000.tar", "00000.tar", "00001.tar"]
    assert [int(row[0, 0, 2]) for row in train.pixels(range(3), 20)] == pytest.approx([20, 40, 160], abs=2)


def test_content_is_read_when_it_is_asked_for(root):
    found, _ = read_records("test", PARAMS, root)
    (_, first), (record, second) = found
    assert record == {
        "id": "000005", "label": 0, "shard": "00000.tar", "extension": "jpg",
        "attribute:5_o_Clock_Shadow": 1, "attribute:Attractive": 1, "attribute:Wearing_Lipstick": -1,
    }  # fmt: skip
    assert second() == second()
    file = root / "Img" / "img_celeba" / "000004.jpg"
    file.write_bytes(file.read_bytes()[:700])
    with pytest.raises(ValueError, match=r"000004\.jpg: not a readable image; restore the file"):
        first()
    file.unlink()
    with pytest.raises(ValueError, match=r"000004\.jpg: no such file; restore the file"):
        first()


@pytest.mark.parametrize(("content", "message"), [(None, "no such file"), (b"<html>", "not a readable image")])
def test_a_photo_that_is_missing_or_no_image_is_named_at_once(root, content, message):
    file = root / "Img" / "img_celeba" / "000005.jpg"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"000005\.jpg: {message}; restore"):
        read_records("test", PARAMS, root)
    read_records("train", PARAMS, root)  # which does not need it


@pytest.mark.parametrize(("mode", "colour"), [("L", 90), ("CMYK", (165, 165, 165, 0))])
def test_a_photo_of_another_kind_becomes_rgb(tmp_path, mode, colour):
    Image.new(mode, (WIDTH, HEIGHT), colour).save(tmp_path / "a.jpg", quality=95)
    (tmp_path / "b.jpg").write_bytes(cut_face(tmp_path / "a.jpg", (0, 0, 50, 50), 20))
    crop = Image.open(tmp_path / "b.jpg")
    assert crop.mode == "RGB"
    np.testing.assert_allclose(np.asarray(crop), 90, atol=2)


def test_everything_may_lie_flat_in_the_root(root, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for place in [*LISTS.values(), "Img/img_celeba"]:
        shutil.move(root / place, flat / place.rpartition("/")[2])
    found, _ = read_records("test", PARAMS, flat)
    assert [record["id"] for record, _ in found] == ["000004", "000005"]


def test_lists_in_another_order_are_matched_by_name(root):
    before = read_annotations(root)
    path = root / LISTS["bbox"]
    header, rows = path.read_text().splitlines()[:2], path.read_text().splitlines()[2:]
    path.write_text("\r\n".join([*header, *reversed(rows), "", ""]))
    after = read_annotations(root)
    assert list(after.boxes.index) == sorted(ROWS) == list(after.attributes.index) == list(after.partition.index)
    assert after.boxes.loc["000004.jpg"].tolist() == [10, 50, 64, 32]
    for one, other in zip(before, after, strict=True):
        assert one.equals(other)


def change_line(root, key, line, text):
    path = root / LISTS[key]
    lines = path.read_text().splitlines()
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("key", "line", "text", "message"),
    [
        ("attr", 1, "9", "line 1: says 9 images, but 8 rows follow"),
        ("bbox", 10, None, "line 1: says 8 images, but 7 rows follow"),
        ("attr", 1, "# CelebA", "line 1: expected the number of images, got '# CelebA'"),
        ("attr", 2, "Attractive Attractive Young", "line 2: expected the columns' names, each once"),
        ("bbox", 2, "image_id x_1 y_1 x_2 y_2", "line 2: expected the columns image_id x_1 y_1 width height"),
        ("attr", 4, "000001.jpg  1 0 -1", "line 4: Attractive is 0 instead of -1 or 1"),
        ("attr", 4, "000001.jpg  1 -1", "line 4: expected a file name and 3 numbers, got 2"),
        ("attr", 4, "", "line 4: expected a file name and 3 numbers, got 0"),
        ("bbox", 5, "000003.jpg 30 30 40 40.5", "line 5: expected whole numbers behind the file name"),
        ("attr", 5, "000001.jpg  1 -1 -1", "line 5: 000001.jpg comes a second time"),
        ("attr", 5, "000009.jpg  1 -1 -1", "line 5: 000009.jpg is not in list_bbox_celeba.txt"),
        ("eval", 3, "000009.jpg 0", "line 5: 000003.jpg is not in list_eval_partition.txt"),
        ("eval", 8, "000008.jpg 0\n000009.jpg 0", "line 9: 000009.jpg is not in list_attr_celeba.txt"),
        ("eval", 2, "000001.jpg 3", "line 2: partition is 3 instead of 0 or 1 or 2"),
    ],
)
def test_a_wrong_list_is_named_by_file_and_line(root, key, line, text, message):
    change_line(root, key, line, text)
    with pytest.raises(ValueError, match=r"fetch CelebA's lists anew") as caught:
        read_records("train", PARAMS, root)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    at_fault = "attr" if "000003.jpg is not" in message else key  # where the image is named that others lack
    assert str(caught.value).startswith(f"{root / LISTS[at_fault]}, line")


@pytest.mark.parametrize("key", LISTS)
def test_a_missing_list_is_named(root, key):
    (root / LISTS[key]).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{LISTS[key]} \(or list_.*\): no such file.*CELEBA_ROOT"):
        read_records("train", PARAMS, root)


@pytest.mark.parametrize("aligned", ["Img/img_align_celeba", "img_align_celeba"])
def test_aligned_photos_are_refused(root, aligned):
    shutil.move(root / "Img" / "img_celeba", root / aligned)
    with pytest.raises(
        FileNotFoundError, match=rf"{aligned}: these are the aligned photos, but the boxes .*img_celeba"
    ):
        read_records("train", PARAMS, root)
    shutil.rmtree(root / aligned)
    with pytest.raises(FileNotFoundError, match=r"Img/img_celeba \(or img_celeba\): no such file or folder"):
        find_photo_folder(root)


@pytest.mark.parametrize(
    "change", [{"margin": -0.1}, {"side": 0}, {"train": 0}, {"random_state": -1}, {"source": "sun"}]
)
def test_params_out_of_range_are_refused(change):
    with pytest.raises(ValidationError):
        CelebAParams(**{**PARAMS.model_dump(), **change})
