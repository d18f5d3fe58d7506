"""Compiled loops: imported by name, and what a user is told where numba can write nowhere."""

import pytest

from debugset.base.compiled import load_kernels


def test_kernels_are_imported_and_a_machine_without_a_folder_for_them_is_told(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "some_kernels.py").write_text("answer = 42\n")
    (tmp_path / "lost_kernels.py").write_text("raise RuntimeError('cannot cache function')\n")
    assert load_kernels("some_kernels").answer == 42
    with pytest.raises(OSError, match=r"^NUMBA_CACHE_DIR: set it to a folder .*; numba says: cannot cache function"):
        load_kernels("lost_kernels")
