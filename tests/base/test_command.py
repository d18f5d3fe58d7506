import os
import sqlite3
import sys
import zlib
from pathlib import Path

import pytest
from dvc.exceptions import NotDvcRepoError
from PIL.Image import DecompressionBombError
from safetensors import SafetensorError

from debugset.base.command import argument, run


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return tmp_path


def test_bad_input_ends_in_one_line(in_folder: Path) -> None:
    def main() -> None:
        raise ValueError("params.yaml: `pick.per_seed`\nis wrong")

    with pytest.raises(SystemExit, match=r"^error: params.yaml: `pick.per_seed` is wrong$"):
        run(main)


def test_the_traceback_is_shown_on_request(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        raise FileNotFoundError("data/pool")

    monkeypatch.setenv("DEBUGSET_TRACEBACK", "1")
    with pytest.raises(FileNotFoundError):
        run(main)


def test_a_dotenv_that_is_no_text_is_told(in_folder: Path, capsys: pytest.CaptureFixture) -> None:
    (in_folder / ".env").write_bytes(b"\xff")
    with pytest.raises(SystemExit, match=r"^error: .env: not a text in UTF-8; save it as one$"):
        run(lambda: None)


def test_dotenv_adds_to_the_environment_which_wins(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (in_folder / ".env").write_text("# machine\nexport FLICKR_API_KEY='from the file'\nDEBUGSET_WORKERS=7\n")
    monkeypatch.setenv("DEBUGSET_WORKERS", "3")
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)
    seen: dict[str, str] = {}
    run(lambda: seen.update(os.environ))
    assert (seen["FLICKR_API_KEY"], seen["DEBUGSET_WORKERS"]) == ("from the file", "3")


def test_ctrl_c_ends_in_one_line(in_folder: Path, capsys: pytest.CaptureFixture) -> None:
    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        run(main)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "stopped; run it again to go on\n"


def test_the_only_argument_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/elsewhere/stages/train.py", "random"])
    assert argument("VARIANT") == "random"


@pytest.mark.parametrize("arguments", [[], ["random", "retrain"]])
def test_none_and_too_many_are_told_by_the_usage(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/elsewhere/stages/train.py", *arguments])
    with pytest.raises(ValueError, match=r"^usage: python -m stages\.train VARIANT$"):
        argument("VARIANT")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (sqlite3.DatabaseError("file is not\na database"), "sqlite3.DatabaseError: file is not a database"),
        (SafetensorError("header too large"), "safetensors._safetensors_rust.SafetensorError: header too large"),
        (NotDvcRepoError("no repository"), "dvc.exceptions.NotDvcRepoError: no repository"),
        (DecompressionBombError("too many pixels"), "PIL.Image.DecompressionBombError: too many pixels"),
        (zlib.error("incorrect header"), "zlib.error: incorrect header"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_a_librarys_kind_ends_in_one_line(in_folder: Path, error: Exception, line: str) -> None:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == f"error: {line} (DEBUGSET_TRACEBACK=1 shows where)"


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), IndexError("x"), RuntimeError("x")])
def test_a_fault_of_this_program_shows_its_traceback(in_folder: Path, error: Exception) -> None:
    def main() -> None:
        raise error

    with pytest.raises(type(error)):
        run(main)
