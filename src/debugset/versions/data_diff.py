"""What changed between two versions of an image set: images added, removed, relabelled, replaced."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from debugset.base.text_table import text_table

ADDED, REMOVED, RELABELLED, REPLACED = CHANGES = ("added", "removed", "relabelled", "replaced")


def changed_images(
    old: pd.DataFrame, new: pd.DataFrame, old_classes: Sequence[str], new_classes: Sequence[str]
) -> pd.DataFrame:
    """The images that differ between two versions of a set.

    Args:
        old, new: manifests: ``id`` (unique), ``label`` (an index into the classes), ``sha256``.
        old_classes, new_classes: the class names that the labels index; versions may number classes differently.

    Returns:
        A row an image, by change as in `CHANGES`, class and id: ``change, id, old_class, new_class``, the latter ""
        where the image is not in that version. A relabelled image counts as that alone, whatever its file;
        ``replaced`` has another file under the same id and class.

    Raises:
        ValueError: a manifest names an image twice, or a label that no class has.
    """
    before, after = _class_and_file(old, old_classes, "old"), _class_and_file(new, new_classes, "new")
    both = before.join(after, how="outer").sort_index()
    in_old, in_new = both["old_class"].notna(), both["new_class"].notna()
    relabelled = in_old & in_new & (both["old_class"] != both["new_class"])
    replaced = in_old & in_new & ~relabelled & (both["old_sha256"] != both["new_sha256"])
    choices = [in_new & ~in_old, in_old & ~in_new, relabelled, replaced]  # in the order of CHANGES
    both["place"] = np.select(choices, list(range(len(CHANGES))), default=-1)
    changed = both[both["place"] >= 0].reset_index().fillna({"old_class": "", "new_class": ""})
    changed = changed.sort_values(["place", "new_class", "old_class", "id"], ignore_index=True)
    changed["change"] = np.array(CHANGES, dtype=object)[changed["place"]]
    return changed[["change", "id", "old_class", "new_class"]]


def _class_and_file(manifest: pd.DataFrame, classes: Sequence[str], version: str) -> pd.DataFrame:
    if manifest["id"].duplicated().any():
        raise ValueError(f"{version} manifest: image {manifest['id'][manifest['id'].duplicated()].iloc[0]} comes twice")
    labels = manifest["label"].to_numpy(np.int64)
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
        raise ValueError(f"{version} manifest: label {labels.max()} is no index into its {len(classes)} classes")
    names = np.array([*classes, ""], dtype=object)[labels]
    content = {f"{version}_class": names, f"{version}_sha256": manifest["sha256"].to_numpy(object)}
    return pd.DataFrame(content, index=pd.Index(manifest["id"], name="id"))


def by_class(
    changed: pd.DataFrame, old: pd.DataFrame, new: pd.DataFrame, old_classes: Sequence[str], new_classes: Sequence[str]
) -> pd.DataFrame:
    """Counts of a class in each row, in the order of the classes, new ones last: what came, went and stayed.

    Takes what `changed_images` returns, then what it takes, and gives ``class, old, added, removed, relabelled_from,
    relabelled_to, replaced, new``, so that old + added - removed - relabelled_from + relabelled_to = new.
    """
    lost = pd.crosstab(changed["old_class"], changed["change"])
    gained = pd.crosstab(changed["new_class"], changed["change"])
    counts = {
        "old": old["label"].map(dict(enumerate(old_classes))).value_counts(),
        "added": gained.get(ADDED),
        "removed": lost.get(REMOVED),
        "relabelled_from": lost.get(RELABELLED),
        "relabelled_to": gained.get(RELABELLED),
        "replaced": gained.get(REPLACED),
        "new": new["label"].map(dict(enumerate(new_classes))).value_counts(),
    }
    classes = pd.Index(dict.fromkeys([*old_classes, *new_classes]), name="class")
    return pd.DataFrame(counts, index=classes).fillna(0).astype(int).reset_index()


def counts_table(table: pd.DataFrame) -> str:
    """Counts by class as text: classes that changed, then the sum of all classes."""
    counts = table.set_index("class")
    moved = counts[["added", "removed", "relabelled_from", "relabelled_to", "replaced"]].any(axis=1)
    total = counts.sum().to_frame(f"all {len(counts)} classes").T
    shown = pd.concat([counts[moved], total]).map("{:,}".format).reset_index(names="class")
    heading = shown.columns.str.replace("_", " ")
    return text_table(heading.tolist(), shown.to_numpy().tolist(), justify="right")
