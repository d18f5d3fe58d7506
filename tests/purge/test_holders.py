"""What holds a photo, judged from records of runs and the content of objects."""

import hashlib
import json

import pytest

from debugset.purge.history import Record
from debugset.purge.holders import find_holders
from tests.purge.project import GONE, KEPT, parquet


class Objects(dict):
    """Objects by names of their own, in place of the MD5 of their content."""

    def read(self, name):
        return self.get(name)

    def folder(self, name, **files):
        """Add the list of a folder: relative path -> object; return its name."""
        listed = [{"relpath": path, "md5": object} for path, object in files.items()]
        self[f"{name}.dir"] = json.dumps(listed).encode()
        return f"{name}.dir"


def record(deps=None, outs=None):
    return Record("run", tuple((deps or {}).items()), tuple(outs.items()))


@pytest.fixture
def objects():
    """A pool with the photo in one of two shards, and one without it, of which a shard is the same."""
    objects = Objects()
    objects["manifest"] = parquet(id=[KEPT, GONE], shard=["a.tar", "b.tar"], copy_of=["", ""])
    objects.folder("pool", **{"manifest.parquet": "manifest", "a.tar": "a", "b.tar": "b"})
    objects["clean manifest"] = parquet(id=[KEPT], shard=["a.tar"], copy_of=[GONE])
    objects.folder("clean pool", **{"manifest.parquet": "clean manifest", "a.tar": "a"})
    return objects


SCRAPE = record(outs={"data/pool": "pool.dir"})
CLEAN_SCRAPE = record(outs={"data/pool": "clean pool.dir"})
POOL = {"manifest": "manifest", "b": "shard", "pool.dir": "folder"}


def held(objects, *records, ids=(GONE,)):
    return {md5: holder.kind for md5, holder in find_holders(records, ids, objects.read).items()}


def test_an_image_set_holds_it_in_manifest_and_one_shard(objects):
    assert held(objects, SCRAPE) == POOL
    holder = find_holders([SCRAPE], [GONE], objects.read)["b"]
    assert (holder.path, holder.tops) == ("data/pool/b.tar", {"pool.dir"})


def test_a_copy_that_names_its_original_does_not_hold_it(objects):
    assert held(objects, CLEAN_SCRAPE) == {}


@pytest.mark.parametrize("path", ["data/world", "data/sets/train", "data/attributed"])
def test_what_nobody_collected_is_not_ours(objects, path):
    objects["table"] = parquet(id=[GONE])
    assert held(objects, record(outs={path: "pool.dir"}), record({path: "pool.dir"}, {"report": "page"})) == {}
    assert held(objects, record(outs={path: objects.folder("tables", **{"table.parquet": "table"})})) == {}


def test_what_came_of_what_nobody_collected_stays_with_it(objects):
    """The world's files vouch as any clean run's do: what is made of the photo may equal one of them."""
    objects.folder("world", **{"colours.csv": "colours"})
    prepare = record(outs={"data/world": "world.dir"})
    assert held(objects, prepare, SCRAPE, record({"data/pool": "pool.dir"}, {"data/c.csv": "colours"})) == POOL


def test_a_run_that_wrote_it_loses_all_but_the_clean_shards_of_its_pool(objects):
    objects |= {"photos": parquet(id=[GONE]), "lost table": None}
    outs = {"data/photos.parquet": "photos", "data/scrape.json": "counts", "data/lost.parquet": "lost table"}
    scrape = record({"data/world": "world.dir"}, {"data/pool": "pool.dir", **outs})
    lost = {"photos": "table", "counts": "derived", "lost table": "derived"}
    assert held(objects, scrape) == POOL | lost
    alone = record(outs={"data/pool": "clean pool.dir", **outs})
    assert held(objects, alone) == lost


PICK = record({"data/pool": "pool.dir"}, {"data/picks/robust.parquet": "picks"})
CLEAN_PICK = record({"data/pool": "clean pool.dir"}, {"data/picks/robust.parquet": "clean picks"})


@pytest.fixture
def picked(objects):
    """That photo's pool and picks, of which the table does not say it; and models that were trained on them."""
    objects |= {"picks": parquet(seed_set=["test"], image_id=[KEPT]), "clean picks": parquet(seed_set=[], image_id=[])}
    objects.folder("model", **{"1/model.safetensors": "weights", "1/classes.json": "classes"})
    objects.folder("clean model", **{"1/model.safetensors": "clean weights", "1/classes.json": "classes"})
    return objects


def test_what_was_made_of_it_goes_stage_by_stage(picked):
    train = record({"data/picks/robust.parquet": "picks"}, {"models/variants/dcd-robust": "model.dir"})
    evaluate = record({"models/variants/dcd-robust": "model.dir"}, {"data/evaluation/accuracy.parquet": "accuracy"})
    made = {"picks": "derived", "weights": "derived", "classes": "derived", "model.dir": "folder"}
    assert held(picked, evaluate, train, PICK, SCRAPE) == POOL | made | {"accuracy": "derived"}


def test_what_a_run_without_it_wrote_too_stays_and_so_does_what_follows(picked):
    train = record({"data/picks/robust.parquet": "picks"}, {"models/variants/dcd-robust": "model.dir"})
    again = record({"data/picks/robust.parquet": "clean picks"}, {"models/variants/dcd-robust": "clean model.dir"})
    made = {"picks": "derived", "weights": "derived", "model.dir": "folder"}
    assert held(picked, SCRAPE, PICK, train, CLEAN_SCRAPE, CLEAN_PICK, again) == POOL | made
    same = record({"data/pool": "clean pool.dir"}, {"data/picks/robust.parquet": "picks"})
    assert held(picked, SCRAPE, PICK, train, CLEAN_SCRAPE, same) == POOL


def test_a_run_vouches_for_nothing_that_comes_of_a_run_with_it(picked):
    """The same model by two ways: from the photo, and from what only a run with the photo made."""
    train = record({"data/pool": "pool.dir"}, {"models/variants/complete": "model.dir"})
    copy = record({"data/picks/robust.parquet": "picks"}, {"models/variants/complete": "model.dir"})
    found = held(picked, SCRAPE, CLEAN_SCRAPE, train, copy, PICK)
    assert found["weights"] == "derived"


def test_a_model_without_the_pool_stays(picked):
    retrain = record({"data/sets/train": "train.dir"}, {"models/variants/retrain": "model.dir"})
    assert held(picked, SCRAPE, retrain) == POOL


def test_a_run_whose_pool_is_lost_vouches_for_nothing(objects):
    draw = record({"data/pool": "pool.dir"}, {"plots/a.png": "chart"})
    assert "chart" not in held(objects, SCRAPE, draw, record({"data/pool": "clean pool.dir"}, {"plots/a.png": "chart"}))
    unknown = record({"data/pool": "lost.dir"}, {"plots/a.png": "chart"})
    assert held(objects, SCRAPE, draw, unknown) == POOL | {"chart": "derived"}
    assert held(objects, unknown) == {}


def test_a_pool_that_only_a_later_stage_s_record_names_is_looked_into(objects):
    draw = record({"data/pool": "pool.dir"}, {"plots/a.png": "chart"})
    assert held(objects, draw, CLEAN_SCRAPE) == POOL | {"chart": "derived"}


def folder_md5(**files):
    """A folder's MD5 as DVC reckons it."""
    listed = [{"md5": md5, "relpath": path} for path, md5 in sorted(files.items())]
    return hashlib.md5(json.dumps(listed).encode()).hexdigest() + ".dir"


@pytest.mark.parametrize(("inner", "lost"), [("pool", True), ("diagnosis", False), ("pool/deep", False)])
def test_a_stage_that_reads_a_folder_inside_an_out_is_followed(objects, inner, lost):
    files = {"pool/b.npy": "b1", "pool/a.npy": "a1", "pool/deep/c.npy": "c1", "diagnosis/0.npy": "d1"}
    objects.folder("features", **files)
    objects.folder("clean features", **{path: md5 for path, md5 in files.items() if md5 != "b1"})
    embed = record({"data/pool": "pool.dir"}, {"data/features/robust": "features.dir"})
    again = record({"data/pool": "clean pool.dir"}, {"data/features/robust": "clean features.dir"})
    inside = {path.removeprefix(f"{inner}/"): md5 for path, md5 in files.items() if path.startswith(f"{inner}/")}
    read = record({f"data/features/robust/{inner}": folder_md5(**inside)}, {"data/near.csv": "near"})
    embedded = POOL | {"b1": "derived", "features.dir": "folder"}
    assert held(objects, SCRAPE, embed, CLEAN_SCRAPE, again, read) == embedded | ({"near": "derived"} if lost else {})


def test_what_is_nowhere_is_passed_over(objects):
    del objects["pool.dir"]
    assert held(objects, SCRAPE, record(outs={"data/photos.parquet": "lost"})) == {}
