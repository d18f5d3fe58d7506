"""Image sets as a git revision names them, read through DVC: from the cache, else from the remote."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from dvc.api import DVCFileSystem
from dvc.scm import RevError
from dvc_data.index import DataIndexDirError
from PIL import Image

from debugset.base.files import reading
from debugset.base.git import git
from debugset.images.content import decode_image
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
        try:
            with self.files.open(f"{self.folder}/{row['shard']}", "rb") as file:
                file.seek(int(row["offset"]))
                return decode_image(file.read(int(row["size"])))
        except Exception:  # a remote's client raises many kinds; the picture is drawn without this image
            return None


def set_at(revision: str, folder: str) -> SetVersion:
    """Read an image set, as ``data/pool``, as a revision has it; `WORKSPACE` is what lies in the folder now.

    Raises:
        ValueError: git knows no such revision, the set is not in it, or its manifest is broken.
        OSError: its manifest is neither in the cache nor on the remote, or the repository is another user's.
    """
    git("rev-parse", "--git-dir")  # its words for another user's clone tell the mend, those of DVC's libraries do not
    path = f"{folder}/{MANIFEST}"
    try:
        files = DVCFileSystem(".", rev=None if revision == WORKSPACE else revision)
        with files.open(path, "rb") as file:
            content = file.read()
    except RevError:
        raise ValueError(f"{revision}: git knows no such tag, branch, experiment or commit") from None
    except (FileNotFoundError, DataIndexDirError):
        if revision == WORKSPACE:
            raise ValueError(f"{path}: no such image set; check --set, run `dvc repro` or `dvc pull`") from None
        raise OSError(
            f"{revision}: {path} is not in this version, or neither in DVC's cache nor on the remote; "
            "check --set, run `dvc pull`, or have its author `make push` that version"
        ) from None
    except Exception as error:  # a remote's client raises many kinds
        why = " ".join(str(error).split()) or type(error).__name__
        raise OSError(f"{revision}: {path} is out of reach ({why}); run `dvc pull`, which tells more") from error
    with reading(Path(path), f"{revision}: not a manifest of images", "restore it by `dvc pull`, or `dvc repro`"):
        manifest = read_manifest(io.BytesIO(content))
    return SetVersion(revision, manifest.rows, manifest.classes, folder, files)
