"""Asking git: what it prints, and its own words when it fails."""

import pytest

from debugset.base.git import git


def test_what_git_prints_of_what_it_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    blob = git("hash-object", "-w", "--stdin", stdin="größer\n").strip()
    assert git("cat-file", "blob", blob) == "größer\n"


def test_a_failure_is_an_error_unless_it_counts_as_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    with pytest.raises(OSError, match=r"^git rev-parse: fatal: .*nowhere"):
        git("rev-parse", "nowhere")
    assert git("rev-parse", "nowhere", check=False) == ""


@pytest.mark.parametrize("command", [["rev-parse", "HEAD"], ["for-each-ref"], ["status", "--porcelain"]])
def test_a_folder_without_git_is_told_with_the_mend(tmp_path, monkeypatch, command):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=rf"^git {command[0]}: fatal: not a git .*; run this in a clone of the"):
        git(*command)


@pytest.mark.parametrize("arguments", [["rev-parse", "HEAD"], ["show", "HEAD:x"], ["for-each-ref"]])
def test_another_users_clone_is_never_taken_for_nothing(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for check in (True, False):
        with pytest.raises(OSError, match=r"dubious ownership(.|\n)*git config --global --add safe\.directory"):
            git(*arguments, check=check)
