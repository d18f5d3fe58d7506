"""ImageNet and ImageNet-V2 where they lie: which files make which set, and what manifests say of them.

Files are named relative to the folder in ``$IMAGENET_ROOT`` and never copied. Classes are ImageNet's 1,000
wnids in sorted order; their words are WordNet's, as timm bundles them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator

from debugset.base.names import counted_kinds, ending
from debugset.base.params import Section
from debugset.base.paths import DIAGNOSIS, HELDOUT_SOURCE, SEED_SOURCE, TEST, TRAIN
from debugset.datasets.collection import read_files
from debugset.images.content import FAULT_TEXTS, IMAGE_ENDINGS, MAX_PIXELS, inspect_file

ROOT_VARIABLE = "IMAGENET_ROOT"
_MATCHED = "matched_frequency"
_RELEASE_IMAGES = 10  # images a class in every release of ImageNet-V2
_FILES_NAMED = 5  # in an error about many
_HELP = "docs/imagenet.md tells what belongs there"
CONTENT = f"ImageNet and ImageNet-V2 ({_HELP})"


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
    """Section ``prepare`` with ``source: imagenet``: folders relative to ``$IMAGENET_ROOT``."""

    source: Literal["imagenet"]
    train: Folder  # ImageNet's training images, one folder a wnid
    test: Folder  # its validation images, sorted into one folder a wnid
    diagnosis: Folder  # images for the diagnoses, one folder a wnid; some classes may be missing
    releases: Releases  # ImageNet-V2, which gives seed and held-out images


@cache
def lemmas() -> dict[str, tuple[str, ...]]:
    """WordNet's words for every class, by wnid, in the order of the labels."""
    from timm.data import ImageNetInfo  # here, because it imports torch

    known = ImageNetInfo()
    return {wnid: tuple(known.label_name_to_description(wnid).split(", ")) for wnid in sorted(known.label_names())}


def class_names() -> tuple[str, ...]:
    """Every class's first word, with its wnid where two classes share that word, as both cranes do."""
    classes_with = Counter(words[0].casefold() for words in lemmas().values())
    names = []
    for wnid, words in lemmas().items():
        names.append(words[0] if classes_with[words[0].casefold()] == 1 else f"{words[0]} ({wnid})")
    return tuple(names)


def synonyms(names: Iterable[str]) -> dict[str, list[str]]:
    """The queries of classes: WordNet's synonyms of each (Data-Centric Debugging, section 3.2).

    A photo that two classes find is dropped. A word that several of the classes share is therefore asked only
    for the one that it comes first in, or for none: a class may be left without a query.

    Raises:
        ValueError: a name is none of `class_names`.
    """
    words_of = dict(zip(class_names(), lemmas().values(), strict=True))
    names, asking, leading = list(names), Counter[str](), Counter[str]()
    for name in names:
        if name not in words_of:
            raise ValueError(f"names: {name!r} is not a class; see debugset.datasets.imagenet.class_names()")
        asking.update(map(str.casefold, words_of[name]))
        leading[words_of[name][0].casefold()] += 1
    queries: dict[str, list[str]] = {}
    for name in names:
        queries[name] = []
        for word in words_of[name]:
            leads_alone = word == words_of[name][0] and leading[word.casefold()] == 1
            if asking[word.casefold()] == 1 or leads_alone:
                queries[name].append(word)
    return queries


def list_sets(root: Path, params: ImageNetParams) -> dict[str, pd.DataFrame]:
    """The images of the five sets; all are listed before the first is read, so that a missing folder shows at once.

    Held-out images are those that the matched release lacks, each from the first other one that has it (section 3.4).
    Columns: id (the file's name without its ending, behind the wnid where names repeat), label, shard (below ``root``).

    Raises:
        FileNotFoundError: a folder is missing.
        ValueError: a folder lacks classes, or is not what its place asks for, or no image is held out.
    """
    releases = {name: _list_release_files(root, folder) for name, folder in params.releases.model_dump().items()}
    released = pd.concat(releases.values(), ignore_index=True).drop_duplicates("id")
    heldout = released[~released["id"].isin(releases[_MATCHED]["id"])]
    if heldout.empty:
        raise ValueError(
            "prepare.releases: threshold and top_images hold no image that matched_frequency lacks, so none is held "
            f"out; name three different releases ({_HELP})"
        )
    return {
        SEED_SOURCE: releases[_MATCHED],
        HELDOUT_SOURCE: heldout.sort_values(["label", "id"], ignore_index=True),
        DIAGNOSIS: _list_class_files(root, params.diagnosis, every_class=False),
        TEST: _list_class_files(root, params.test),
        TRAIN: _list_class_files(root, params.train),
    }


def _list_class_files(root: Path, folder: str, *, every_class: bool = True) -> pd.DataFrame:
    """The images of a folder with one folder a wnid, by class and name; ``every_class`` must have some."""
    wnids = list(lemmas())
    files = _list_files(root, folder, wnids)
    present = set(files["label"])
    missing = set(range(len(wnids))) - present
    if missing and (every_class or not present):
        raise ValueError(
            f"{root / folder}: images of {len(present)} of {len(wnids)} classes, none of {wnids[min(missing)]}; "
            f"expected one folder a wnid ({_HELP})"
        )
    if files["id"].duplicated().any():
        files["id"] = files["label"].map(wnids.__getitem__) + "_" + files["id"]
    return files


def _list_release_files(root: Path, folder: str) -> pd.DataFrame:
    """The images of a release of ImageNet-V2, whose folders are the labels in decimal.

    An image has the same file name in every release that holds it, but for the older uploads, which are refused.
    """
    files = _list_files(root, folder, list(map(str, range(len(lemmas())))))
    counts = files["label"].value_counts().reindex(range(len(lemmas())), fill_value=0)
    wrong = counts[counts != _RELEASE_IMAGES]
    numbered = files.loc[files["id"].str.isdecimal(), "shard"]
    if any((root / folder / wnid).is_dir() for wnid in lemmas()):
        problem = "its folders are wnids instead of 0, 1, 2 ..."
    elif len(wrong):
        problem = f"folder {wrong.index[0]} holds {wrong.iloc[0]} images instead of {_RELEASE_IMAGES}"
    elif len(numbered):
        problem = f"{numbered.iloc[0]} is named by a number, so it can't be found in the other releases"
    else:
        return files
    raise ValueError(f"{root / folder}: an old or incomplete copy of ImageNet-V2: {problem}; fetch it anew ({_HELP})")


def describe_files(root: Path, files: pd.DataFrame, what: str) -> pd.DataFrame:
    """A manifest: a listing of `list_sets` with what reading each file once tells. The progress bar says ``what``.

    Each image is decoded, for one that is broken would else stop a training hours later.

    Raises:
        OSError: a file can't be read.
        ValueError: files are no images to use, which counts and names them, or two images have one id.
    """
    twice = files[files["id"].duplicated()]
    if len(twice):
        raise ValueError(f"{root / twice['shard'].iloc[0]}: the set holds another image of that name ({_HELP})")
    rows = read_files(_describe, [root / shard for shard in files["shard"]], what)
    columns = pd.DataFrame(rows, columns=["fault", "sha256", "width", "height", "size"], index=files.index)
    _refuse_faults(root, files["shard"], columns.pop("fault"))
    return files.assign(**columns, offset=0)


def _refuse_faults(root: Path, shards: pd.Series, faults: pd.Series) -> None:
    wrong = faults.index[faults != ""]
    if len(wrong):
        named = [f"{shards[row]} ({FAULT_TEXTS[faults[row]]})" for row in wrong[:_FILES_NAMED]]
        more = f" and {len(wrong) - _FILES_NAMED:,} more" if len(wrong) > _FILES_NAMED else ""
        counted = f"{len(wrong):,} of {len(shards):,} files are no images to use"
        raise ValueError(f"{root}: {counted}: {', '.join(named)}{more}; restore them")


def _describe(path: Path) -> tuple[str, str, int, int, int]:
    """Why a file is no image, the digest of its content, the picture's width and height, and the file's size."""
    content = path.read_bytes()
    found = inspect_file(content, MAX_PIXELS)
    return found.fault, found.sha256, found.width, found.height, len(content)


def _list_files(root: Path, folder: str, class_folders: Sequence[str]) -> pd.DataFrame:
    """The images in the class folders that exist, each folder's by name; a label is its place in their order.

    Says how much else lies in these folders and beside them.
    """
    top = root / folder
    if not top.is_dir():
        raise FileNotFoundError(f"{top}: no such folder; correct section `prepare` or {ROOT_VARIABLE} ({_HELP})")
    known = frozenset(class_folders)
    rows, others = [], Counter(_kind(path) for path in _visible(top) if path.name not in known)
    for label, class_folder in enumerate(class_folders):
        if not (top / class_folder).is_dir():
            continue
        for path in _visible(top / class_folder):
            if ending(path.name) in IMAGE_ENDINGS:
                shard = f"{folder}/{class_folder}/{path.name}"
                _require_utf8(root, shard)
                rows.append((path.name.rpartition(".")[0], label, shard))
            else:
                others[_kind(path)] += 1
    if others:
        kinds = ", ".join(counted_kinds(others))
        print(f"prepare: {top}: other files and folders passed over: {others.total():,} ({kinds})", flush=True)
    return pd.DataFrame(rows, columns=["id", "label", "shard"]).astype({"label": "int64"})


def _visible(folder: Path) -> list[Path]:
    """What a folder holds, by name, without what is hidden."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else ending(path.name)


def _require_utf8(root: Path, shard: str) -> None:
    """See to it that a manifest can hold the path of an image."""
    try:
        shard.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{root}: the name {shard!r} is not UTF-8; rename the file") from None
