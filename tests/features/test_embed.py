"""Embedding: a file a shard, row i for manifest row i, and nothing embedded twice."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from debugset.base.files import read_json, sha256
from debugset.features import embed as embedding
from debugset.features.embed import embed
from debugset.features.store import open_features
from debugset.images.sets import MANIFEST, open_set, write_manifest, write_set
from debugset.models import inference
from tests.datasets.tiny import plain, tiny_set
from tests.models.toys import PLAIN, described, mean_colour

RED = (255, 0, 0)


@pytest.fixture(autouse=True)
def batches_of_three(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    monkeypatch.setattr(inference, "CPU_PIXELS", 3 * PLAIN.input_size**2)


def colours(count, random_state=0):
    return np.random.default_rng(random_state).integers(0, 256, (count, 3))


@pytest.fixture
def images(tmp_path):
    """Ten plain images, no two alike, in shards of four."""
    return tiny_set(tmp_path / "ten", [plain(colour) for colour in colours(10)], np.arange(10) % 3, per_shard=4)


def embedded(images, folder, classifier=None, description=None, precision="fp32"):
    """Embed into ``folder``; the features and how many images each call of the model saw."""
    classifier = classifier or mean_colour()
    classifier.backbone.calls.clear()
    description = description or described()
    target = folder / "features" / "toy" / images.folder.name
    embed(classifier, description, images, target, folder / "spool", precision=precision)
    return open_features("toy", images, folder / "features"), list(classifier.backbone.calls)


def written(folder):
    """The SHA-256 of every file under the features' folder."""
    files = sorted((folder / "features").rglob("*"))
    return {str(file.relative_to(folder / "features" / "toy")): sha256(file) for file in files if file.is_file()}


def test_row_i_is_the_feature_of_manifest_row_i_over_shards(images, tmp_path):
    found, calls = embedded(images, tmp_path)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, colours(10) / 255, atol=1e-6)
    assert calls == [3, 1, 3, 1, 2]  # shards of 4, 4 and 2


def test_rows_follow_a_manifest_whose_shards_are_mixed(images, tmp_path):
    order = np.random.default_rng(1).permutation(10)
    write_manifest(images.folder, images.manifest.iloc[order].reset_index(drop=True), images.classes)
    found, _ = embedded(open_set(images.folder), tmp_path)
    np.testing.assert_allclose(found, colours(10)[order] / 255, atol=1e-6)


def test_the_description_says_what_the_features_are_of(images, tmp_path):
    embedded(images, tmp_path)
    found = read_json(tmp_path / "features" / "toy" / "ten.json")
    assert found["embedder"] == "toy"
    files = {name: tmp_path / "features" / "toy" / "ten" / f"{name}.npy" for name in ("000", "001", "002")}
    described = zip(files.items(), (4, 4, 2), strict=True)
    assert found["parts"] == [{"name": name, "rows": rows, "sha256": sha256(file)} for (name, file), rows in described]
    assert found["weights_sha256"] == "1" * 64
    assert found["precision"] == "fp32"
    assert found["manifest_sha256"] == sha256(images.folder / MANIFEST)
    assert (found["preprocessing"]["input_size"], found["preprocessing"]["interpolation"]) == (8, "bilinear")


def test_a_second_run_calls_no_model_and_gives_the_same_bytes(images, tmp_path):
    embedded(images, tmp_path)
    before = written(tmp_path)
    _, calls = embedded(images, tmp_path)
    assert calls == []
    assert written(tmp_path) == before
    assert set(before) == {"ten/000.npy", "ten/001.npy", "ten/002.npy", "ten.json"}


def test_a_grown_set_embeds_its_new_shard_only_and_changes_no_older_file(tmp_path):
    pictures = [plain(colour) for colour in colours(10)]
    small = tiny_set(tmp_path / "small" / "pool", pictures[:8], np.zeros(8), per_shard=4)
    grown = tiny_set(tmp_path / "grown" / "pool", pictures, np.zeros(10), per_shard=4)
    embedded(small, tmp_path)
    before = written(tmp_path)
    found, calls = embedded(grown, tmp_path)
    assert calls == [2]
    np.testing.assert_allclose(found, colours(10) / 255, atol=1e-6)
    after = written(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == {"pool/002.npy", "pool.json"}


def test_a_shard_that_left_leaves_no_file_behind(tmp_path):
    pictures = [plain(colour) for colour in colours(10)]
    embedded(tiny_set(tmp_path / "large" / "pool", pictures, np.zeros(10), per_shard=4), tmp_path)
    embedded(tiny_set(tmp_path / "less" / "pool", pictures[:4], np.zeros(4), per_shard=4), tmp_path)
    assert set(written(tmp_path)) == {"pool/000.npy", "pool.json"}


def test_shards_of_one_name_in_two_folders_are_two_files(tmp_path):
    images = tiny_set(tmp_path / "pool", [plain(colour) for colour in colours(4)], np.zeros(4), per_shard=2)
    for year in ("2022", "2023"):
        (images.folder / year).mkdir()
    (images.folder / "000.tar").rename(images.folder / "2022" / "01.tar")
    (images.folder / "001.tar").rename(images.folder / "2023" / "01.tar")
    shards = ["2022/01.tar"] * 2 + ["2023/01.tar"] * 2
    write_manifest(images.folder, images.manifest.assign(shard=shards), images.classes)
    found, _ = embedded(open_set(images.folder), tmp_path)
    np.testing.assert_allclose(found, colours(4) / 255, atol=1e-6)
    assert set(written(tmp_path)) == {"pool/2022/01.npy", "pool/2023/01.npy", "pool.json"}


def test_a_killed_run_goes_on_where_it_stopped(images, tmp_path):
    classifier = mean_colour()
    whole = classifier.backbone.forward_features

    def killed(x):
        if len(classifier.backbone.calls) == 3:
            raise KeyboardInterrupt
        return whole(x)

    classifier.backbone.forward_features = killed
    with pytest.raises(KeyboardInterrupt):
        embedded(images, tmp_path, classifier)
    assert written(tmp_path) == {}
    classifier.backbone.forward_features = whole
    found, calls = embedded(images, tmp_path, classifier)
    assert calls == [3, 1, 2]  # the second shard from its beginning, and the third
    np.testing.assert_allclose(found, colours(10) / 255, atol=1e-6)


@pytest.mark.parametrize(
    "changed",
    [
        {"description": described(weights_sha256="2" * 64)},
        {"description": described(replace(PLAIN, interpolation="bicubic"))},
        {"description": described(replace(PLAIN, mean=(0.5, 0.5, 0.5)))},
        {"precision": "bf16"},
    ],
    ids=["weights", "filter", "normalisation", "precision"],
)
def test_other_weights_preprocessing_or_precision_embed_anew(images, tmp_path, changed):
    embedded(images, tmp_path)
    _, calls = embedded(images, tmp_path, **changed)
    assert sum(calls) == 10


def test_another_image_in_a_shard_embeds_that_shard_anew(tmp_path):
    pictures = [plain(colour) for colour in colours(10)]
    embedded(tiny_set(tmp_path / "one", pictures, np.zeros(10), per_shard=4), tmp_path)
    pictures[5] = plain(RED)
    found, calls = embedded(tiny_set(tmp_path / "two", pictures, np.zeros(10), per_shard=4), tmp_path)
    assert sum(calls) == 4
    np.testing.assert_allclose(found[5], [1, 0, 0], atol=1e-6)


def test_an_empty_set_has_empty_features(tmp_path):
    (tmp_path / "none").mkdir()
    write_set(tmp_path / "none", [], ["a"])
    found, calls = embedded(open_set(tmp_path / "none"), tmp_path)
    assert (len(found), np.asarray(found).shape, calls) == (0, (0, 0), [])


def test_the_spool_s_key_tells_apart_all_that_decides_features(images, monkeypatch):
    def key(rows=range(10), precision="fp32", where="cpu"):
        return tuple(embedding._shard_key(described(), images, np.array(rows), precision, torch.device(where)))

    keys = [key(), key(where="cuda"), key(precision="bf16"), key(range(9)), key(range(9, -1, -1))]
    assert keys[0] == key()
    monkeypatch.setattr(embedding, "version", lambda library: "another")
    keys.append(key())
    monkeypatch.setattr(embedding, "sha256", lambda code: "another")
    keys.append(key())
    assert len(set(keys)) == 7


def test_the_spool_s_key_covers_the_code_that_decides_features(images, monkeypatch):
    asked = []
    monkeypatch.setattr(embedding.inspect, "getfile", lambda one: asked.append(one.__module__) or __file__)
    embedding._shard_key(described(), images, np.array([0]), "fp32", torch.device("cpu"))
    code = (
        "models.outputs", "models.inference", "models.classifier", "models.device", "images.sets", "images.pixels",
    )  # fmt: skip
    assert {f"debugset.{name}" for name in code} <= set(asked)
