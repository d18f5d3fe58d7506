"""The SUN Attribute database where it lies: the paper's attributes, the right photos, clear lines for other copies."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError
from scipy.io import loadmat, savemat

from debugset.datasets.sun import (
    SunParams,
    cut_scene,
    image_ids,
    most_balanced,
    read_lists,
    read_records,
    split_rows,
    to_signs,
)
from debugset.images.sets import open_set, read_attributes, write_set

NAMES = ["sailing/ boating", "rock/stone", "natural light", "man-made"]
IMAGES = [
    "b/bar/sun_c.jpg", "a/abbey/sun_a.jpg", "a/abbey/sun_b.jpg",
    "u/underwater/ocean_deep/sun_d.jpg", "c/cave/sun_e.jpg", "c/cave/sun_f.jpg",
]  # fmt: skip
LABELS = np.array(
    [[1, 0, 1, 1], [1, 0, 2 / 3, 0], [1, 1, 0.5, 0], [1, 0, 1 / 3, 1], [1, 1, 0, 1], [0, 1, 1, 0]]
)  # positive: 5, 3, 3 (without the 0.5) and 3 of 6
PARAMS = SunParams(source="sun", attributes=2, test=0.34, random_state=0, side=20)


def cells(texts):
    column = np.empty((len(texts), 1), object)
    column[:, 0] = texts
    return column


def changed(row, column, value):
    labels = LABELS.copy()
    labels[row, column] = value
    return labels


def write_mats(root, names=NAMES, images=IMAGES, labels=LABELS):
    savemat(root / "attributes.mat", {"attributes": cells(names)}, do_compression=True)
    savemat(root / "images.mat", {"images": cells(images)})
    savemat(root / "attributeLabels_continuous.mat", {"labels_cv": labels})


def photo(number, width, height):
    """A photo whose red tells the column, green the row and blue which photo it is."""
    column, row = np.meshgrid(2 * np.arange(width), 2 * np.arange(height))
    return np.stack([column, row, np.full_like(row, 20 * number)], -1).astype(np.uint8)


@pytest.fixture
def root(tmp_path):
    """The database's official layout."""
    root = tmp_path / "sun"
    root.mkdir()
    write_mats(root)
    for number, image in enumerate(IMAGES):
        path = root / "images" / image
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(number, 120, 60)).save(path, "JPEG", quality=95, subsampling=0)
    return root


def written(folder, name, params, root):
    found, dropped = read_records(name, params, root)
    assert dropped == 0
    folder.mkdir()
    write_set(folder, found, ["scene"])
    return open_set(folder)


def test_the_mats_of_these_tests_load_as_matlab_s_do(root):
    loaded = loadmat(root / "attributes.mat")["attributes"]
    assert loaded.shape == (4, 1) and loaded.dtype == object
    assert loaded[0, 0].dtype.kind == "U" and loaded[0, 0].tolist() == ["sailing/ boating"]
    assert loadmat(root / "attributeLabels_continuous.mat")["labels_cv"].shape == (6, 4)


def test_the_sets_share_the_images_out_with_their_own_attributes(root, tmp_path):
    sets = {name: written(tmp_path / name, name, PARAMS, root) for name in ("train", "test")}
    assert {name: len(images) for name, images in sets.items()} == {"train": 4, "test": 2}
    row_of = {image[:-4].replace("/", "_"): row for row, image in enumerate(IMAGES)}
    assert set(sets["train"].ids) | set(sets["test"].ids) == set(row_of)
    for images in sets.values():
        assert list(images.ids) == sorted(images.ids)
        rows = [row_of[id_] for id_ in images.ids]
        wanted = np.where(LABELS[rows][:, [1, 2]] > 0.5, 1, -1)  # columns 1, 2 and 3 tie: the first two
        pd.testing.assert_frame_equal(
            read_attributes(images), pd.DataFrame(wanted, columns=["rock/stone", "natural light"], dtype="float32")
        )
        blue = images.pixels(range(len(images)), 20)[..., 2].mean((1, 2))
        np.testing.assert_allclose(blue, 20 * np.array(rows), atol=2)


@pytest.mark.parametrize("random_state", range(4))
def test_records_come_by_id_each_with_its_own_attributes(root, random_state):
    row_of = {image[:-4].replace("/", "_"): row for row, image in enumerate(IMAGES)}
    found, _ = read_records(
        "train", PARAMS.model_copy(update={"random_state": random_state, "attributes": 4, "test": 0.2}), root
    )
    shown = [record for record, _ in found]
    ids = [record["id"] for record in shown]
    assert len(ids) == 5 and ids == sorted(ids)  # while the file has b/bar first
    for record in shown:
        values = [record[f"attribute:{name}"] for name in NAMES]
        assert values == np.where(LABELS[row_of[record["id"]]] > 0.5, 1, -1).tolist()


def test_a_record_is_what_a_set_needs(root):
    found, _ = read_records("train", PARAMS.model_copy(update={"attributes": 1, "test": 0.17}), root)
    record, _content = next(found)
    assert list(record) == ["id", "label", "shard", "extension", "attribute:rock/stone"]
    assert record["label"] == 0 and record["shard"] == "00000.tar" and record["extension"] == "jpg"


@pytest.mark.parametrize(("width", "height", "left", "top"), [(120, 60, 30, 0), (60, 100, 0, 20), (60, 60, 0, 0)])
def test_a_photo_is_cut_to_the_square_at_its_centre(tmp_path, width, height, left, top):
    Image.fromarray(photo(3, width, height)).save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(cut_scene(tmp_path / "a.png", 20))
    pixels = np.asarray(Image.open(tmp_path / "b.jpg"), float)
    assert pixels.shape == (20, 20, 3)
    centres = (np.arange(20) + 0.5) * 3 - 0.5  # each pixel of the crop covers three of the photo
    inner = slice(1, -1)
    np.testing.assert_allclose(pixels[:, :, 0].mean(0)[inner], 2 * (left + centres)[inner], atol=2)
    np.testing.assert_allclose(pixels[:, :, 1].mean(1)[inner], 2 * (top + centres)[inner], atol=2)


def test_an_exact_half_is_negative():
    labels = np.array([[0.0, 1 / 3, 0.5, np.nextafter(0.5, 1), 2 / 3, 1.0]])
    assert to_signs(labels).tolist() == [[-1, -1, -1, 1, 1, 1]]


def naive_balanced(signs, count):
    """The rule word by word: repeatedly the first attribute with the smallest larger side."""
    left, taken = list(range(signs.shape[1])), []
    while len(taken) < count:
        best = None
        for column in left:
            positive = sum(1 for value in signs[:, column] if value > 0)
            larger = max(positive, len(signs) - positive)
            if best is None or larger < best[0]:
                best = (larger, column)
        taken.append(best[1])
        left.remove(best[1])
    return sorted(taken)


def test_the_best_balanced_attributes_are_taken_as_the_naive_rule_does():
    rng = np.random.default_rng(0)
    for _ in range(40):
        signs = np.where(rng.random((int(rng.integers(1, 9)), 12)) < rng.random(12), 1, -1).astype(np.int8)
        for count in (1, 5, 12):  # with so few images most attributes tie with others
            assert most_balanced(signs, count).tolist() == naive_balanced(signs, count)


def test_ties_go_to_the_first_of_the_file():
    signs = np.array([[1, 1, -1, 1], [1, -1, 1, -1]], np.int8)  # the last three are alike
    assert most_balanced(signs, 2).tolist() == [1, 2]
    assert most_balanced(-signs, 2).tolist() == [1, 2]
    with pytest.raises(ValueError, match="attributes: 5 asked for, but there are 4; lower it"):
        most_balanced(signs, 5)


def test_the_split_is_seeded_and_complete():
    def rows(name, **changes):
        return split_rows(name, PARAMS.model_copy(update=changes), 100).tolist()

    assert len(rows("test")) == 34
    assert sorted(rows("test") + rows("train")) == list(range(100))
    assert rows("test") == sorted(rows("test")) != list(range(34))
    assert rows("test") != rows("test", random_state=1)
    assert set(rows("test", test=0.1)) < set(rows("test"))
    for share in (0.001, 0.999):
        with pytest.raises(ValueError, match=f"test: {share} of 100 images leaves a set empty"):
            rows("test", test=share)


def test_ids_name_members_of_a_tar():
    assert image_ids(["a/abbey/sun_x.y.jpg", "u/under/deep/sun_z.jpg"]) == ["a_abbey_sun_x.y", "u_under_deep_sun_z"]
    with pytest.raises(ValueError, match=r"images\.mat: rows 1 and 3, a_b/c\.jpg, would both have the id a_b_c"):
        image_ids(["a/b/c.jpg", "d.jpg", "a_b/c.jpg"])
    for outside in ("/a/b.jpg", "a/../../b.jpg"):
        with pytest.raises(ValueError, match=rf"row 1, {outside}, is not below the folder"):
            image_ids([outside])


def test_the_lists_may_lie_in_their_archive_s_folder(root):
    before = read_lists(root)
    (root / "SUNAttributeDB").mkdir()
    for path in root.glob("*.mat"):
        shutil.move(path, root / "SUNAttributeDB")
    after = read_lists(root)
    assert before.attributes == after.attributes == NAMES
    assert before.images == after.images == IMAGES
    np.testing.assert_array_equal(after.labels, LABELS)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("attributes.mat", {"names": cells(NAMES)}, "there is no variable `attributes`"),
        (
            "attributes.mat",
            {"attributes": np.zeros((4, 1))},
            r"`attributes` is float64 of shape \(4, 1\) and no column",
        ),
        ("attributes.mat", {"attributes": np.array(["ab", "cd"])}, "no column of cells"),
        ("attributes.mat", {"attributes": cells(["a", 3.0, "c", "d"])}, "`attributes` row 2 is not one text"),
        ("attributes.mat", {"attributes": cells(["a", "b", "", "d"])}, "`attributes` row 3 is not one text"),
        ("attributes.mat", {"attributes": cells(["a", "b", "a", "d"])}, "`attributes` rows 1 and 3 are both 'a'"),
        ("images.mat", {"images": cells(IMAGES[:5])}, r"shape \(6, 4\), but there are 5 images and 4 attributes"),
        ("attributeLabels_continuous.mat", {"labels_cv": LABELS.T}, r"shape \(4, 6\), but there are 6 images and 4"),
        ("attributeLabels_continuous.mat", {"labels_cv": LABELS * 3}, r"row 1, column 1 is 3\.0 and not in \[0, 1\]"),
        ("attributeLabels_continuous.mat", {"labels_cv": changed(2, 1, -0.25)}, r"row 3, column 2 is -0\.25"),
        ("attributeLabels_continuous.mat", {"labels_cv": changed(5, 3, np.nan)}, "row 6, column 4 is nan"),
    ],
)
def test_a_wrong_list_is_named(root, file, content, message):
    savemat(root / file, content)
    with pytest.raises(ValueError, match=message) as caught:
        read_records("train", PARAMS, root)
    shown = "attributeLabels_continuous.mat" if "5 images" in message else file  # the counts meet there
    assert str(caught.value).startswith(f"{root / shown}: ")
    assert str(caught.value).endswith("; fetch SUNAttributeDB anew") and "\n" not in str(caught.value)


def test_hdf5_is_named(root):
    path = root / "images.mat"
    content = bytearray(path.read_bytes())
    content[124:126] = b"\x00\x02"  # the header's version, as Matlab 7.3 writes it
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"images\.mat: a Matlab file of version 7\.3, which is HDF5; .*'-v7'"):
        read_lists(root)


@pytest.mark.parametrize("size", [0, 100, 200, -5])
def test_a_broken_mat_is_named(root, size):
    path = root / "attributes.mat"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(
        ValueError, match=r"attributes\.mat: not a readable Matlab file \(.*\); fetch SUNAttributeDB anew"
    ):
        read_lists(root)


@pytest.mark.parametrize("file", ["attributes.mat", "images.mat", "attributeLabels_continuous.mat"])
def test_a_missing_list_is_named(root, file):
    (root / file).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{file} \(or SUNAttributeDB/{file}\): .*SUN_ATTRIBUTE_ROOT"):
        read_records("train", PARAMS, root)


def test_missing_photos_are_named(root):
    for path in (root / "images").rglob("*.jpg"):
        path.unlink()
    found, _ = read_records("train", PARAMS, root)
    _, content = next(found)
    with pytest.raises(ValueError, match=r"images/./.*/sun_.\.jpg: no such file; restore the file"):
        content()
    shutil.rmtree(root / "images")
    with pytest.raises(
        FileNotFoundError, match="images: no such file or folder; restore it or correct SUN_ATTRIBUTE_ROOT"
    ):
        read_records("train", PARAMS, root)


def test_too_many_attributes_are_refused(root):
    with pytest.raises(ValueError, match="attributes: 24 asked for, but there are 4"):
        read_records("train", PARAMS.model_copy(update={"attributes": 24}), root)


@pytest.mark.parametrize("change", [{"test": 0.0}, {"test": 1.0}, {"attributes": 0}, {"side": 0}, {"source": "celeba"}])
def test_params_out_of_range_are_refused(change):
    with pytest.raises(ValidationError):
        SunParams(**{**PARAMS.model_dump(), **change})
