import pytest

from debugset.pool.hosts import Hosts, open_web


def test_the_open_web_is_asked_at_the_machines_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBUGSET_FILES_PER_SECOND", raising=False)
    assert open_web() == Hosts(files_per_second=20.0)
    monkeypatch.setenv("DEBUGSET_FILES_PER_SECOND", "2.5")
    assert open_web().files_per_second == 2.5
    monkeypatch.setenv("DEBUGSET_FILES_PER_SECOND", "none")
    with pytest.raises(ValueError, match="DEBUGSET_FILES_PER_SECOND"):
        open_web()
