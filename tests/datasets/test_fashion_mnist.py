"""The default's sources: the order of places, what is checked, and what is said when nothing is there."""

import gzip
import hashlib
import http.server
import subprocess
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import requests

from debugset.datasets import fashion_mnist as sources
from debugset.datasets.fashion_mnist import CONTEXTS, read_garments, read_photographs

SIZES = {"train": 5, "t10k": 3}


def content(name):
    """What one of the four files holds: a header, then bytes that tell the files apart."""
    part, kind = name.split("-")[:2]
    first = 100 if part == "t10k" else 0
    if kind == "labels":
        return bytes(8) + bytes(range(first, first + SIZES[part]))
    return bytes(16) + b"".join(bytes([first + row]) * 784 for row in range(SIZES[part]))


def put(folder, names=tuple(sources.FILES)):
    """Put files into a folder, compressed in a way of our own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(gzip.compress(content(name), compresslevel=1))


def forbidden(folder):
    """Nobody calls this."""
    raise AssertionError("fetched though the files are there")


def absent(folder):
    """Ask nowhere."""
    raise FileNotFoundError("apt-get is not here")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The place of the installed files and the folder of fetched ones, both empty; fetching is forbidden."""
    digests = {name: hashlib.sha256(content(name)).hexdigest() for name in sources.FILES}
    monkeypatch.setattr(sources, "FILES", digests)
    monkeypatch.setattr(sources, "INSTALLED", tmp_path / "installed")
    monkeypatch.setattr(sources, "_unpack_package", forbidden)
    monkeypatch.setattr(sources, "_download", forbidden)
    return tmp_path / "installed", tmp_path / "kept"


def assert_whole(found):
    images, labels = found
    assert images.shape == (8, 28, 28)
    assert images[:, 0, 0].tolist() == labels.tolist() == [0, 1, 2, 3, 4, 100, 101, 102]
    assert (images == images[:, :1, :1]).all()


def test_installed_files_come_first(places):
    put(places[0])
    assert_whole(read_garments(places[1]))
    assert not places[1].exists()


def test_kept_files_come_next_and_lie_in_the_spool_by_default(places, tmp_path, monkeypatch):
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "spool"))
    put(places[0], list(sources.FILES)[:3])  # not all four: of no use
    put(tmp_path / "spool" / "sources" / "fashion-mnist")
    assert_whole(read_garments())


def test_the_package_is_asked_before_https(places, monkeypatch):
    monkeypatch.setattr(sources, "_unpack_package", put)
    assert_whole(read_garments(places[1]))
    monkeypatch.setattr(sources, "_unpack_package", forbidden)
    assert_whole(read_garments(places[1]))  # kept


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError("no apt-get"), subprocess.CalledProcessError(100, "apt-get")],
    ids=lambda e: type(e).__name__,
)
def test_https_is_asked_when_there_is_no_package(places, monkeypatch, error):
    def fail(folder):
        """Unpack nothing."""
        raise error

    monkeypatch.setattr(sources, "_unpack_package", fail)
    monkeypatch.setattr(sources, "_download", put)
    assert_whole(read_garments(places[1]))


def test_nothing_anywhere_says_what_to_do_and_what_was_tried(places, monkeypatch):
    def offline(folder):
        """Fetch from nowhere."""
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(sources, "_unpack_package", absent)
    monkeypatch.setattr(sources, "_download", offline)
    with pytest.raises(OSError, match="Install Debian's package dataset-fashion-mnist, or put the files") as caught:
        read_garments(places[1])
    text = str(caught.value)
    assert "\n" not in text
    assert all(part in text for part in (*sources.FILES, str(places[1]), "apt-get is not here", "no route to host"))


def broken(name, how):
    whole = gzip.compress(content(name))
    middle = len(whole) // 2
    return {
        "truncated": whole[:middle],
        "garbled": whole[:10] + b"\xff" * 8 + whole[18:],
        "no gzip": b"<html>not found</html>",
        "other": gzip.compress(content(name)[:-1] + b"\0"),
    }[how]


@pytest.mark.parametrize("how", ["truncated", "garbled", "no gzip", "other"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_wrong_file_is_passed_over_and_named_if_nothing_better_comes(places, monkeypatch, how, place):
    put(places[place])
    bad = places[place] / "t10k-images-idx3-ubyte.gz"
    bad.write_bytes(broken(bad.name, how))
    monkeypatch.setattr(sources, "_unpack_package", absent)
    monkeypatch.setattr(sources, "_download", absent)
    reason = "its SHA-256 is not Fashion-MNIST's" if how == "other" else "not a whole gzip file"
    with pytest.raises(OSError, match=reason) as caught:
        read_garments(places[1])
    assert str(bad) in str(caught.value)
    monkeypatch.setattr(sources, "_download", put)
    assert_whole(read_garments(places[1]))


def test_a_fetched_file_is_checked_too(places, monkeypatch):
    def fetch(folder):
        """Fetch a page of the proxy's."""
        put(folder)
        (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>log in first</html>")

    monkeypatch.setattr(sources, "_unpack_package", absent)
    monkeypatch.setattr(sources, "_download", fetch)
    with pytest.raises(OSError, match=r"train-labels-idx1-ubyte.gz: not a whole gzip file"):
        read_garments(places[1])


def test_the_package_is_unpacked_into_the_kept_folder(tmp_path, monkeypatch):
    commands = []

    def run(command, cwd, **_):
        commands.append(" ".join(command))
        if command[0] == "sh":
            put(Path(cwd) / "unpacked" / "usr/share/datasets/fashion-mnist")

    monkeypatch.setattr(sources.subprocess, "run", run)
    sources._unpack_package(tmp_path / "kept")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == sorted(sources.FILES)
    update, download, unpack = commands
    assert update.startswith("apt-get -o Dir::State::Lists=") and update.endswith(" update")
    assert download == update.removesuffix("update") + "download dataset-fashion-mnist"
    assert "dpkg-deb -x dataset-fashion-mnist_*.deb" in unpack


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_files_are_downloaded_into_the_kept_folder(tmp_path, monkeypatch):
    put(tmp_path / "served")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "train-labels-idx1-ubyte.gz").write_bytes(b"wrong")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        monkeypatch.setattr(sources, "HTTPS", f"http://127.0.0.1:{server.server_address[1]}/")
        sources._download(tmp_path / "kept")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    for name in sources.FILES:
        assert (tmp_path / "kept" / name).read_bytes() == (tmp_path / "served" / name).read_bytes()


def test_the_photographs_are_six_in_colour_and_larger_than_an_image():
    found = read_photographs()
    assert tuple(found) == CONTEXTS
    for name, photograph in found.items():
        assert photograph.dtype == np.uint8
        assert photograph.shape[2] == 3
        assert min(photograph.shape[:2]) > 32
        grey = (photograph == photograph[..., :1]).all()
        assert grey == (name in ("brick", "grass", "gravel"))
    assert len({photograph.tobytes() for photograph in found.values()}) == 6
