"""ImageNet where it lies: right labels, the heldout_source, portable manifests, clear lines for other layouts."""

import hashlib
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from debugset.base.files import sha256
from debugset.base.params import ParamsError
from debugset.cli.profiles import read
from debugset.datasets import imagenet
from debugset.datasets.imagenet import ImageNetParams
from debugset.datasets.sections import check_section
from debugset.images.sets import MANIFEST, open_set
from debugset.pool.params import ScrapeParams
from stages import prepare
from tests.pool.simulator.spoiled import bomb

# Twelve classes, so that folder 10 comes before folder 2 where names are sorted as text.
WORDS = {
    "n01530575": ("brambling", "Fringilla montifringilla"),
    "n01534433": ("junco", "snowbird"),
    "n01795545": ("black grouse",),
    "n01797886": ("ruffed grouse", "partridge", "Bonasa umbellus"),
    "n01807496": ("partridge",),
    "n02012849": ("crane",),
    "n02125311": ("cougar", "catamount"),
    "n02127052": ("lynx", "catamount"),
    "n02510455": ("giant panda", "panda"),
    "n03126707": ("crane",),
    "n03400231": ("frying pan", "frypan", "skillet"),
    "n04376876": ("syringe",),
}
WNIDS = tuple(WORDS)
PREPARE = {
    "source": "imagenet",
    "train": "ILSVRC/train",
    "test": "ILSVRC/val",
    "diagnosis": "ILSVRC/val",
    "releases": {"matched_frequency": "v2-matched", "threshold": "v2-threshold", "top_images": "v2-top"},
}
RELEASED = {"v2-matched": range(10), "v2-threshold": range(5, 15), "v2-top": range(8, 18)}
SETS = ("train", "test", "seed_source", "heldout_source", "diagnosis")


def photo_id(label, number):
    return hashlib.sha1(f"{label} {number}".encode()).hexdigest()


def photo():
    stream = io.BytesIO()
    Image.new("RGB", (40, 60), (60, 0, 0)).save(stream, "JPEG")
    return stream.getvalue()


PHOTO = photo()


def draw(path, label, number=0):
    """An image whose red tells its class and whose blue its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 12), (20 * label, 0, 10 * number)).save(path, quality=95)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("imagenet")
    for label, wnid in enumerate(WNIDS):
        draw(root / "ILSVRC" / "train" / wnid / f"{wnid}_7.JPEG", label, 1)
        draw(root / "ILSVRC" / "train" / wnid / f"{wnid}_10.JPEG", label, 2)
        draw(root / "ILSVRC" / "val" / wnid / f"ILSVRC2012_val_{label:08}.JPEG", label)
        for release, numbers in RELEASED.items():
            for number in numbers:
                draw(root / release / str(label) / f"{photo_id(label, number)}.jpeg", label, number)
    (root / "ILSVRC" / "train" / WNIDS[0] / ".hidden.JPEG").write_bytes(b"no image")
    return root


@pytest.fixture
def root(drawn, tmp_path, monkeypatch):
    """A tree of the real layout, named by the environment; the working folder is an empty project."""
    monkeypatch.setattr(imagenet, "lemmas", lambda: WORDS)
    shutil.copytree(drawn, tmp_path / "images")
    monkeypatch.setenv("IMAGENET_ROOT", str(tmp_path / "images"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "images"


def run_prepare(**changes):
    Path("params.yaml").write_text(yaml.safe_dump({"prepare": {**PREPARE, **changes}}))
    prepare.main()
    return {name: open_set(Path("data/sets") / name) for name in SETS}


def test_every_image_has_the_label_that_it_shows(root):
    sets = run_prepare()
    assert {name: len(images) for name, images in sets.items()} == {
        "train": 24,
        "test": 12,
        "seed_source": 120,
        "heldout_source": 96,
        "diagnosis": 12,
    }
    for images in sets.values():
        red = images.pixels(range(len(images)), 8)[..., 0].mean((1, 2))
        assert np.rint(red / 20).astype(int).tolist() == images.labels.tolist()


def test_manifests_tell_what_the_files_are(root):
    images = run_prepare()["train"]
    assert images.classes[1] == "junco"
    assert list(images.ids[:2]) == ["n01530575_10", "n01530575_7"]
    row = images.manifest.iloc[3]
    file = root / "ILSVRC" / "train" / "n01534433" / "n01534433_7.JPEG"
    assert row.to_dict() == {
        "id": "n01534433_7",
        "label": 1,
        "sha256": sha256(file),
        "width": 8,
        "height": 12,
        "shard": "ILSVRC/train/n01534433/n01534433_7.JPEG",
        "offset": 0,
        "size": file.stat().st_size,
    }


def test_the_complement_is_what_the_other_releases_have_alone(root):
    sets = run_prepare()
    wanted = {photo_id(label, number) for label in range(12) for number in range(10, 18)}
    assert set(sets["heldout_source"].ids) == wanted
    assert set(sets["seed_source"].ids) == {photo_id(label, number) for label in range(12) for number in range(10)}
    both = photo_id(3, 12)  # in two releases: the first that params name
    shards = sets["heldout_source"].manifest.set_index("id")["shard"]
    assert shards[both] == f"v2-threshold/3/{both}.jpeg"


def test_manifests_are_the_same_wherever_the_images_lie(root, monkeypatch):
    run_prepare()
    before = {name: sha256(Path("data/sets") / name / MANIFEST) for name in SETS}
    moved = root.rename(root.with_name("elsewhere"))
    monkeypatch.setenv("IMAGENET_ROOT", str(moved))
    assert open_set("data/sets/seed_source").image(0).size == (8, 12)
    run_prepare()
    assert {name: sha256(Path("data/sets") / name / MANIFEST) for name in SETS} == before
    for name in SETS:
        assert str(moved.parent).encode() not in (Path("data/sets") / name / MANIFEST).read_bytes()


def test_the_world_is_empty_and_knows_the_classes(root):
    run_prepare()
    world = open_set("data/world")
    assert len(world) == 0
    assert world.classes == imagenet.class_names()


def test_deployment_may_lack_classes_and_repeat_names(root):
    for label in (2, 10):
        draw(root / "renditions" / WNIDS[label] / "art_0.jpg", label)
    images = run_prepare(diagnosis="renditions")["diagnosis"]
    assert images.labels.tolist() == [2, 10]
    assert list(images.ids) == ["n01795545_art_0", "n03400231_art_0"]


def test_two_files_of_one_name_are_refused(root):
    draw(root / "ILSVRC" / "val" / WNIDS[1] / "ILSVRC2012_val_00000001.png", 1)
    with pytest.raises(ValueError, match="another image of that name"):
        run_prepare()


def wnid_folders(release):
    for label, wnid in enumerate(WNIDS):
        (release / str(label)).rename(release / wnid)


def twenty_a_class(release):
    for number in range(30, 40):
        draw(release / "10" / f"{photo_id(10, number)}.jpeg", 10, number)


def numbered_names(release):
    for number, path in enumerate(sorted((release / "2").iterdir())):
        path.rename(path.with_name(f"{number}.jpeg"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (wnid_folders, "folders are wnids"),
        (twenty_a_class, "folder 10 holds 20 images instead of 10"),
        (numbered_names, r"2/0\.jpeg is named by a number"),
        (lambda release: shutil.rmtree(release / "11"), "folder 11 holds 0 images"),
    ],
)
def test_other_copies_of_imagenet_v2_are_refused(root, change, message):
    change(root / "v2-top")
    with pytest.raises(ValueError, match=rf"v2-top: an old or incomplete copy of ImageNet-V2: .*{message}"):
        run_prepare()
    assert not Path("data/sets/train").exists()


def test_a_missing_variable_is_named(root, monkeypatch):
    monkeypatch.delenv("IMAGENET_ROOT")
    with pytest.raises(ValueError, match="IMAGENET_ROOT: not set"):
        run_prepare()


@pytest.mark.parametrize("folder", ["ILSVRC/train", "v2-threshold"])
def test_a_missing_folder_and_the_variable_are_named(root, folder):
    shutil.rmtree(root / folder)
    with pytest.raises(FileNotFoundError, match=rf"{folder}: no such folder; .*IMAGENET_ROOT"):
        run_prepare()


def test_a_missing_class_is_named(root):
    shutil.rmtree(root / "ILSVRC" / "val" / WNIDS[10])
    with pytest.raises(ValueError, match="ILSVRC/val: images of 11 of 12 classes, none of n03400231"):
        run_prepare()


def test_validation_images_that_are_not_sorted_are_refused(root):
    for path in sorted((root / "ILSVRC" / "val").rglob("*.JPEG")):
        path.rename(root / "ILSVRC" / "val" / path.name)
    with pytest.raises(ValueError, match="ILSVRC/val: images of 0 of 12 classes"):
        run_prepare()


def wide_profile():
    """A PNG whose colour profile is larger than Pillow reads."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 12)).save(stream, "PNG", icc_profile=bytes(2_000_000))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"no image", "cannot be decoded"),
        (b"", "cannot be decoded"),
        (b"<html><body>404</body></html>", "a web page, no picture"),
        (PHOTO[: len(PHOTO) // 2], "cut short"),
        (PHOTO[:-1], "cut short"),
        (wide_profile(), "cannot be decoded"),
        (bomb(), "too many pixels"),
    ],
    ids=["text", "empty", "page", "half", "no end", "profile", "bomb"],
)
def test_a_broken_file_is_named_before_anything_is_trained(root, content, fault):
    (root / "v2-matched" / "2" / f"{photo_id(2, 3)}.jpeg").write_bytes(content)
    with pytest.raises(ValueError, match=r"are no images to use") as error:
        run_prepare()
    name = f"v2-matched/2/{photo_id(2, 3)}.jpeg"
    assert str(error.value) == f"{root}: 1 of 120 files are no images to use: {name} ({fault}); restore them"


def test_many_broken_files_are_counted(root):
    for number in range(10):
        (root / "v2-matched" / "2" / f"{photo_id(2, number)}.jpeg").write_bytes(PHOTO[:300])
    with pytest.raises(ValueError, match=r"10 of 120 files are no images to use: .* and 5 more; restore them$"):
        run_prepare()


def test_every_format_is_read_and_what_is_none_is_counted(root, capsys):
    folder = root / "ILSVRC" / "train" / WNIDS[3]
    formats = {"a.webp": "WEBP", "b.GIF": "GIF", "c.bmp": "BMP", "d.jfif": "JPEG", "photo.v1.png": "PNG"}
    for name, format_name in formats.items():
        Image.new("RGB", (8, 12), (60, 0, 0)).save(folder / name, format_name)
    for name in ("notes.txt", "list.TXT", "Thumbs.db", "._a.webp", "LICENSE"):
        (folder / name).write_bytes(b"no image")
    (folder / "more").mkdir()
    images = run_prepare()["train"]
    assert len(images) == 24 + 5
    assert "photo.v1" in images.ids
    red = images.pixels(range(len(images)), 8)[..., 0].mean((1, 2))
    assert np.rint(red / 20).astype(int).tolist() == images.labels.tolist()
    assert passed_over(root, capsys) == ["ILSVRC/train: 5 (.txt 2, .db 1, folder 1, no ending 1)"]


def passed_over(root, capsys):
    """What is said of files that were not read, by folder below the root."""
    lines = capsys.readouterr().out.splitlines()
    said = " other files and folders passed over:"
    return [line.removeprefix(f"prepare: {root}/").replace(said, "") for line in lines if said in line]


def test_what_lies_beside_the_class_folders_is_counted(root, capsys):
    train = root / "ILSVRC" / "train"
    for name in ("a.JPEG", "n01534433.tar", f"{WNIDS[1].upper()}/b.JPEG", "unknown/c.JPEG", ".DS_Store"):
        (train / name).parent.mkdir(exist_ok=True)
        (train / name).write_bytes(PHOTO)
    (train / os.fsdecode(b"notes.\xe9")).write_bytes(b"")
    (root / "v2-top" / "12").mkdir()
    assert len(run_prepare()["train"]) == 24
    assert passed_over(root, capsys) == [
        "v2-top: 1 (folder 1)",
        "ILSVRC/train: 5 (folder 2, .jpeg 1, .tar 1, .? 1)",
    ]


@pytest.mark.parametrize("name", [b"caf\xe9.JPEG", b"\xff.jpg", b"\xc3.png"])
def test_a_name_that_no_manifest_can_hold_is_told_before_anything_is_read(root, name, monkeypatch):
    monkeypatch.setattr(imagenet, "_describe", lambda _: pytest.fail("an image was read"))
    shard = f"ILSVRC/train/{WNIDS[0]}/{os.fsdecode(name)}"
    (root / shard).write_bytes(PHOTO)
    with pytest.raises(ValueError, match="is not UTF-8") as error:
        run_prepare()
    assert str(error.value) == f"{root}: the name {shard!r} is not UTF-8; rename the file"


@pytest.mark.parametrize("folder", ["/data/train", "../train", ""])
def test_a_folder_outside_the_root_is_refused(folder):
    with pytest.raises(ParamsError, match=r"`prepare\.train`: .*relative to IMAGENET_ROOT"):
        check_section({"prepare": {**PREPARE, "train": folder}}, "prepare")


def test_an_unknown_source_is_named():
    with pytest.raises(ParamsError, match=r"`prepare\.source`: expected one of fashion, imagenet \(got 'coco'\)"):
        check_section({"prepare": {"source": "coco"}}, "prepare")
    with pytest.raises(ParamsError, match="section `prepare` is missing"):
        check_section({}, "prepare")


def test_queries_are_the_synonyms_that_no_other_class_shares(monkeypatch):
    monkeypatch.setattr(imagenet, "lemmas", lambda: WORDS)
    found = imagenet.synonyms(imagenet.class_names())
    assert found["frying pan"] == ["frying pan", "frypan", "skillet"]
    assert found["partridge"] == ["partridge"]  # its own name
    assert found["ruffed grouse"] == ["ruffed grouse", "Bonasa umbellus"]
    assert (found["cougar"], found["lynx"]) == (["cougar"], ["lynx"])
    assert found["crane (n02012849)"] == found["crane (n03126707)"] == []
    assert imagenet.synonyms(["lynx"]) == {"lynx": ["lynx", "catamount"]}  # nobody else asks
    with pytest.raises(ValueError, match="'crane' is not a class"):
        imagenet.synonyms(["crane"])


@pytest.fixture(scope="module")
def profile():
    return read("imagenet")


def test_the_real_classes_are_in_the_order_of_imagenet(profile):
    names = imagenet.class_names()
    assert len(set(names)) == 1000
    assert list(imagenet.lemmas()) == sorted(imagenet.lemmas())
    assert [names[label] for label in (0, 13, 134, 265, 567, 845)] == [
        "tench",
        "junco",
        "crane (n02012849)",
        "toy poodle",
        "frying pan",
        "syringe",
    ]
    queries = imagenet.synonyms(names)
    alike = [name for name in names if not queries[name]]  # the cranes, the garment cardigan and a maillot
    assert alike == [names[label] for label in (134, 474, 517, 638)]
    ScrapeParams(**{**profile["scrape"], "queries": queries})  # no query is asked for two classes


def test_the_profile_asks_the_synonyms_of_its_classes(profile):
    assert isinstance(check_section(profile, "prepare"), ImageNetParams)
    assert profile["scrape"]["queries"] == imagenet.synonyms(profile["errors"]["classes"])


@pytest.mark.parametrize(
    "changes",
    [{"threshold": "v2-matched", "top_images": "v2-matched"}, {"threshold": "v2-copy", "top_images": "v2-matched"}],
    ids=["one release three times", "a copy of it"],
)
def test_releases_that_hold_nothing_out_are_refused(root, changes):
    shutil.copytree(root / "v2-matched", root / "v2-copy")
    with pytest.raises(ValueError) as error:
        run_prepare(releases=PREPARE["releases"] | changes)
    assert str(error.value) == (
        "prepare.releases: threshold and top_images hold no image that matched_frequency lacks, so none is held out; "
        "name three different releases (docs/imagenet.md tells what belongs there)"
    )
    assert not Path("data").exists()
