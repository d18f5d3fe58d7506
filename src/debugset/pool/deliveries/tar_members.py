"""The members of a tar, where their bytes lie, and the content of those that are texts."""

import re
import tarfile
from collections import Counter
from collections.abc import Collection, Iterator
from os import SEEK_CUR
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from debugset.base.names import ending
from debugset.pool.deliveries.delivery import is_hidden

_LONGEST_TEXT = 1_000_000  # bytes
# How gzip, bzip2, xz and zstd begin. A tar begins with a name, which may be "BZhang.jpg".
_COMPRESSED = re.compile(rb"\x1f\x8b|BZh[1-9]1AY&SY|\xfd7zXZ\0|\x28\xb5\x2f\xfd")


class Member(NamedTuple):
    """A file in a tar: its name, the offset and number of its bytes, and the bytes themselves of a text."""

    name: str
    offset: int
    size: int
    text: bytes


def read_members(path: Path, where: str, texts: Collection[str], passed: Counter[str]) -> Iterator[Member]:
    """The files of an uncompressed tar, and of others that were joined to it, without hidden ones.

    A hard link is the file that it names.

    Args:
        path: the tar.
        where: what error texts call it.
        texts: the endings of texts, as ``.txt``.
        passed: counts the links and special files that are passed over, by kind.

    Raises:
        ValueError: it is compressed or broken, or a text is too long.
        OSError: it cannot be read.
    """
    name, last, files = "the first", "", dict[str, tarfile.TarInfo]()
    with path.open("rb") as file:
        if _COMPRESSED.match(file.read(tarfile.BLOCKSIZE)):
            raise compressed(where)
        file.seek(0)
        try:
            for tar in _joined_tars(file):
                for info in tar:
                    name = last = info.name
                    target = _find_file(info, files, passed)
                    if target is not None:
                        yield Member(name, target.offset_data, target.size, _read_text(tar, target, name, texts, where))
                name = f"what follows {last}"
        except tarfile.TarError as error:
            raise ValueError(f"{where}: broken tar at member {name} ({error}); copy or write it again") from None


def compressed(where: str) -> ValueError:
    """The error of a compressed tar, in which no bytes can be found by their offset."""
    mend = "decompress it, as by `gunzip` or `zstd -d`"
    return ValueError(f"{where}: is compressed, and photos are read where they lie; {mend}")


def _joined_tars(file: BinaryIO) -> Iterator[tarfile.TarFile]:
    """The tars in a file, one after the other, as `cat` joins them; each must be read before the next is asked for."""
    is_at_end = False
    while not is_at_end:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            yield tar
            file.seek(tar.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # a tar not written to its end lacks zeros
            raise tarfile.ReadError("it is no member and no end")
        is_at_end = _skip_zeros(file)


def _skip_zeros(file: BinaryIO) -> bool:
    """Go to the next block that holds more than zeros; whether there is none."""
    while block := file.read(tarfile.BLOCKSIZE):
        if any(block):
            file.seek(-len(block), SEEK_CUR)
            return False
    return True


def _find_file(
    info: tarfile.TarInfo, files: dict[str, tarfile.TarInfo], passed: Counter[str]
) -> tarfile.TarInfo | None:
    """What holds a member's bytes: itself, or for a hard link one of the earlier ``files``; None is passed over."""
    folders_and_name = [part for part in PurePosixPath(info.name).parts if part != ".."]
    if info.isdir() or any(map(is_hidden, folders_and_name)):
        return None
    if info.isreg() and not info.issparse():  # the bytes of a sparse file do not lie together
        files[info.name] = info
        return info
    if info.islnk() and info.linkname in files:
        return files[info.linkname]
    passed["link" if info.islnk() or info.issym() else "special file"] += 1
    return None


def _read_text(tar: tarfile.TarFile, info: tarfile.TarInfo, name: str, texts: Collection[str], where: str) -> bytes:
    """The content of a text that a member called ``name`` holds; of others nothing."""
    if ending(name) not in texts:
        return b""
    if info.size > _LONGEST_TEXT:
        raise ValueError(
            f"{where}: member {name} has {info.size:,} bytes, a text may have {_LONGEST_TEXT:,}; write the tar again"
        )
    return tar.extractfile(info).read()  # type: ignore[union-attr]
