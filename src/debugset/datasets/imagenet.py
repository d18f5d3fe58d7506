"""ImageNet and ImageNet-V2 where they lie: which files make which set, and what manifests say of them.

Files are named relative to the folder in ``$IMAGENET_ROOT`` and never copied. Classes are ImageNet's 1,000
wnids in sorted order; their words are WordNet's, as timm bundles them.
"""

import hashlib
import io
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import pandas as pd
from PIL import Image, UnidentifiedImageError
from pydantic import AfterValidator

from debugset.base.machine import workers
from debugset.base.params import Section
from debugset.base.progress import progress

ROOT_VARIABLE = "IMAGENET_ROOT"
MATCHED = "matched_frequency"
RELEASE_IMAGES = 10  # images a class in every release of ImageNet-V2
FILES_AT_A_TIME = 1000  # a million jobs waiting at once would fill the memory
SUFFIXES = (".jpeg", ".jpg", ".png")
HELP = "docs/imagenet.md tells what belongs there"


def _below_root(folder: str) -> str:
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"expected a folder relative to {ROOT_VARIABLE}, so that manifests hold on any machine")
    return str(path)


Folder = Annotated[str, AfterValidator(_below_root)]


class Releases(Section):
    """The three releases of ImageNet-V2: folders named 0 to 999, ten images in each."""

    matched_frequency: Folder
    threshold: Folder
    top_images: Folder


class ImageNetParams(Section):
    """Section ``prepare`` with ``source: imagenet``: folders relative to ``$IMAGENET_ROOT``.

    Attributes:
        train: ImageNet's training images, one folder a wnid.
        test: its validation images, sorted into one folder a wnid.
        diagnosis: images for the diagnoses, one folder a wnid; some classes may be missing.
        releases: ImageNet-V2, which gives seed and held-out images.
    """

    source: Literal["imagenet"]
    train: Folder
    test: Folder
    diagnosis: Folder
    releases: Releases


def image_root() -> Path:
    """The folder that all image files lie below.

    Raises:
        ValueError: the environment does not name one.
    """
    if not os.environ.get(ROOT_VARIABLE):
        raise ValueError(f"{ROOT_VARIABLE}: not set; set it to the folder that holds ImageNet and ImageNet-V2 ({HELP})")
    return Path(os.environ[ROOT_VARIABLE])


@cache
def lemmas() -> dict[str, tuple[str, ...]]:
    """WordNet's words for every class, by wnid, in the order of the labels."""
    from timm.data import ImageNetInfo  # here, because it imports torch

    known = ImageNetInfo()
    return {wnid: tuple(known.label_name_to_description(wnid).split(", ")) for wnid in sorted(known.label_names())}


def class_names() -> tuple[str, ...]:
    """Every class's first word, with its wnid where two classes share that word, as both cranes do."""
    shared = Counter(words[0].casefold() for words in lemmas().values())
    return tuple(
        words[0] if shared[words[0].casefold()] == 1 else f"{words[0]} ({wnid})" for wnid, words in lemmas().items()
    )


def synonyms(names: Iterable[str]) -> dict[str, list[str]]:
    """The queries of classes: WordNet's synonyms of each (Data-Centric Debugging, section 3.2).

    A photo that two classes find is dropped. A word that several of the classes share is therefore asked only
    for the one that it comes first in, or for none: a class may be left without a query.

    Args:
        names: some of `class_names`.

    Raises:
        ValueError: a name is not a class.
    """
    words_of = dict(zip(class_names(), lemmas().values(), strict=True))
    names = list(names)
    if unknown := [name for name in names if name not in words_of]:
        raise ValueError(
            f"names: {unknown[0]!r} is not a class of ImageNet; see debugset.datasets.imagenet.class_names()"
        )
    users = Counter(word.casefold() for name in names for word in words_of[name])
    leaders = Counter(words_of[name][0].casefold() for name in names)

    def asked(word: str, first: str) -> bool:
        return users[word.casefold()] == 1 or (word == first and leaders[word.casefold()] == 1)

    return {name: [word for word in words_of[name] if asked(word, words_of[name][0])] for name in names}


def class_files(root: Path, folder: str, *, every_class: bool = True) -> pd.DataFrame:
    """The images of a folder with one folder a wnid.

    Args:
        root: what ``folder`` and the shards are relative to.
        folder: the set's folder.
        every_class: whether each class must have images.

    Returns:
        id (the file's name without its ending, behind the wnid where names repeat), label and shard of every
        image, by class and name.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: classes are missing.
    """
    files = _listed(root, folder, {wnid: label for label, wnid in enumerate(lemmas())})
    present = set(files["label"])
    missing = [wnid for label, wnid in enumerate(lemmas()) if label not in present]
    if missing and (every_class or not present):
        raise ValueError(
            f"{root / folder}: images of {len(present)} of {len(lemmas())} classes, none of {missing[0]}; "
            f"expected one folder a wnid ({HELP})"
        )
    if files["id"].duplicated().any():
        files["id"] = [
            f"{PurePosixPath(shard).parent.name}_{id_}" for shard, id_ in zip(files["shard"], files["id"], strict=True)
        ]
    return files


def release_files(root: Path, folder: str) -> pd.DataFrame:
    """The images of a release of ImageNet-V2, whose folders are the labels in decimal.

    An image has the same file name in every release that holds it.

    Returns:
        As `class_files`; id is the file's name without its ending.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is one of the older uploads, or images are missing.
    """
    labels = {str(label): label for label in range(len(lemmas()))}  # sorted as text, 10 would precede 2
    files = _listed(root, folder, labels)
    counts = files["label"].value_counts().reindex(range(len(labels)), fill_value=0)
    numbered = files.loc[files["id"].str.isdecimal(), "shard"]
    if any((root / folder / wnid).is_dir() for wnid in lemmas()):
        problem = "its folders are wnids instead of 0, 1, 2 ..."
    elif (counts != RELEASE_IMAGES).any():
        label = int((counts != RELEASE_IMAGES).to_numpy().argmax())
        problem = f"folder {label} holds {counts[label]} images instead of {RELEASE_IMAGES}"
    elif len(numbered):
        problem = f"{numbered.iloc[0]} is named by a number, so it can't be found in the other releases"
    else:
        return files
    raise ValueError(f"{root / folder}: an old or incomplete copy of ImageNet-V2: {problem}; fetch it anew ({HELP})")


def complement(ids_by_release: Mapping[str, Sequence[str]], matched: str) -> list[str]:
    """The ids that other releases of a test set have and the matched one lacks, sorted (section 3.4).

    Args:
        ids_by_release: image ids of each release; ImageNet-V2 has three that overlap.
        matched: the release that gives the seeds, such as MatchedFrequency.

    Raises:
        ValueError: ``matched`` is not a release.
    """
    if matched not in ids_by_release:
        raise ValueError(f"matched: {matched!r} is not a release; choose one of {', '.join(ids_by_release)}")
    return sorted(set().union(*ids_by_release.values()) - set(ids_by_release[matched]))


def chosen_files(releases: Mapping[str, pd.DataFrame], ids: Collection[str]) -> pd.DataFrame:
    """The images of some ids, each from the first release that has it, by class and id."""
    files = pd.concat(releases.values(), ignore_index=True).drop_duplicates("id")
    return files[files["id"].isin(list(ids))].sort_values(["label", "id"], ignore_index=True)


def described(root: Path, files: pd.DataFrame, what: str) -> pd.DataFrame:
    """A manifest: the files' listing with what reading each of them once tells.

    Args:
        root: what shards are relative to.
        files: id, label and shard of every image.
        what: what the progress bar says.

    Raises:
        OSError: a file can't be read or is no image.
        ValueError: two images have one id.
    """
    twice = files[files["id"].duplicated()]
    if len(twice):
        raise ValueError(f"{root / twice['shard'].iloc[0]}: the set holds another image of that name ({HELP})")
    read: list[tuple[str, int, int, int]] = []
    paths = [root / shard for shard in files["shard"]]
    with ThreadPoolExecutor(workers()) as pool, progress(what=what, total=len(paths), unit=" images") as bar:
        for start in range(0, len(paths), FILES_AT_A_TIME):
            read += pool.map(_read, paths[start : start + FILES_AT_A_TIME])
            bar.update(len(read) - start)
    columns = pd.DataFrame(read, columns=["sha256", "width", "height", "size"], index=files.index)
    return files.assign(**columns, offset=0)


def _read(path: Path) -> tuple[str, int, int, int]:
    """A file's SHA-256, the width and height that its header tells, and its size."""
    content = path.read_bytes()
    try:
        width, height = Image.open(io.BytesIO(content)).size
    except UnidentifiedImageError:
        raise OSError(f"{path}: not an image; restore the file") from None
    return hashlib.sha256(content).hexdigest(), width, height, len(content)


def _listed(root: Path, folder: str, labels: Mapping[str, int]) -> pd.DataFrame:
    """The images in the folders that ``labels`` names and that exist, in its order, each folder's by name."""
    top = root / folder
    if not top.is_dir():
        raise FileNotFoundError(f"{top}: no such folder; correct section `prepare` or {ROOT_VARIABLE} ({HELP})")
    rows = [
        (name.rpartition(".")[0], label, f"{folder}/{class_folder}/{name}")
        for class_folder, label in labels.items()
        if (top / class_folder).is_dir()
        for name in sorted(path.name for path in (top / class_folder).iterdir())
        if name.lower().endswith(SUFFIXES) and not name.startswith(".")
    ]
    return pd.DataFrame(rows, columns=["id", "label", "shard"]).astype({"label": "int64"})
