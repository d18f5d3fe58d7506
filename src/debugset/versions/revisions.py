"""Image sets as a git revision names them, read through DVC: from the cache, else from the remote."""

import io
from contextlib import suppress
from typing import Any, NamedTuple

import pandas as pd
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.scm import RevError
from dvc_data.index import DataIndexDirError
from PIL import Image

from debugset.images.sets import MANIFEST, TAR, read_manifest

WORKSPACE = "workspace"


class SetVersion(NamedTuple):
    """An image set at a revision.

    Attributes:
        name: the revision.
        classes: the class names that labels in the manifest index.
        files: DVC's file system at the revision.
    """

    name: str
    manifest: pd.DataFrame
    classes: tuple[str, ...]
    folder: str
    files: Any

    def image(self, image_id: str) -> Image.Image | None:
        """An image of the set, decoded to RGB; None if its shard is not among DVC's files or is out of reach."""
        row: Any = self.manifest[self.manifest["id"] == image_id].iloc[0]
        if not row["shard"].endswith(TAR):
            return None
        with suppress(FileNotFoundError), self.files.open(f"{self.folder}/{row['shard']}", "rb") as file:
            file.seek(int(row["offset"]))
            return Image.open(io.BytesIO(file.read(int(row["size"])))).convert("RGB")
        return None


def set_at(revision: str, folder: str) -> SetVersion:
    """Read an image set, as ``data/pool``, as a revision has it; `WORKSPACE` is what lies in the folder now.

    Raises:
        ValueError: git knows no such revision, or the set is not in it.
        OSError: its manifest is neither in the cache nor on the remote.
    """
    try:
        files = DVCFileSystem(".", rev=None if revision == WORKSPACE else revision)
        with files.open(f"{folder}/{MANIFEST}", "rb") as file:
            manifest = read_manifest(io.BytesIO(file.read()))
    except RevError:
        raise ValueError(f"{revision}: git knows no such tag, branch, experiment or commit") from None
    except (FileNotFoundError, DataIndexDirError) as error:
        if str(getattr(error, "filename", None) or "").endswith(MANIFEST) and revision == WORKSPACE:
            raise ValueError(f"{folder}/{MANIFEST}: no such image set; run `dvc repro` or `dvc pull`") from None
        raise OSError(
            f"{revision}: {folder}/{MANIFEST} is not in this version, or neither in DVC's cache nor on the remote; "
            "check --set, and have its author `make push` that version"
        ) from None
    except DvcException as error:  # of many classes
        raise OSError(f"{revision}: {' '.join(str(error).split())}") from None
    return SetVersion(revision, manifest.rows, manifest.classes, folder, files)
