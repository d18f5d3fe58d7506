import numpy as np
import pytest

from debugset.features import spool as shard_spool
from debugset.features.spool import array_sha256, compute_once


def test_what_the_spool_holds_is_not_computed_again(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return np.arange(3)

    first, again = (compute_once(tmp_path / "spool", ["a", "b"], compute) for _ in range(2))
    assert first == again
    assert np.load(first).tolist() == [0, 1, 2]
    assert compute_once(tmp_path / "spool", ["a", "c"], compute) != first
    assert len(calls) == 2


def test_other_numerics_compute_anew(tmp_path, monkeypatch):
    names = []
    for mode in ("portable", "native"):
        monkeypatch.setattr(shard_spool, "in_force", lambda mode=mode: mode)
        names.append(compute_once(tmp_path, ["a"], lambda: np.arange(3)).name)
    assert len(set(names)) == 2


def test_a_failure_leaves_nothing_behind(tmp_path):
    def compute():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_once(tmp_path, ["a"], compute)
    assert list(tmp_path.iterdir()) == []


def test_a_digest_tells_values_shapes_and_types_apart():
    values = np.arange(6, dtype=np.int32)
    others = [values, values[::-1], values.reshape(2, 3), values.reshape(2, 3).T, values.astype(np.float32), values[:5]]
    assert len({array_sha256(array) for array in others}) == len(others)
    assert array_sha256(np.arange(12, dtype=np.int32)[::2]) == array_sha256(np.array([0, 2, 4, 6, 8, 10], np.int32))
