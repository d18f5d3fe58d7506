"""Features that lie in parts are read as the one array that they make."""

import mmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.base.files import read_json, sha256, write_json
from debugset.features.store import Features, Part, list_parts, open_features
from debugset.images.sets import MANIFEST, open_set, write_manifest
from tests.datasets.tiny import plain, tiny_set
from tests.features.shards import in_shards

VALUES = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)


INDICES = [
    0,
    -1,
    np.int64(7),
    slice(None),
    slice(2, 5),
    slice(3, 9),
    slice(8, 1, -2),
    slice(4, 4),
    [9, 0, 0, 5],
    np.array([], np.int64),
    np.arange(10) % 3 == 0,
    np.array([-1, 2]),
]


@pytest.mark.parametrize("owners", [np.arange(10) // 4, np.arange(10) % 3, np.zeros(10)], ids=["runs", "mixed", "one"])
@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_every_index_gives_what_the_array_gives(owners, index):
    found = in_shards(VALUES, owners)[index]
    np.testing.assert_array_equal(found, VALUES[index])
    assert found.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(owners=st.lists(st.integers(0, 4), min_size=1, max_size=30), data=st.data())
def test_any_rows_of_any_parts(owners, data):
    values = np.arange(2.0 * len(owners)).reshape(-1, 2)
    rows = data.draw(st.lists(st.integers(-len(owners), len(owners) - 1), max_size=40))
    features = in_shards(values, np.array(owners))
    np.testing.assert_array_equal(features[np.array(rows, np.int64)], values[np.array(rows, np.int64)])
    np.testing.assert_array_equal(np.asarray(features), values)


def test_it_has_an_array_s_shape_and_errors():
    features = in_shards(VALUES.astype(np.float16), np.arange(10) // 4)
    assert (len(features), features.shape, features.ndim, features.dtype) == (10, (10, 3), 2, np.float16)
    for outside in (10, [3, 10]):
        with pytest.raises(IndexError):
            features[outside]
    assert np.asarray(features, np.float64).dtype == np.float64
    assert [(part.rows.tolist(), len(part.values)) for part in features.parts()] == [
        ([0, 1, 2, 3], 4),
        ([4, 5, 6, 7], 4),
        ([8, 9], 2),
    ]


def test_rows_that_lie_together_are_not_copied():
    values = VALUES.copy()
    features = Features([Part(np.arange(10), values, "")])
    assert np.shares_memory(features[2:9], values)
    values.flags.writeable = False
    whole = np.array(features)
    whole[:] = 0  # a copy is the caller's own
    assert features[3].tolist() == VALUES[3].tolist()


@pytest.fixture
def stored(tmp_path):
    """A set of five images in shards of two, and its features by embedder ``toy``."""
    images = tiny_set(tmp_path / "pool", [plain((n, n, n)) for n in range(5)], np.zeros(5), per_shard=2)
    digests = {}
    for name, rows in images.parts().items():
        path = tmp_path / "features" / "toy" / "pool" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, VALUES[rows])
        digests[name] = sha256(path)
    parts = list_parts(images.parts(), digests)
    described = {"manifest_sha256": sha256(images.folder / MANIFEST), "parts": parts}
    write_json(tmp_path / "features" / "toy" / "pool.json", described)
    return images, tmp_path / "features"


def test_features_are_mapped_and_read_only(stored):
    features = open_features("toy", *stored)
    np.testing.assert_array_equal(features, VALUES[:5])
    block = features[0:2]
    owner = block
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, mmap.mmap)
    with pytest.raises(ValueError, match="read-only"):
        block[0] = 0


def test_missing_features_name_the_mend(stored):
    images, folder = stored
    with pytest.raises(FileNotFoundError, match=r"other/pool.json: no such features; run stage embed@other"):
        open_features("other", images, folder)
    (folder / "toy" / "pool" / "001.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"001.npy: no such features; run stage embed@toy, or `dvc pull`"):
        open_features("toy", images, folder)


def test_features_of_another_manifest_are_refused(stored):
    images, folder = stored
    write_manifest(images.folder, images.manifest.assign(label=1), images.classes)
    with pytest.raises(ValueError, match=r"pool.json: belongs to another version of .*; run stage embed@toy again"):
        open_features("toy", open_set(images.folder), folder)


def test_a_description_of_other_parts_is_refused(stored):
    images, folder = stored
    path = folder / "toy" / "pool.json"
    described = read_json(path)
    without = [{name: part[name] for name in ("name", "rows")} for part in described["parts"]]
    for parts in (None, [], without, described["parts"][:-1], described["parts"][::-1]):
        write_json(path, described | {"parts": parts})
        with pytest.raises(ValueError, match="belongs to another version"):
            open_features("toy", images, folder)


def test_parts_carry_the_digest_of_their_files(stored):
    images, folder = stored
    files = [folder / "toy" / "pool" / f"{name}.npy" for name in images.parts()]
    assert [part.sha256 for part in open_features("toy", images, folder).parts()] == [sha256(file) for file in files]


def test_a_damaged_part_is_named(stored):
    images, folder = stored
    path = folder / "toy" / "pool" / "001.npy"
    whole = path.read_bytes()
    for cut in (0, 20, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"001.npy: is damaged; restore it by `dvc checkout`"):
            open_features("toy", images, folder)
    np.save(path, VALUES[:1])
    with pytest.raises(ValueError, match=r"001.npy: expected 2 rows as its shard has, got shape \(1, 3\)"):
        open_features("toy", images, folder)
    np.save(path, VALUES[2:4, :2])
    with pytest.raises(ValueError, match="parts differ in the number of features"):
        open_features("toy", images, folder)
