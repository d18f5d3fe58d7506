"""What holds a photo, judged from records of runs and the content of objects."""

import hashlib
import io
import json

import pandas as pd
import pytest

from debugset.purge.content import table_names, text_names
from debugset.purge.holders import find_holders
from debugset.purge.versions import Record

GONE, KEPT = "5000000002", "5000000001"


class Objects(dict):
    """Objects by names of their own, in place of the MD5 of their content."""

    def read(self, name):
        return self.get(name)

    def folder(self, name, **files):
        """Add the list of a folder: relative path -> object; return its name."""
        listed = [{"relpath": path, "md5": object} for path, object in files.items()]
        self[f"{name}.dir"] = json.dumps(listed).encode()
        return f"{name}.dir"


def parquet(**columns):
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


def record(deps=None, outs=None):
    return Record("run", tuple((deps or {}).items()), tuple(outs.items()))


@pytest.fixture
def objects():
    """A pool with the photo in one of two shards, its filter's verdict and picks."""
    found = Objects()
    ids, shards = [KEPT, GONE], ["a.tar", "b.tar"]
    found["manifest"] = parquet(id=ids, shard=shards, copy_of=["", ""])
    found.folder("pool", **{"manifest.parquet": "manifest", "a.tar": "a", "b.tar": "b"})
    found["keep"] = parquet(image_id=ids, keep=[True, True])
    found.folder("dedup", **{"keep.parquet": "keep"})
    found["picks"] = parquet(role=["train"], image_id=[KEPT])
    return found


SCRAPE = record(outs={"data/pool": "pool.dir"})


def held(objects, *records, ids=(GONE,)):
    return {name: found.kind for name, found in find_holders(records, ids, objects.read).items()}


def test_an_image_set_holds_it_in_manifest_and_one_shard(objects):
    assert held(objects, SCRAPE) == {"manifest": "manifest", "b": "shard", "pool.dir": "folder"}


def test_a_copy_that_names_its_original_does_not_hold_it(objects):
    objects["manifest"] = parquet(id=[KEPT], shard=["a.tar"], copy_of=[GONE])
    assert held(objects, SCRAPE) == {}


def test_the_simulator_s_world_is_not_ours(objects):
    assert held(objects, record(outs={"data/world": "pool.dir"})) == {}


def test_features_hold_it_in_the_array_of_its_shard(objects):
    objects["json"] = json.dumps({"manifest_sha256": hashlib.sha256(objects["manifest"]).hexdigest()}).encode()
    objects["other"] = json.dumps({"manifest_sha256": "0" * 64}).encode()
    new = objects.folder("new", **{"pool.json": "json", "pool/a.npy": "a1", "pool/b.npy": "b1", "test/b.npy": "b2"})
    old = objects.folder("old", **{"pool.json": "json", "pool.npy": "all", "test.json": "other", "test.npy": "none"})
    found = held(objects, SCRAPE, record(outs={"data/features/x": new}), record(outs={"data/features/y": old}))
    rest = {name: kind for name, kind in found.items() if name not in held(objects, SCRAPE)}
    assert rest == {"b1": "features", "new.dir": "folder", "all": "features of a set", "old.dir": "folder"}


@pytest.mark.parametrize(
    ("variant", "keep", "picked", "trained"),
    [
        ("dcd-robust", True, {"role": ["train"], "image_id": [GONE]}, True),
        ("dcd-robust", True, {"role": ["deval"], "image_id": [GONE]}, False),
        ("dcd-robust", True, {"role": ["train"], "image_id": [KEPT]}, False),
        ("complete", True, {"role": ["train"], "image_id": [KEPT]}, True),
        ("random", True, {"role": ["train"], "image_id": [KEPT]}, True),
        ("complete", False, {"role": ["train"], "image_id": [KEPT]}, False),
        ("complete", True, {"role": ["deval"], "image_id": [GONE]}, False),
        ("complete", None, {"role": ["train"], "image_id": [KEPT]}, True),
        ("dcd-robust", True, None, True),
    ],
)
def test_a_model_holds_it_if_it_was_trained_on_it(objects, variant, keep, picked, trained):
    objects |= {"keep": parquet(image_id=[GONE], keep=[keep]), "picks": parquet(**(picked or {"role": []}))}
    for name, lost in (("keep", keep is None), ("picks", picked is None)):
        if lost:
            del objects[name]
    model = objects.folder("model", **{"1/model.safetensors": "weights"})
    deps = {"data/pool": "pool.dir", "data/dedup": "dedup.dir", "data/picks/x.parquet": "picks"}
    judge = [SCRAPE, record(outs={"data/dedup": "dedup.dir"}), record(deps, {f"models/variants/{variant}": model})]
    assert (held(objects, *judge).get("weights") == "model") is trained


def test_a_model_without_the_pool_stays(objects):
    model = objects.folder("model", **{"1/model.safetensors": "weights"})
    retrain = record({"data/sets/train": "train.dir"}, {"models/variants/retrain": model})
    assert "weights" not in held(objects, SCRAPE, retrain)


def test_a_picture_drawn_from_the_pool_holds_it_unless_a_run_without_the_photo_drew_it_too(objects):
    objects["clean"] = parquet(id=[KEPT], shard=["a.tar"])
    clean = objects.folder("clean_pool", **{"manifest.parquet": "clean"})
    drawn = record({"data/pool": "pool.dir"}, {"report/index.html": "page", "plots/a.png": "chart", "m.json": "text"})
    objects |= {"page": b"images", "chart": b"bars", "text": b"{}"}
    found = held(objects, SCRAPE, drawn)
    assert (found.get("page"), found.get("chart"), found.get("text")) == ("picture", "picture", None)
    again = [record(outs={"data/pool": clean}), record({"data/pool": clean}, {"plots/a.png": "chart"})]
    assert {"page", "chart"} & held(objects, SCRAPE, drawn, *again).keys() == {"page"}
    unknown = record({"data/pool": "lost.dir"}, {"plots/a.png": "chart"})
    assert {"page", "chart"} <= held(objects, SCRAPE, drawn, record(outs={"data/pool": "lost.dir"}), unknown).keys()


def test_a_text_holds_it_only_beside_a_table_that_does(objects):
    objects |= {"page": f"<a href='/{GONE}/'>".encode(), "table": parquet(id=[GONE])}
    alone = record(outs={"data/a.html": "page"})
    assert held(objects, alone) == {}
    assert held(objects, record(outs={"data/a.html": "page", "data/photos.parquet": "table"})) == {
        "page": "text",
        "table": "table",
    }


def test_what_is_nowhere_is_passed_over(objects):
    del objects["pool.dir"]
    assert held(objects, SCRAPE, record(outs={"data/photos.parquet": "lost"})) == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"/{GONE}/", True),
        (f'"{GONE}"', True),
        (f"{GONE}.jpg", True),
        (f"1{GONE}", False),
        (f"{GONE}0", False),
        (f"x{GONE} {GONE},", True),
        ("", False),
    ],
)
def test_a_text_names_an_id_as_a_whole_word(text, named):
    assert text_names(text.encode(), [KEPT, GONE]) is named


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"id": [KEPT, GONE]}, True),
        ({"n": [1.0], "image_id": [GONE]}, True),
        ({"seed_id": [KEPT], "nearest_id": [GONE]}, True),
        ({"id": [KEPT], "title": [GONE], "tags": [GONE], "copy_of": [GONE]}, False),
        ({"id": pd.Categorical([GONE])}, True),
        ({"id": [f"{GONE}0"], "number": [int(GONE)]}, False),
        ({"id": []}, False),
    ],
)
def test_a_table_names_an_id_in_a_column_of_ids(columns, named):
    assert table_names(parquet(**columns), [GONE]) is named
