from pathlib import Path

import pytest

from debugset.pool.flickr.service import Service, flickr_service
from debugset.pool.hosts import Hosts
from debugset.pool.simulator.process import simulator_service

KEY, SECRET = "0123456789abcdef-the-key", "the-secret-9876"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DEBUGSET_CALLS_PER_HOUR", "DEBUGSET_FILES_PER_SECOND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLICKR_API_KEY", KEY)
    monkeypatch.setenv("FLICKR_API_SECRET", SECRET)
    return monkeypatch


def test_the_key_comes_from_the_environment(keys: pytest.MonkeyPatch) -> None:
    service = flickr_service()
    assert (service.key, service.secret) == (KEY, SECRET)
    assert service.hosts.stand_ins == {}
    for name in ("FLICKR_API_SECRET", "FLICKR_API_KEY"):
        keys.delenv(name)
        with pytest.raises(ValueError, match=rf"^{name}: not set.*simulator"):
            flickr_service()


def test_flickrs_limits_hold_unless_the_machine_sets_others(keys: pytest.MonkeyPatch) -> None:
    service = flickr_service()
    assert (service.calls_per_hour, service.hosts.files_per_second) == (3600, 20)
    keys.setenv("DEBUGSET_CALLS_PER_HOUR", "1200")
    keys.setenv("DEBUGSET_FILES_PER_SECOND", "2.5")
    service = flickr_service()
    assert (service.calls_per_hour, service.hosts.files_per_second) == (1200, 2.5)


def test_the_simulator_limits_nobody(world: Path) -> None:
    service = simulator_service("http://127.0.0.1:1", world)
    assert min(service.calls_per_hour, service.hosts.files_per_second) > 1e6


def test_neither_key_nor_secret_are_shown() -> None:
    service = Service("test", "http://127.0.0.1:9/", Hosts(), KEY, SECRET)
    assert service.hide(f"{KEY} is refused, so is {SECRET}") == "*** is refused, so is ***"
    assert KEY not in repr(service)
    assert SECRET not in repr(service)
