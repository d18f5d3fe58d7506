"""The files of deliveries, through links to folders too; every folder is read once."""

import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from debugset.pool.deliveries.delivery import is_hidden, mention
from debugset.pool.text_search import clean_text


def list_files(deliveries: Sequence[Path]) -> dict[Path, list[Path]]:
    """The files of each delivery that are not hidden, in the order of their paths.

    Folders come before links to them, so that each is read under its own name. Says which links were passed over.

    Args:
        deliveries: folders in one folder.

    Raises:
        ValueError: a link leads to no file.
        OSError: a folder cannot be read.
    """
    files: dict[Path, list[Path]] = {delivery: [] for delivery in deliveries}
    passed: dict[Path, list[Path]] = {delivery: [] for delivery in deliveries}
    waiting = deque((path, path) for path in sorted(deliveries, key=Path.is_symlink))  # links last
    read: set[Path] = set()
    while waiting:
        delivery, start = waiting.popleft()
        links = _read_folder(start, read, files[delivery], passed[delivery])
        waiting.extend((delivery, link) for link in links)
    for delivery in deliveries:
        _require_files(files[delivery], delivery)
        addresses = [_address(path, delivery) for path in passed[delivery]]
        where = f"{delivery.parent.name}/{delivery.name}"
        mention(where, "links in a circle or to folders read already", len(addresses), addresses)
    return {delivery: sorted(paths) for delivery, paths in files.items()}


def _read_folder(start: Path, read: set[Path], files: list[Path], passed: list[Path]) -> list[Path]:
    """Add the files of a folder and of all folders in it, if these are not in ``read``; gives the links to others."""
    if _is_circle(start):
        passed.append(start)
        return []
    _warn_of_link(start)
    links = []
    for name, folders, file_names in os.walk(start, onerror=_raise):  # does not follow links
        folder, real = Path(name), Path(name).resolve()
        if real in read:
            passed.append(folder)
            folders.clear()
            continue
        read.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        links += [folder / name for name in folders if (folder / name).is_symlink()]
        files += [folder / name for name in file_names if not is_hidden(name)]
    return links


def _is_circle(folder: Path) -> bool:
    """Whether a folder is a link to one that holds it."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _require_files(paths: Sequence[Path], delivery: Path) -> None:
    for path in paths:
        if not path.is_file():
            address = f"{delivery.parent.name}/{_address(path, delivery)}"
            raise ValueError(f"{address}: is no file or links to none; restore what it names, or remove it")


def _address(path: Path, delivery: Path) -> str:
    return path.relative_to(delivery.parent).as_posix()


def _warn_of_link(folder: Path) -> None:
    """Warn of a link: DVC hashes what ``sources`` holds but does not follow links to folders."""
    if folder.is_symlink():
        mend = "run `dvc repro --single-item --force scrape`"
        text = f"links to a folder, and DVC does not look there: after a change, {mend}"
        print(clean_text(f"warning: {folder.parent.name}/{folder.name} {text}"), flush=True)


def _raise(error: OSError) -> None:
    raise error
