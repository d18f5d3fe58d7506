"""A sweep's experiments: what each swept parameter was, and the accuracies that came of it, as git holds them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from debugset.base.git import git
from debugset.base.params import PARAMS_FILE, parse
from debugset.base.paths import METRICS
from debugset.report.accuracy_text import read_accuracies
from debugset.report.headings import VARIANT_ORDER

_ACCURACY = METRICS / "accuracy.json"


class Experiment(NamedTuple):
    """A finished experiment.

    Attributes:
        name: as DVC calls it, or the revision.
        params: its params, by dotted key.
        variants: variant -> column -> accuracy, low, high, images, as in metrics/accuracy.json.
    """

    name: str
    params: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Mapping[str, float]]]


def read_experiments(revisions: Sequence[str]) -> list[Experiment]:
    """Read experiments, tags, branches or commits from git; without any name all experiments on HEAD, and HEAD.

    Raises:
        ValueError: git knows no such revision, it has no results or broken ones, or HEAD has no experiments.
    """
    commits = _commits_on_head() if not revisions else {}
    for revision in revisions:
        commits[revision] = _commit(revision)
    experiments = []
    for name, commit in commits.items():
        params = leaves(parse(_read_text(name, commit, PARAMS_FILE), PARAMS_FILE))
        mend = "leave it out, or run it to its end and commit that"
        accuracy = read_accuracies(_read_text(name, commit, _ACCURACY), f"{name}: {_ACCURACY}", mend)
        experiments.append(Experiment(name, params, accuracy["variants"]))
    return experiments


def _commits_on_head() -> dict[str, str]:
    """The commits of all experiments on HEAD by name, and HEAD."""
    head = git("rev-parse", "HEAD").strip()
    form = "--format=%(refname:lstrip=4) %(objectname)"  # refs/exps/<2 digits of HEAD>/<38 digits>/<name>
    refs = git("for-each-ref", form, f"refs/exps/{head[:2]}/{head[2:]}/").splitlines()
    if not refs:
        raise ValueError(
            "HEAD has no experiments; run `dvc exp run -S KEY=VALUE,VALUE --queue` and `dvc queue start`, "
            "or name experiments, tags or branches"
        )
    return dict(map(str.split, refs)) | {"HEAD": head}


def _commit(revision: str) -> str:
    """The commit of a revision; of several experiments of that name, the newest."""
    commit = git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", check=False).strip()
    if not commit:
        refs = git("for-each-ref", "--sort=-committerdate", "--format=%(objectname)", f"refs/exps/*/*/{revision}")
        commit = refs.split("\n")[0]
    if not commit:
        raise ValueError(f"{revision}: git knows no such experiment, tag, branch or commit")
    return commit


def _read_text(name: str, commit: str, path: Path) -> str:
    text = git("show", f"{commit}:{path}", check=False)
    if not text:
        raise ValueError(f"{name}: has no {path}; leave it out, or run it to its end and commit that")
    return text


def leaves(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping's values by dotted key; lists are values."""
    values: dict[str, Any] = {}
    for key, value in params.items():
        if isinstance(value, dict):
            values |= leaves(value, f"{prefix}{key}.")
        else:
            values[f"{prefix}{key}"] = value
    return values


def swept_param(experiments: Sequence[Experiment]) -> str:
    """The parameter in which the experiments differ.

    Raises:
        ValueError: they differ in none, or in several, which are named.
    """
    params = pd.DataFrame([experiment.params for experiment in experiments]).astype(str)  # a list has no hash
    differing = sorted(params.columns[params.nunique(dropna=False) > 1])
    if len(differing) != 1:
        why = f"they differ in {', '.join(differing)}" if differing else "they have the same parameters"
        raise ValueError(f"--param: name the parameter to draw against, for these experiments: {why}")
    return differing[0]


def accuracies(experiments: Sequence[Experiment], param: str, column: str) -> pd.DataFrame:
    """A row an experiment and variant, for a param's dotted key and a column of metrics/accuracy.json, as ``heldout``.

    Returns:
        ``experiment, value, variant, accuracy, low, high``, in percent, by value (numbers before words), variant (in
        the report's order) and experiment.

    Raises:
        ValueError: an experiment lacks the parameter, or none has the column.
    """
    rows = []
    columns: set[str] = set()
    for name, params, variants in experiments:
        if param not in params:
            raise ValueError(f"{name}: its params have no `{param}`; check --param")
        for variant, cells in variants.items():
            columns |= cells.keys()
            if column in cells:
                cell = cells[column]
                percents = 100 * cell["accuracy"], 100 * cell["low"], 100 * cell["high"]
                rows.append((name, params[param], variant, *percents))
    if not rows:
        raise ValueError(f"--metric {column}: no experiment has it; choose from {', '.join(sorted(columns))}")
    rows.sort(key=_order)
    return pd.DataFrame(rows, columns=["experiment", "value", "variant", "accuracy", "low", "high"])


def _order(row: tuple[str, Any, str, float, float, float]) -> tuple:
    """By value, numbers before words; by variant as in the report, with those that it does not know last; by name."""
    name, value, variant, *_ = row
    by_value = (0, float(value), "") if is_number(value) else (1, 0.0, str(value))
    place = VARIANT_ORDER.index(variant) if variant in VARIANT_ORDER else len(VARIANT_ORDER)
    return by_value, place, variant, name


def is_number(value: Any) -> bool:
    """Whether a parameter's value has a place on an axis of numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)
