"""Collecting for failure modes: the combinations of attributes that a network misreads, as queries of a scrape.

A failure mode says which of two attributes an image shows and which it lacks. A search finds such images by a word for
each attribute that is there, and excludes every word for those that are not.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from debugset.images.sets import MANIFEST, open_set, read_attributes
from debugset.pool.text_search import TextQuery, searchable, wanted_part
from debugset.relations.accuracy import OURS
from debugset.relations.diagnosis import FAILURE_MODE
from debugset.relations.runs import Run

NEITHER = "--"


@dataclass(frozen=True)
class Combination:
    """What to collect for a failure mode.

    Attributes:
        name: of the mode, as ``bag+sandal-``.
        label: the class of its photos: the first attribute shown that has queries; '' if none has.
        queries: each is one search.
        reason: why there are no queries; else ''.
    """

    name: str
    label: str
    queries: tuple[str, ...]
    reason: str


def failures(pairs: pd.DataFrame, modes: pd.DataFrame, shown: pd.DataFrame | None = None) -> pd.DataFrame:
    """The failure modes of every run, those of a run by relation and rank.

    Args:
        pairs: the table of the stage `relations`.
        modes: the same; tells what the modes cost.
        shown: attributes of all annotated images, positive where one is there; without them the test images count.

    Returns:
        run, name, attribute_a, attribute_b, relation, mode, rank, kl, mean, decrease; images: how many annotated ones
        are of the mode.
    """
    key = ["run", "attribute_a", "attribute_b", "mode"]
    costs = modes[modes["method"] == OURS][[*key, "decrease", "test_images"]]
    found = pairs[pairs["kind"] == FAILURE_MODE].drop(columns="images").merge(costs, "left", key)
    rows: list[Any] = found.to_dict("records")
    names = [mode_name(row["attribute_a"], row["attribute_b"], row["mode"]) for row in rows]
    images = pd.Series([_images_of(row, shown) for row in rows], dtype=int)
    columns = ["run", "name", *key[1:3], "relation", "mode", "rank", "kl", "mean", "decrease", "images"]
    found = found.assign(name=names, images=images)[columns]
    return found.sort_values(["run", "relation", "rank"], kind="stable", ignore_index=True)


def mode_name(attribute_a: str, attribute_b: str, mode: str) -> str:
    """A failure mode's name: each attribute and its sign."""
    return f"{attribute_a}{mode[0]}{attribute_b}{mode[1]}"


def read_failures(folder: Path, sets: Iterable[Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The failure modes, by `failures`, and the table of runs.

    Args:
        folder: what the stage `relations` wrote.
        sets: image sets with attributes; those that are not here are passed over.

    Raises:
        ValueError: there is no diagnosis.
    """
    if not (folder / "runs.parquet").is_file():
        raise ValueError(
            f"{folder}: no diagnosis; choose `attributed.source` other than none and run `dvc repro`, or `dvc pull`"
        )
    pairs, modes, runs = (pd.read_parquet(folder / f"{name}.parquet") for name in ("pairs", "modes", "runs"))
    annotated = [read_attributes(open_set(one)) for one in sets if (one / MANIFEST).is_file()]
    return failures(pairs, modes, pd.concat(annotated, ignore_index=True) if annotated else None), runs


def listed_run(table: pd.DataFrame, runs: pd.DataFrame, wished: str | None = None) -> str:
    """The run to list: as wished, else the first, unbiased ones leading, with a failure mode of which there are images.

    Args:
        table: by `failures`.
        runs: name, tau; in their order.
        wished: a name.

    Raises:
        ValueError: there is no such run.
    """
    if wished is not None:
        if wished not in set(runs["name"]):
            raise ValueError(f"--run {wished}: there is no such run; choose from {', '.join(runs['name'])}")
        return wished
    ordered = runs.sort_values("tau", key=lambda tau: tau > 0, kind="stable")["name"]
    fitting = ordered[ordered.isin(table.loc[table["images"] > 0, "run"])]
    return str(next(iter(fitting), ordered.iloc[0]))


def chosen(table: pd.DataFrame, names: Sequence[str], run: str | None) -> pd.DataFrame:
    """The named failure modes, each once and in that order.

    Args:
        table: by `failures`.
        names: of modes.
        run: None looks in every run.

    Raises:
        ValueError: a mode is unknown.
    """
    mine = table if run is None else table[table["run"] == run]
    for name in names:
        if name not in set(mine["name"]):
            others = table.loc[table["name"] == name, "run"]
            if len(others):
                raise ValueError(f"{name}: is no failure mode of run {run}; give --run {', '.join(others)}, or none")
            raise ValueError(f"{name}: is no failure mode; `debugset relations list` names them")
    return mine.drop_duplicates("name").set_index("name").loc[list(dict.fromkeys(names))].reset_index()


def combination(failure: Mapping[str, Any], queries: Mapping[str, Sequence[str]], about: Sequence[str]) -> Combination:
    """What to collect for one failure mode.

    Args:
        failure: a row of `failures`.
        queries: class name -> its synonyms, the words for the attribute of that name; others go by their own name.
        about: words to search for where the mode's images show neither attribute.
    """
    pair, mode = (failure["attribute_a"], failure["attribute_b"]), failure["mode"]
    shown, lacking = ([name for name, sign in zip(pair, mode, strict=True) if sign == which] for which in "+-")
    wanted = [words_of(name, queries) for name in shown] or [[_quoted(word) for word in about]]
    excluded = [_excluding(word) for name in lacking for word in words_of(name, queries)]
    found = tuple(_searches(wanted, excluded))
    reason = ""
    if not failure["images"]:
        reason = "no annotated image is of it; if there can be any, search by hand"
        reason += f" for {found[0]}" if found else ""
    elif mode == NEITHER and not about:
        reason = "its images show neither, and a search needs a word; say what else they show, as in `--about outfit`"
    elif not found:
        reason = "no word of one attribute is free of the other's; give them words of their own in `scrape.queries`"
    label = next((name for name in shown if name in queries), "")
    return Combination(failure["name"], label, () if reason else found, reason)


def combinations(
    table: pd.DataFrame, queries: Mapping[str, Sequence[str]], about: Sequence[str] = ()
) -> list[Combination]:
    """What to collect for failure modes, by `combination`.

    Raises:
        ValueError: nothing can be collected for any, or ``about`` is of no use.
    """
    if bad := [word for word in about if not searchable(word).strip()]:
        raise ValueError(f"--about {bad[0]}: holds no word; give one, as in `--about outfit`")
    if about and NEITHER not in set(table["mode"]):
        raise ValueError("--about: only modes whose images show neither attribute (`a-b-`) take it; leave it out")
    rows: list[Any] = table.to_dict("records")
    found = [combination(row, queries, about) for row in rows]
    if not any(one.queries for one in found):
        raise ValueError(f"{found[0].name}: {found[0].reason}")
    return found


def words_of(attribute: str, queries: Mapping[str, Sequence[str]]) -> list[str]:
    """What to search an attribute by: its class's queries without their exclusions, else its name.

    A name's words make one phrase, and a slash stands between two names (SUN Attribute's ``studying/learning``).
    """
    given = [wanted_part(text) for text in queries.get(attribute, ())]
    named = [_quoted(re.sub(r"[\W_]+", " ", part).strip()) for part in attribute.split("/")]
    return [word for word in dict.fromkeys(given or named) if searchable(word).strip()]


def asked(found: Iterable[Combination]) -> dict[str, list[str]]:
    """The queries of combinations by their class, as in `scrape.queries`."""
    queries: dict[str, list[str]] = {}
    for one in found:
        if one.label and one.queries:
            mine = queries.setdefault(one.label, [])
            mine += [text for text in one.queries if text not in mine]
    return queries


def replaced(queries: Mapping[str, Sequence[str]], found: Sequence[Combination]) -> dict[str, list[str]]:
    """The queries of all classes, those of the combinations' classes in the place of what they had.

    Raises:
        ValueError: no combination has a class.
    """
    if not asked(found):
        raise ValueError(
            f"{found[0].name}: shows no class of `scrape.queries` to label photos with; leave out --write, "
            "and search by hand for what is printed"
        )
    return {name: list(texts) for name, texts in queries.items()} | asked(found)


def query_file(found: Iterable[Combination], classes: Sequence[str]) -> str:
    """Combinations as YAML with the block `scrape.queries`; what it cannot say is in comments.

    Args:
        found: by `combination`.
        classes: the debug classes.
    """
    found = list(found)
    queries, lines = asked(found), []
    if queries:
        block = {"scrape": {"queries": queries}}
        lines.append(
            yaml.safe_dump(block, default_flow_style=None, sort_keys=False, allow_unicode=True, width=math.inf).rstrip()
        )
    return "\n".join([*lines, *(f"# {line}" for line in remarks(found, classes))])


def remarks(found: Iterable[Combination], classes: Sequence[str]) -> list[str]:
    """What stands in the way of collecting for combinations, a line each."""
    found, lines = list(found), []
    for one in found:
        if one.reason:
            lines.append(f"{one.name}: {one.reason}")
        elif not one.label:
            lines.append(f"{one.name}: shows no class of `scrape.queries` to label photos with; search by hand for")
            lines += [f"  {text}" for text in one.queries]
    outside = [label for label in asked(found) if label not in classes]
    return lines + [f"{label}: add it to `errors.classes`; scrape asks for no other class" for label in outside]


def listing(table: pd.DataFrame, runs: pd.DataFrame, run: str, queries: Mapping[str, Sequence[str]]) -> str:
    """The failure modes of a run as text, a line each; then the runs that have others.

    Args:
        table: by `failures`.
        runs: the table of the stage `relations`.
        run: a name in it.
        queries: as `combination` takes them.
    """
    mine, others = table[table["run"] == run], sorted(set(table["run"]) - {run})
    (described,) = runs.loc[runs["name"] == run, [one.name for one in fields(Run)]].itertuples(index=False)
    lines = [f"run {run}: {Run(*described).words}"]
    if mine.empty:
        lines.append("no failure modes were found")
    else:
        widths = [max(map(len, [*mine[name].astype(str), name])) for name in ("name", "relation")]
        heads = f"{'mode':{widths[0]}}  {'relation':{widths[1]}}"
        lines.append(f"{heads}  rank  KL, nats  cosine  accuracy lost")
    rows: list[Any] = mine.to_dict("records")
    for row in rows:
        lost = f"{100 * row['decrease']:.1f} points" if row["decrease"] == row["decrease"] else "-"
        reason = combination(row, queries, ()).reason
        lines.append(
            f"{row['name']:{widths[0]}}  {row['relation']:{widths[1]}}  {row['rank']:4.0f}  {row['kl']:8.2f}"
            f"  {row['mean']:6.2f}  {lost:>13}" + f"  ({reason})" * bool(reason)
        )
    return "\n".join([*lines, *([f"--run lists others: {', '.join(others)}"] if others else [])])


def _images_of(failure: Mapping[str, Any], shown: pd.DataFrame | None) -> int:
    a, b, mode = failure["attribute_a"], failure["attribute_b"], failure["mode"]
    if shown is None or not {a, b} <= set(shown):
        return int(failure["test_images"]) if failure["test_images"] == failure["test_images"] else 0
    return int((((shown[a] > 0) == (mode[0] == "+")) & ((shown[b] > 0) == (mode[1] == "+"))).sum())


def _searches(wanted: Sequence[Sequence[str]], excluded: Sequence[str]) -> Iterable[str]:
    """A query for each choice of a word from every list; none that excludes its own words."""
    for choice in product(*wanted):
        text = " ".join(dict.fromkeys([*choice, *excluded]))
        if TextQuery(text).finds([searchable(" ".join(choice))]):
            yield text


def _quoted(words: str) -> str:
    """Several words as a phrase, one as it is."""
    return f'"{words}"' if " " in words else words


def _excluding(query: str) -> str:
    return f"-{_quoted(' '.join(query.replace(chr(34), ' ').split()))}"
