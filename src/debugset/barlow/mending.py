"""Mending failure modes on purpose: which there are, and which of their failures images are collected for."""

import math
from collections.abc import Sequence

import pandas as pd

from debugset.base.names import composed
from debugset.base.text_table import text_table


def select_failures(
    names: Sequence[str], modes: pd.DataFrame, members: pd.DataFrame, class_names: Sequence[str], debug: Sequence[str]
) -> pd.DataFrame:
    """The failures of the discovery half that the modes' rules hold for; the held-out half stays unused, as proof.

    Args:
        names: of the modes.
        modes: the table of the stage `barlow`.
        members: mode, image_id, label, half, inside, failed.
        debug: names of the debug classes; nothing can be collected for others.

    Returns:
        mode, class_name, image_id; an image that several modes hold comes once.

    Raises:
        ValueError: a mode is unknown, or none of its failures is of a debug class.
    """
    found = members[members["inside"] & members["failed"] & (members["half"] == "discovery")]
    parts = []
    for name in map(composed, names):  # as classes are
        if name not in set(modes["mode"]):
            raise ValueError(f"{name}: is no failure mode; `debugset barlow list` names them")
        mine = found[found["mode"] == name]
        labels = [class_names[label] for label in mine["label"]]
        failures = pd.DataFrame({"mode": name, "class_name": labels, "image_id": mine["image_id"].to_numpy()})
        failures = failures[failures["class_name"].isin(list(debug))]
        if failures.empty:
            raise ValueError(f"{name}: none of its failures is of a debug class; add classes to `errors.classes`")
        parts.append(failures)
    return pd.concat(parts, ignore_index=True).drop_duplicates("image_id", ignore_index=True)


def listing(modes: pd.DataFrame, mended: Sequence[str]) -> str:
    """The modes of the stage `barlow` as text, a line each; those that are mended wear an asterisk."""
    if modes.empty:
        return "no failure modes were found"
    lines = []
    for mode in modes.to_dict("records"):
        shares = [mode["error_rate"], mode["base_error_rate"], mode["error_coverage"], mode["heldout_error_rate"]]
        mark = "*" if mode["mode"] in mended else ""
        verdict = "" if mode["holds"] else "  (does not hold)"
        lines.append([mode["mode"], mark, *map(_percent, shares), mode["words"] + verdict])
    return text_table(("mode", "", "error", "base", "of errors", "held out", "rule"), lines)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.0f} %"
