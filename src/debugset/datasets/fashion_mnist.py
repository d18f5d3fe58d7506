"""The default's sources: Fashion-MNIST's four files and the photographs that scikit-image ships.

The files are looked for where Debian's package ``dataset-fashion-mnist`` installs them, else the package is
downloaded and unpacked without root, else the files come over HTTPS. Their SHA-256 is checked in each case.
"""

import gzip
import hashlib
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pooch
from jaxtyping import UInt8

from debugset.base.files import replacing_file
from debugset.base.machine import spool_folder

_PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
HTTPS = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
CONTEXTS = ("brick", "grass", "gravel", "coffee", "chelsea", "rocket")

# SHA-256 of the files' decompressed content: packagers compress them anew.
FILES = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def read_garments(folder: Path | None = None) -> tuple[UInt8[np.ndarray, "n 28 28"], UInt8[np.ndarray, " n"]]:
    """Fashion-MNIST's 70,000 garments and their classes, the original training images first.

    Fetched files are kept in ``folder``, by default ``sources/fashion-mnist`` in the spool.

    Raises:
        OSError: no place has the right files; says what to do.
    """
    contents = _read_files(folder or spool_folder() / "sources" / "fashion-mnist")
    images, labels = [], []
    for part in ("train", "t10k"):  # behind the IDX format's headers
        images.append(np.frombuffer(contents[f"{part}-images-idx3-ubyte.gz"], np.uint8, offset=16))
        labels.append(np.frombuffer(contents[f"{part}-labels-idx1-ubyte.gz"], np.uint8, offset=8))
    return np.concatenate(images).reshape(-1, 28, 28), np.concatenate(labels)


def read_photographs() -> dict[str, UInt8[np.ndarray, "h w 3"]]:
    """The six photographs that serve as contexts, grey ones as three equal channels."""
    from skimage import data

    photographs = {}
    for name in CONTEXTS:
        photograph = np.asarray(getattr(data, name)())
        photographs[name] = np.stack([photograph] * 3, -1) if photograph.ndim == 2 else photograph[..., :3]
    return photographs


def _read_files(folder: Path) -> dict[str, bytes]:
    """The four files' decompressed content, from the first place that has them all right."""
    problems = []
    for place in (INSTALLED, folder):
        if all((place / name).is_file() for name in FILES):
            try:
                return _read_from(place)
            except OSError as error:
                problems.append(f"Read what is there. {error}")
    for fetch, how in ((_unpack_package, "apt-get download"), (_download, "HTTPS")):
        try:
            fetch(folder)
            return _read_from(folder)
        except (OSError, subprocess.SubprocessError) as error:
            problems.append(f"{how}: {error}")
    raise OSError(
        f"Fashion-MNIST is missing. Install Debian's package {_PACKAGE}, or put the files {', '.join(FILES)} into "
        f"{folder}. Tried: {' | '.join(problems)}"
    )


def _read_from(place: Path) -> dict[str, bytes]:
    """The four files' decompressed content; an OSError says which is missing or not what it should be."""
    contents = {}
    for name, digest in FILES.items():
        path = place / name
        try:
            contents[name] = gzip.decompress(path.read_bytes())
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise OSError(f"{path}: not a whole gzip file ({error}).") from None
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise OSError(f"{path}: its SHA-256 is not Fashion-MNIST's.")
    return contents


def _unpack_package(folder: Path) -> None:
    """Download and unpack Debian's package without root, by package lists of its own: a fresh machine has none."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for place in ("lists/partial", "cache/archives/partial"):
            (scratch / place).mkdir(parents=True)
        apt = ["apt-get"]
        for setting in (f"Dir::State::Lists={scratch}/lists", f"Dir::Cache={scratch}/cache", "APT::Sandbox::User=root"):
            apt += ["-o", setting]
        unpack = ["sh", "-c", f"dpkg-deb -x {_PACKAGE}_*.deb unpacked"]
        for command in ([*apt, "update"], [*apt, "download", _PACKAGE], unpack):
            subprocess.run(command, cwd=scratch, check=True, capture_output=True, timeout=300)
        for file in FILES:
            with replacing_file(folder / file) as temporary:
                shutil.copyfile(scratch / "unpacked" / INSTALLED.relative_to("/") / file, temporary)


def _download(folder: Path) -> None:
    """Fetch the four files over HTTPS. Their content is checked when it is read; how they are packed may change."""
    files = pooch.create(folder, HTTPS, registry=dict.fromkeys(FILES), retry_if_failed=2)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)  # pooch would keep what is there, and that is wrong
        files.fetch(name)
