"""What changed between two versions of an image set: images added, removed, relabelled, replaced."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

ADDED, REMOVED, RELABELLED, REPLACED = CHANGES = ("added", "removed", "relabelled", "replaced")


def changed_images(
    old: pd.DataFrame, new: pd.DataFrame, old_classes: Sequence[str], new_classes: Sequence[str]
) -> pd.DataFrame:
    """The images that differ between two versions of a set.

    Args:
        old: the old manifest: ``id`` (unique), ``label`` (an index into the classes), ``sha256``.
        new: the new one.
        old_classes: the class names that the old labels index; versions may number classes differently.
        new_classes: the same for the new ones.

    Returns:
        A row an image, by change as in `CHANGES`, class and id: ``change, id, old_class, new_class``, the latter ""
        where the image is not in that version. A relabelled image counts as that alone, whatever its file;
        ``replaced`` has another file under the same id and class.

    Raises:
        ValueError: a manifest names an image twice, or a label that no class has.
    """
    tables = [_named(old, old_classes, "old"), _named(new, new_classes, "new")]
    both = tables[0].join(tables[1], how="outer").sort_index()
    before, after = both["old_class"].notna(), both["new_class"].notna()
    relabelled = before & after & (both["old_class"] != both["new_class"])
    replaced = before & after & ~relabelled & (both["old_sha256"] != both["new_sha256"])
    choices = [after & ~before, before & ~after, relabelled, replaced]
    change = np.select([choice.to_numpy(bool) for choice in choices], CHANGES, default="")
    found = both.assign(change=change).reset_index().fillna({"old_class": "", "new_class": ""})
    found = found[found["change"] != ""]
    order = found["change"].map({name: place for place, name in enumerate(CHANGES)})
    found = found.assign(order=order).sort_values(["order", "new_class", "old_class", "id"], ignore_index=True)
    return found[["change", "id", "old_class", "new_class"]]


def _named(manifest: pd.DataFrame, classes: Sequence[str], version: str) -> pd.DataFrame:
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

    Args:
        changed: as `changed_images` returns it.
        old: the old manifest.
        new: the new one.
        old_classes: the class names that the old labels index.
        new_classes: the same for the new ones.

    Returns:
        ``class, old, added, removed, relabelled_from, relabelled_to, replaced, new``, so that
        old + added - removed - relabelled_from + relabelled_to = new.
    """
    classes = list(dict.fromkeys([*old_classes, *new_classes]))

    def counts(names: pd.Series) -> np.ndarray:
        return names.value_counts().reindex(classes, fill_value=0).to_numpy()

    def of(change: str, column: str) -> np.ndarray:
        return counts(changed.loc[changed["change"] == change, column])

    return pd.DataFrame(
        {
            "class": classes,
            "old": counts(old["label"].map(dict(enumerate(old_classes)))),
            "added": of(ADDED, "new_class"),
            "removed": of(REMOVED, "old_class"),
            "relabelled_from": of(RELABELLED, "old_class"),
            "relabelled_to": of(RELABELLED, "new_class"),
            "replaced": of(REPLACED, "new_class"),
            "new": counts(new["label"].map(dict(enumerate(new_classes)))),
        }
    )


def text_table(table: pd.DataFrame) -> str:
    """Counts by class as text: classes that changed, then the sum of all classes."""
    counts = table.drop(columns=["class"])
    moved = counts[["added", "removed", "relabelled_from", "relabelled_to", "replaced"]].any(axis=1)
    total = pd.DataFrame([{"class": f"all {len(table)} classes", **counts.sum().to_dict()}])
    shown = pd.concat([table[moved], total], ignore_index=True)
    lines: Sequence[Sequence[str]] = [
        [name.replace("_", " ") for name in shown.columns],
        *([str(row[0]), *(f"{count:,}" for count in row[1:])] for row in shown.itertuples(index=False)),
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)
