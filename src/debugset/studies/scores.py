"""Scores: the figures of all people together, and of each script apart from them."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from debugset.base.text_table import text_table
from debugset.studies.figures import Figure
from debugset.studies.kit import KINDS, Kit

PEOPLE = "people"


def compute_scores(kit: Kit, answers: pd.DataFrame) -> dict[str, list[Figure]]:
    """The figures of the people, if there are any, and of every script; arguments as of `read_answers`."""
    return {who: KINDS[kit.kind].compute_figures(kit.tasks, part) for who, part in _parts(answers)}


def scores_json(kit: Kit, answers: pd.DataFrame, scores: dict[str, list[Figure]]) -> dict[str, Any]:
    """The scores as JSON takes them, with what the kit was made of and who answered how many tasks."""
    groups = {}
    for who, part in _parts(answers):
        counts = part["annotator"].value_counts(sort=False)
        groups[who] = {
            "scripted": bool(part["scripted"].iloc[0]),
            "answered": {str(name): int(count) for name, count in counts.items()},
            "missing": int((len(kit.tasks) - counts).sum()),
            "figures": {figure.name: _as_json(figure) for figure in scores[who]},
        }
    return {"kit": kit.id, "kind": kit.kind, "about": kit.about, "tasks": len(kit.tasks), "answers": groups}


def scores_text(kit: Kit, answers: pd.DataFrame, scores: dict[str, list[Figure]]) -> str:
    """The scores as a table, and who left tasks out."""
    rows = []
    for who, figures in scores.items():
        names = [who] + [""] * len(figures)
        rows += [_row(name, figure) for name, figure in zip(names, figures, strict=False)]
    lines = [text_table(["", "", "%", "95 %", "chance", "answers"], rows)]
    for name, count in answers["annotator"].value_counts(sort=False).items():
        if count < len(kit.tasks):
            lines.append(f"{name} answered {count} of {len(kit.tasks)} tasks; the others count nowhere")
    return "\n".join(lines)


def _parts(answers: pd.DataFrame) -> Iterable[tuple[str, pd.DataFrame]]:
    """The answers of all people, then of each script by its name."""
    people = answers[~answers["scripted"].astype(bool)]
    if len(people):
        yield PEOPLE, people
    for name, part in answers[answers["scripted"].astype(bool)].groupby("annotator", sort=True):
        yield f"{name} (scripted)", part


def _row(who: str, figure: Figure) -> list[str]:
    interval = f"{_percent(figure.low)} to {_percent(figure.high)}" if math.isfinite(figure.low) else "-"
    return [who, figure.name, _percent(figure.share), interval, _percent(figure.chance), str(figure.answers)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if math.isfinite(share) else "-"


def _as_json(figure: Figure) -> dict[str, Any]:
    """A figure's numbers; null for what is not known."""
    content = {}
    for name, value in figure._asdict().items():
        content[name] = value if isinstance(value, str) or math.isfinite(value) else None
    del content["name"]
    return content
