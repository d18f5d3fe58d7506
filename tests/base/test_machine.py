import os
from pathlib import Path

import pytest

from debugset.base import machine

FOLDERS = {"DEBUGSET_SPOOL": (machine.spool_folder, ".spool"), "DEBUGSET_WEIGHTS": (machine.weights_folder, "weights")}
NUMBERS = {
    "DEBUGSET_WORKERS": (machine.workers, os.cpu_count()),
    "DEBUGSET_CONNECTIONS": (machine.connections, 8),
    "DEBUGSET_DEVICES": (machine.device_count, 1),
    "DEBUGSET_CALLS_PER_HOUR": (machine.calls_per_hour, 3600),
}


@pytest.mark.parametrize("variable", FOLDERS)
def test_folders_come_from_the_environment(variable, monkeypatch):
    read, default = FOLDERS[variable]
    for value, expected in {"/elsewhere": "/elsewhere", "": default}.items():
        monkeypatch.setenv(variable, value)
        assert read() == Path(expected)
    monkeypatch.delenv(variable)
    assert read() == Path(default)


@pytest.mark.parametrize("variable", NUMBERS)
def test_numbers_come_from_the_environment(variable, monkeypatch):
    read, default = NUMBERS[variable]
    monkeypatch.setenv(variable, "3")
    assert read() == 3
    monkeypatch.delenv(variable)
    assert read() == default


@pytest.mark.parametrize("variable", NUMBERS)
@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_other_values_are_named(variable, value, monkeypatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=rf"^{variable}: expected a whole number of at least 1 \(got '{value}'\)$"):
        NUMBERS[variable][0]()


def test_the_rate_of_files_may_be_a_fraction(monkeypatch):
    monkeypatch.delenv("DEBUGSET_FILES_PER_SECOND", raising=False)
    assert machine.files_per_second() == 20
    monkeypatch.setenv("DEBUGSET_FILES_PER_SECOND", "0.5")
    assert machine.files_per_second() == 0.5


@pytest.mark.parametrize("value", ["0", "-1", "two", "nan", "inf"])
def test_another_rate_of_files_is_named(value, monkeypatch):
    monkeypatch.setenv("DEBUGSET_FILES_PER_SECOND", value)
    with pytest.raises(ValueError, match=rf"^DEBUGSET_FILES_PER_SECOND: expected a positive number \(got '{value}'\)$"):
        machine.files_per_second()
