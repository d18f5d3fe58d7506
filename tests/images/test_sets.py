"""Image sets: what is written is read again, by any route, and equal content is equal bytes."""

import hashlib
import io
import pickle
import re
import tarfile
import tracemalloc
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from debugset.base.files import MEND, sha256
from debugset.images import sets
from debugset.images.sets import (
    COLUMNS,
    LOOSE_FILES_A_PART,
    MANIFEST,
    attribute_columns,
    open_set,
    read_attributes,
    read_manifest,
    write_manifest,
    write_set,
)
from tests.reference import sets as naive


def png(value, size=(6, 4)):
    file = io.BytesIO()
    Image.new("RGB", size, (value, 0, 255 - value)).save(file, "PNG")
    return file.getvalue()


def record(id_, label=0, shard="a.tar", **more):
    return {"id": id_, "label": label, "shard": shard, **more}


RECORDS = [
    (record("12", 1, title="boots, snow"), png(12)),
    (record("2", 0, title=""), png(2)),
    (record("30", 1, "b.tar", title="a boot"), png(30)),
]


@pytest.fixture
def images(tmp_path):
    write_set(tmp_path, RECORDS, ["bag", "boot"])
    return open_set(tmp_path)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_class_names_are_composed_however_they_were_written(tmp_path, form, monkeypatch):
    written = unicodedata.normalize(form, "caf\xe9")
    write_set(tmp_path, RECORDS, ["bag", written])
    assert open_set(tmp_path).classes == ("bag", "caf\xe9")
    (tmp_path / "older").mkdir()
    monkeypatch.setattr(sets, "composed", str)  # as earlier versions wrote it
    write_set(tmp_path / "older", [], ["bag", written])
    monkeypatch.undo()
    assert open_set(tmp_path / "older").classes == ("bag", "caf\xe9")


def test_a_set_is_read_as_it_was_written(images):
    assert len(images) == 3
    assert images.classes == ("bag", "boot")
    assert list(images.manifest.columns) == [*COLUMNS, "title"]
    assert list(images.ids) == [
        "12",
        "2",
        "30",
    ]  # sorted as text within a shard, shards in the order they came
    assert images.labels.tolist() == [1, 0, 1]
    assert list(images.manifest["title"]) == ["boots, snow", "", "a boot"]
    for row, value in enumerate([12, 2, 30]):
        assert images.read(row) == png(value)
        assert images.manifest["sha256"][row] == hashlib.sha256(png(value)).hexdigest()
        assert images.image(row).size == (6, 4)
    assert images.manifest[["width", "height"]].to_numpy().tolist() == [[6, 4]] * 3


def test_shards_are_plain_tars_without_clock_or_owner(images):
    with tarfile.open(images.folder / "a.tar") as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == ["12.png", "2.png"]
        assert all((member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "") for member in members)
        assert tar.extractfile("2.png").read() == png(2)


def test_equal_images_make_equal_bytes_in_any_order_within_a_shard(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    write_set(tmp_path / "one", RECORDS, ["bag", "boot"])
    write_set(tmp_path / "two", [RECORDS[1], RECORDS[0], RECORDS[2]], ["bag", "boot"])
    for name in (MANIFEST, "a.tar", "b.tar"):
        assert sha256(tmp_path / "one" / name) == sha256(tmp_path / "two" / name)


def later(content, read, id_):
    """A function that gives the content and notes the id."""

    def content_of():
        read.append(id_)
        return content

    return content_of


@pytest.mark.parametrize("streamed", [False, True])
def test_bytes_and_functions_write_what_the_naive_twin_writes(tmp_path, streamed):
    records = [
        (record(str(n), n % 2, f"{n // 7}.tar", title=f"image {n}", **({"extension": "jpg"} if n % 3 else {})), png(n))
        for n in range(20)
    ]
    (tmp_path / "naive").mkdir()
    rows = []
    for shard in range(3):
        of_shard = [pair for pair in records if pair[0]["shard"] == f"{shard}.tar"]
        rows += naive.write_shard(tmp_path / "naive" / f"{shard}.tar", of_shard)
    write_manifest(tmp_path / "naive", pd.DataFrame(rows), ["bag", "boot"])
    (tmp_path / "ours").mkdir()
    given = [(about, later(content, [], about["id"]) if streamed else content) for about, content in records]
    write_set(tmp_path / "ours", given, ["bag", "boot"])
    for name in (MANIFEST, "0.tar", "1.tar", "2.tar"):
        assert sha256(tmp_path / "ours" / name) == sha256(tmp_path / "naive" / name)


def test_a_file_is_asked_for_once_when_its_turn_comes(tmp_path):
    read, written_before = [], []

    def records():
        for id_, shard in (("12", "a.tar"), ("2", "a.tar"), ("100", "a.tar"), ("5", "b.tar")):
            written_before.append(len(read))
            yield record(id_, shard=shard), later(png(1), read, id_)

    write_set(tmp_path, records(), ["bag"])
    assert read == ["100", "12", "2", "5"]  # as members lie in the tars
    assert written_before == [0, 0, 0, 0]  # the shard's images are known before the first is read


def test_memory_holds_one_file_of_a_shard_at_a_time(tmp_path):
    size, count = 4_000_000, 8
    records = [
        (record(str(n), width=1, height=1), lambda n=n: bytes([n]) * size)  # made anew at each call
        for n in range(count)
    ]
    tracemalloc.start()
    write_set(tmp_path, records, ["bag"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < count * size / 2
    assert open_set(tmp_path).read(count - 1) == bytes([count - 1]) * size


def test_given_sides_are_not_read_from_the_image(tmp_path):
    write_set(tmp_path, [(record("1", width=60, height=40), lambda: png(1))], ["bag"])
    assert open_set(tmp_path).manifest[["width", "height"]].to_numpy().tolist() == [[60, 40]]


def test_any_rows_decode_to_one_size(images):
    pixels = images.pixels([2, 0], 8)
    assert pixels.shape == (2, 8, 8, 3)
    assert pixels.dtype == np.uint8
    assert (pixels[0] == (30, 0, 225)).all()
    assert (pixels[1] == (12, 0, 243)).all()


def test_ids_lead_to_rows(images):
    assert images.rows_of(["30", "12", "30"]).tolist() == [2, 0, 2]
    with pytest.raises(ValueError, match="'99' is not in this set"):
        images.rows_of(["12", "99"])


def test_a_pickled_set_reads_on(images):
    assert images.read(0) == png(12)
    assert pickle.loads(pickle.dumps(images)).read(2) == png(30)


@pytest.mark.parametrize(
    "content", [b"<html>", b"\x89PNG\r\n\x1a\n", b"GIF89a"], ids=["a page", "a PNG cut off", "a GIF"]
)
def test_an_image_that_cannot_be_decoded_is_named_with_its_file(images, content):
    row, size = 1, int(images.manifest["size"][1])
    with (images.folder / "a.tar").open("r+b") as file:
        file.seek(int(images.manifest["offset"][row]))
        file.write(content.ljust(size, b"\0")[:size])
    where = re.escape(f"{images.folder / 'a.tar'}: image {images.ids[row]} cannot be decoded; restore the file")
    with pytest.raises(OSError, match=f"^{where}$"):
        images.image(row)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PAR1 and more PAR1"])
def test_a_broken_manifest_is_named(images, content):
    (images.folder / MANIFEST).write_bytes(content)
    with pytest.raises(ValueError, match="not a manifest of images") as caught:
        open_set(images.folder)
    assert str(caught.value).startswith(f"{images.folder / MANIFEST}: not a manifest of images (")
    assert str(caught.value).endswith(f"); {MEND}")


def test_a_cut_shard_is_an_error_and_never_half_an_image(images):
    row = 1
    end = int(images.manifest["offset"][row] + images.manifest["size"][row])
    with (images.folder / "a.tar").open("r+b") as file:
        file.truncate(end - 1)
    with pytest.raises(OSError, match="cut short"):
        images.read(row)


def test_a_missing_set_names_the_mend(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the stage that writes it"):
        open_set(tmp_path / "nothing")


def test_a_manifest_without_a_column_is_named(tmp_path):
    pd.DataFrame({"id": ["1"], "label": [0]}).to_parquet(tmp_path / MANIFEST)
    with pytest.raises(ValueError, match="column `sha256` is missing"):
        open_set(tmp_path)


def test_an_id_that_comes_twice_is_named(tmp_path):
    with pytest.raises(ValueError, match="'12' comes twice"):
        write_set(tmp_path, [RECORDS[0], RECORDS[1], (record("12", shard="b.tar"), png(1))], ["bag", "boot"])


def test_a_shard_that_comes_back_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="must come together"):
        write_set(tmp_path, [RECORDS[0], RECORDS[2], RECORDS[1]], ["bag", "boot"])


def test_bytes_that_are_no_image_keep_the_size_that_they_are_given(tmp_path):
    write_set(tmp_path, [(record("1", -1, extension="jpg", width=0, height=0), b"broken")], ["bag"])
    images = open_set(tmp_path)
    assert images.read(0) == b"broken"
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getnames() == ["1.jpg"]


def test_an_empty_set_is_a_set(tmp_path):
    write_set(tmp_path, [], ["bag"])
    images = open_set(tmp_path)
    assert len(images) == 0
    assert images.labels.shape == (0,)
    assert images.pixels([], 4).shape == (0, 4, 4, 3)


def test_images_elsewhere_are_found_by_the_environment(tmp_path, monkeypatch):
    root, folder = tmp_path / "photos", tmp_path / "set"
    (root / "n01").mkdir(parents=True)
    folder.mkdir()
    (root / "n01" / "x.png").write_bytes(png(7))
    row = {"id": "x", "label": 0, "sha256": "", "width": 6, "height": 4}
    manifest = pd.DataFrame([row | {"shard": "n01/x.png", "offset": 0, "size": len(png(7))}])
    write_manifest(folder, manifest, ["bag"], root_variable="PHOTOS_ROOT")
    monkeypatch.delenv("PHOTOS_ROOT", raising=False)
    with pytest.raises(ValueError, match="PHOTOS_ROOT"):
        open_set(folder)
    monkeypatch.setenv("PHOTOS_ROOT", "")  # else it would be the working folder
    with pytest.raises(ValueError, match="PHOTOS_ROOT"):
        open_set(folder)
    monkeypatch.setenv("PHOTOS_ROOT", str(root))
    assert open_set(folder).read(0) == png(7)


def test_loose_files_are_read_from_threads_and_none_stays_open(tmp_path, monkeypatch):
    for n in range(200):
        (tmp_path / f"{n}.png").write_bytes(png(n))
    row = {"label": 0, "sha256": "", "width": 6, "height": 4, "offset": 0}
    rows = [row | {"id": str(n), "shard": f"{n}.png", "size": len(png(n))} for n in range(200)]
    (tmp_path / "set").mkdir()
    write_manifest(tmp_path / "set", pd.DataFrame(rows), ["bag"], root_variable="PHOTOS_ROOT")
    monkeypatch.setenv("PHOTOS_ROOT", str(tmp_path))
    images = open_set(tmp_path / "set")
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(images.read, range(200))) == [png(n) for n in range(200)]
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_a_loose_file_that_has_grown_is_an_error(tmp_path):
    (tmp_path / "1.png").write_bytes(png(1) + b"more")
    row = {"id": "1", "label": 0, "sha256": "", "width": 6, "height": 4, "shard": "1.png", "offset": 0}
    write_manifest(tmp_path, pd.DataFrame([row | {"size": len(png(1))}]), ["bag"])
    with pytest.raises(OSError, match=r"1\.png: image 1 "):
        open_set(tmp_path).read(0)


def test_a_manifest_is_read_for_itself(images):
    manifest = read_manifest(images.folder / MANIFEST)
    assert manifest.classes == ("bag", "boot")
    assert manifest.root_variable is None
    pd.testing.assert_frame_equal(manifest.rows, images.manifest)
    content = io.BytesIO((images.folder / MANIFEST).read_bytes())
    assert read_manifest(content).classes == ("bag", "boot")


def listed(images):
    return {name: rows.tolist() for name, rows in images.parts().items()}


def test_parts_are_shards_or_some_thousand_loose_files(tmp_path):
    (tmp_path / "tars").mkdir()
    write_set(tmp_path / "tars", [(record(f"{n}", shard=f"{n // 2}.tar"), png(n)) for n in range(5)], ["bag"])
    assert listed(open_set(tmp_path / "tars")) == {"0": [0, 1], "1": [2, 3], "2": [4]}
    manifest = open_set(tmp_path / "tars").manifest
    write_manifest(tmp_path / "tars", manifest.iloc[[4, 0, 2, 1, 3]].reset_index(drop=True), ["bag"])
    mixed = listed(open_set(tmp_path / "tars"))
    assert list(mixed.items()) == [("2", [0]), ("0", [1, 3]), ("1", [2, 4])]  # in the order they come
    (tmp_path / "loose").mkdir()
    row = {"label": 0, "sha256": "", "width": 6, "height": 4, "offset": 0, "size": 1}
    rows = [row | {"id": str(n), "shard": f"{n}.png"} for n in range(LOOSE_FILES_A_PART + 1)]
    write_manifest(tmp_path / "loose", pd.DataFrame(rows), ["bag"])
    parts = listed(open_set(tmp_path / "loose"))
    assert parts == {"00000": list(range(LOOSE_FILES_A_PART)), "00001": [LOOSE_FILES_A_PART]}
    (tmp_path / "none").mkdir()
    write_set(tmp_path / "none", [], ["bag"])
    assert open_set(tmp_path / "none").parts() == {}


def attributed(folder, table):
    """A set whose images have these attributes, and another column beside them."""
    records = [
        ({"id": f"{row:02d}", "label": 0, "shard": "0.tar", "note": "attribute", **shown}, png(0))
        for row, shown in enumerate(attribute_columns(table).to_dict("records"))
    ]
    write_set(folder, records, ("image",))
    return open_set(folder)


def test_attributes_come_back_in_their_order_whatever_their_names(tmp_path):
    table = pd.DataFrame({"label": [1, -1], "attribute:id": [-1, 1], "man-made": [1, 1], "note": [-1, -1]})
    images = attributed(tmp_path, table)
    found = read_attributes(images)
    assert found.columns.tolist() == table.columns.tolist()
    assert np.array_equal(found, table)
    assert set(found.dtypes) == {np.dtype("float32")}
    assert images.labels.tolist() == [0, 0]


def test_an_attribute_has_one_name_however_it_is_written(tmp_path):
    images = attributed(tmp_path, pd.DataFrame({"cafe\u0301": [1, -1], "sofa\u0308": [1, 1]}))
    assert read_attributes(images).columns.tolist() == ["caf\u00e9", "sof\u00e4"]


def test_a_name_that_comes_twice_in_two_forms_is_refused(tmp_path):
    images = attributed(tmp_path, pd.DataFrame({"cafe\u0301": [1, -1], "caf\u00e9": [1, 1]}))
    with pytest.raises(ValueError, match="attribute `caf\u00e9` has two columns; leave one out"):
        read_attributes(images)


def test_continuous_attributes_keep_their_values(tmp_path):
    table = pd.DataFrame({"hat": [0.25, -3.5, 0.0]})
    assert read_attributes(attributed(tmp_path, table))["hat"].tolist() == [0.25, -3.5, 0.0]


def test_the_order_of_the_images_is_the_manifest_s(tmp_path):
    images = attributed(tmp_path, pd.DataFrame({"hat": range(12)}))
    assert read_attributes(images)["hat"].tolist() == [int(id_) for id_ in images.ids]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_missing_value_is_named_with_its_image_and_attribute(tmp_path, bad):
    images = attributed(tmp_path, pd.DataFrame({"hat": [1.0, 1, -1], "bag": [1.0, bad, -1]}))
    with pytest.raises(ValueError, match="image '01' has no finite value of attribute `bag`"):
        read_attributes(images)


def test_a_set_without_attributes_has_none(tmp_path):
    assert read_attributes(attributed(tmp_path, pd.DataFrame(index=range(2)))).shape[1] == 0


def test_words_instead_of_numbers_are_named(tmp_path):
    images = attributed(tmp_path, pd.DataFrame({"hat": [1, -1], "bag": ["yes", "no"]}))
    with pytest.raises(ValueError, match="attribute `bag` holds no numbers; say \\+1 where it is there"):
        read_attributes(images)
