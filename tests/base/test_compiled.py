"""Compiled loops: what a user is told where numba can write nowhere."""

import pytest

from debugset.base.compiled import loading_kernels


def test_a_machine_without_a_folder_for_compiled_loops_is_told(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lost_kernels.py").write_text("raise RuntimeError('cannot cache function')\n")
    with (
        pytest.raises(OSError, match=r"^NUMBA_CACHE_DIR: set it to a folder .*; numba says: cannot cache function"),
        loading_kernels(),
    ):
        import lost_kernels  # noqa: F401
