"""A sweep's experiments: what each swept parameter was, and the accuracies that came of it, as git holds them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import yaml

from debugset.base.git import git
from debugset.report.inputs import VARIANTS

PARAMS, ACCURACY = "params.yaml", "metrics/accuracy.json"


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


def experiments(revisions: Sequence[str]) -> list[Experiment]:
    """Read experiments from git.

    Args:
        revisions: names of experiments, tags, branches or commits; all experiments on HEAD, and HEAD, if empty.

    Raises:
        ValueError: git knows no such revision, it has no results, or HEAD has no experiments.
    """
    if revisions:
        named = [(revision, _commit(revision)) for revision in revisions]
    else:
        head = git("rev-parse", "HEAD").strip()
        pattern = f"refs/exps/{head[:2]}/{head[2:]}/"
        listed = git("for-each-ref", "--format=%(refname) %(objectname)", pattern).split("\n")
        named = [(ref.rsplit("/", 1)[1], commit) for ref, _, commit in (line.partition(" ") for line in listed) if ref]
        if not named:
            raise ValueError(
                "HEAD has no experiments; run `dvc exp run -S KEY=VALUE,VALUE --queue` and `dvc queue start`, "
                "or name experiments, tags or branches"
            )
        named.append(("HEAD", head))
    return [_read(name, commit) for name, commit in named]


def _commit(revision: str) -> str:
    """The commit of a revision; of several experiments of that name, the newest."""
    found = git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", check=False).strip()
    if not found:
        refs = git("for-each-ref", "--sort=-committerdate", "--format=%(objectname)", f"refs/exps/*/*/{revision}")
        found = refs.split("\n")[0]
    if not found:
        raise ValueError(f"{revision}: git knows no such experiment, tag, branch or commit")
    return found


def _read(name: str, commit: str) -> Experiment:
    texts = {path: git("show", f"{commit}:{path}", check=False) for path in (PARAMS, ACCURACY)}
    for path, text in texts.items():
        if not text:
            raise ValueError(f"{name}: has no {path}; leave it out, or run it to its end and commit that")
    variants = json.loads(texts[ACCURACY])["variants"]
    return Experiment(name, leaves(yaml.safe_load(texts[PARAMS])), variants)


def leaves(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping's values by dotted key; lists are values."""
    found: dict[str, Any] = {}
    for key, value in params.items():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def swept(found: Sequence[Experiment]) -> str:
    """The parameter in which the experiments differ.

    Raises:
        ValueError: they differ in none, or in several, which are named.
    """
    keys = sorted({key for one in found for key in one.params})
    differing = [key for key in keys if any(one.params.get(key) != found[0].params.get(key) for one in found)]
    if len(differing) != 1:
        told = f"they differ in {', '.join(differing)}" if differing else "they have the same parameters"
        raise ValueError(f"--param: name the parameter to draw against, for these {len(found)} experiments: {told}")
    return differing[0]


def table(found: Sequence[Experiment], param: str, column: str) -> pd.DataFrame:
    """A row an experiment and variant.

    Args:
        found: the experiments.
        param: a dotted key.
        column: a column of metrics/accuracy.json, for example ``heldout``.

    Returns:
        ``experiment, value, variant, accuracy, low, high``, in percent, by value (numbers before words), variant (in
        the report's order) and experiment.

    Raises:
        ValueError: an experiment lacks the parameter, or none has the column.
    """
    rows = []
    for one in found:
        if param not in one.params:
            raise ValueError(f"{one.name}: its params have no `{param}`; check --param")
        for variant, cells in one.variants.items():
            if column in cells:
                shares = [100 * cells[column][key] for key in ("accuracy", "low", "high")]
                rows.append((one.name, one.params[param], variant, *shares))
    if not rows:
        known = sorted({name for one in found for cells in one.variants.values() for name in cells})
        raise ValueError(f"--metric {column}: no experiment has it; choose from {', '.join(known)}")
    rows.sort(key=lambda row: (*_order(row[1]), _place(row[2]), row[0]))
    return pd.DataFrame(rows, columns=["experiment", "value", "variant", "accuracy", "low", "high"])


def _place(variant: str) -> tuple[int, str]:
    """As the report orders variants; those that only other versions of the code know come last."""
    return (VARIANTS.index(variant) if variant in VARIANTS else len(VARIANTS), variant)


def _order(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if is_number(value) else (1, 0.0, str(value))


def is_number(value: Any) -> bool:
    """Whether a parameter's value has a place on an axis of numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)
