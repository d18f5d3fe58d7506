"""Collecting for failure modes: the combinations of attributes that a network misreads, as queries of a scrape.

A failure mode says which of two attributes an image shows and which it lacks. A search finds such images by a word for
each attribute that is there, and excludes every word for those that are not.
"""

import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from ruamel.yaml import YAML

from debugset.base.files import read_parquet
from debugset.base.names import composed
from debugset.base.text_table import text_table
from debugset.images.sets import MANIFEST, open_set, read_attributes
from debugset.pool.text_search import TextQuery, searchable, wanted_part
from debugset.relations.accuracy import OURS
from debugset.relations.diagnosis import FAILURE_MODE
from debugset.relations.runs import Run


class Combination(NamedTuple):
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


def read_mode_table(folder: Path, sets: Iterable[Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The failure modes, by `mode_table`, and the table of runs.

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
    pairs, modes = read_parquet(folder / "pairs.parquet"), read_parquet(folder / "modes.parquet")
    annotated = [read_attributes(open_set(images)) for images in sets if (images / MANIFEST).is_file()]
    shown = pd.concat(annotated, ignore_index=True) if annotated else None
    return mode_table(pairs, modes, shown), read_parquet(folder / "runs.parquet")


def mode_table(pairs: pd.DataFrame, modes: pd.DataFrame, attributes: pd.DataFrame | None = None) -> pd.DataFrame:
    """The failure modes of every run, those of a run by relation and rank.

    Args:
        pairs, modes: tables of the stage `relations`.
        attributes: of all annotated images, positive where one is there; without them the test images count.

    Returns:
        run, name, attribute_a, attribute_b, relation, mode, rank, kl, mean, decrease; images: how many annotated ones
        are of the mode.
    """
    key = ["run", "attribute_a", "attribute_b", "mode"]
    costs = modes[modes["method"] == OURS][[*key, "decrease", "test_images"]]
    table = pairs[pairs["kind"] == FAILURE_MODE].drop(columns="images").merge(costs, "left", key)
    names, images = [], []
    for mode in table.to_dict("records"):
        names.append(mode_name(mode["attribute_a"], mode["attribute_b"], mode["mode"]))
        images.append(_count_images(mode, attributes))
    table = table.assign(name=names, images=pd.Series(images, dtype=int))
    columns = ["run", "name", *key[1:3], "relation", "mode", "rank", "kl", "mean", "decrease", "images"]
    return table[columns].sort_values(["run", "relation", "rank"], kind="stable", ignore_index=True)


def mode_name(attribute_a: str, attribute_b: str, mode: str) -> str:
    """A failure mode's name: each attribute and its sign."""
    return f"{attribute_a}{mode[0]}{attribute_b}{mode[1]}"


def choose_run(table: pd.DataFrame, runs: pd.DataFrame, wished: str | None = None) -> str:
    """The run to list: as wished, else the first, unbiased ones leading, with a failure mode of which there are images.

    Raises:
        ValueError: there is no such run.
    """
    if wished is not None:
        if wished not in set(runs["name"]):
            raise ValueError(f"--run {wished}: there is no such run; choose from {', '.join(runs['name'])}")
        return wished
    ordered = runs.sort_values("tau", key=lambda tau: tau > 0, kind="stable")["name"]
    fitting = ordered[ordered.isin(table.loc[table["images"] > 0, "run"])]
    return str(ordered.iloc[0] if fitting.empty else fitting.iloc[0])


def select_modes(table: pd.DataFrame, names: Sequence[str], run: str | None) -> pd.DataFrame:
    """The named failure modes of a `mode_table`, each once and in that order; without a run those of any.

    Raises:
        ValueError: a mode is unknown.
    """
    names = list(map(composed, names))  # as attributes are
    mine = table if run is None else table[table["run"] == run]
    for name in names:
        if name in set(mine["name"]):
            continue
        others = table.loc[table["name"] == name, "run"]
        if others.empty:
            raise ValueError(f"{name}: is no failure mode; `debugset relations list` names them")
        raise ValueError(f"{name}: is no failure mode of run {run}; give --run {', '.join(others)}, or none")
    return mine.drop_duplicates("name").set_index("name").loc[list(dict.fromkeys(names))].reset_index()


def combinations_of(
    table: pd.DataFrame, queries: Mapping[str, Sequence[str]], about: Sequence[str] = ()
) -> list[Combination]:
    """What to collect for the failure modes of a `mode_table`; arguments as for `combination_of`.

    Raises:
        ValueError: nothing can be collected for any, or ``about`` is of no use.
    """
    for word in about:
        if not searchable(word).strip():
            raise ValueError(f"--about {word}: holds no word; give one, as in `--about outfit`")
    if about and "--" not in set(table["mode"]):
        raise ValueError("--about: only modes whose images show neither attribute (`a-b-`) take it; leave it out")
    rows: list[Any] = table.to_dict("records")
    combinations = [combination_of(mode, queries, about) for mode in rows]
    if not any(one.queries for one in combinations):
        raise ValueError(f"{combinations[0].name}: {combinations[0].reason}")
    return combinations


def combination_of(mode: Mapping[str, Any], queries: Mapping[str, Sequence[str]], about: Sequence[str]) -> Combination:
    """What to collect for one failure mode.

    Args:
        mode: a row of `mode_table`.
        queries: class name -> its synonyms, the words for the attribute of that name; others go by their own name.
        about: words to search for where the mode's images show neither attribute.
    """
    shown, wanted, excluded = [], [], []
    for attribute, sign in zip((mode["attribute_a"], mode["attribute_b"]), mode["mode"], strict=True):
        words = _attribute_words(attribute, queries)
        if sign == "+":
            shown.append(attribute)
            wanted.append(words)
        else:
            excluded += [_exclude(word) for word in words]
    if not shown:
        wanted = [[_quote(word) for word in about]]
    searches = tuple(_searches(wanted, excluded))
    reason = ""
    if not mode["images"]:
        reason = "no annotated image is of it; if there can be any, search by hand"
        reason += f" for {searches[0]}" if searches else ""
    elif not shown and not about:
        reason = "its images show neither, and a search needs a word; say what else they show, as in `--about outfit`"
    elif not searches:
        reason = "no word of one attribute is free of the other's; give them words of their own in `scrape.queries`"
    label = next((attribute for attribute in shown if attribute in queries), "")
    return Combination(mode["name"], label, () if reason else searches, reason)


def _attribute_words(attribute: str, queries: Mapping[str, Sequence[str]]) -> list[str]:
    """What to search an attribute by: its class's queries without their exclusions, else its name.

    A name's words make one phrase, and a slash stands between two names (SUN Attribute's ``studying/learning``).
    """
    words = [wanted_part(text) for text in queries.get(attribute, ())]
    if not words:
        for name in attribute.split("/"):
            words.append(_quote(re.sub(r"[\W_]+", " ", name).strip()))
    return [word for word in dict.fromkeys(words) if searchable(word).strip()]


def queries_by_class(combinations: Iterable[Combination]) -> dict[str, list[str]]:
    """The queries of combinations by their class, as in `scrape.queries`."""
    queries: dict[str, list[str]] = {}
    for one in combinations:
        if one.label and one.queries:
            mine = queries.setdefault(one.label, [])
            mine += [text for text in one.queries if text not in mine]
    return queries


def replace_queries(queries: Mapping[str, Sequence[str]], combinations: Sequence[Combination]) -> dict[str, list[str]]:
    """The queries of all classes, those of the combinations' classes in the place of what they had.

    Raises:
        ValueError: no combination has a class.
    """
    new = queries_by_class(combinations)
    if not new:
        raise ValueError(
            f"{combinations[0].name}: shows no class of `scrape.queries` to label photos with; leave out --write, "
            "and search by hand for what is printed"
        )
    return {name: list(texts) for name, texts in queries.items()} | new


def query_text(combinations: Sequence[Combination], classes: Sequence[str]) -> str:
    """Combinations as YAML with the block `scrape.queries`; what it cannot say is in comments, by `remarks`."""
    lines = [f"# {line}" for line in remarks(combinations, classes)]
    queries = queries_by_class(combinations)
    if queries:
        lines.insert(0, _to_yaml({"scrape": {"queries": queries}}))
    return "\n".join(lines)


def _to_yaml(block: Mapping[str, Any]) -> str:
    """A block by the rules of YAML 1.2, as params.yaml is read; lists in one line each, however long."""
    yaml: Any = YAML(typ="safe")
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 10**6
    text = io.StringIO()
    yaml.dump(block, text)
    return text.getvalue().rstrip()


def remarks(combinations: Sequence[Combination], classes: Sequence[str]) -> list[str]:
    """What stands in the way of collecting for combinations with these debug classes, a line each."""
    lines = []
    for one in combinations:
        if one.reason:
            lines.append(f"{one.name}: {one.reason}")
        elif not one.label:
            lines.append(f"{one.name}: shows no class of `scrape.queries` to label photos with; search by hand for")
            lines += [f"  {text}" for text in one.queries]
    for label in queries_by_class(combinations):
        if label not in classes:
            lines.append(f"{label}: add it to `errors.classes`; scrape asks for no other class")
    return lines


def listing(table: pd.DataFrame, runs: pd.DataFrame, run: str, queries: Mapping[str, Sequence[str]]) -> str:
    """The failure modes of a run as text, a line each, then the runs that have others."""
    (described,) = runs[runs["name"] == run].drop(columns="images").itertuples(index=False)
    lines = [f"run {run}: {Run(*described).words}"]
    cells = []
    rows: list[Any] = table[table["run"] == run].to_dict("records")
    for mode in rows:
        lost = "-" if math.isnan(mode["decrease"]) else f"{100 * mode['decrease']:.1f} points"
        numbers = f"{mode['rank']:.0f}", f"{mode['kl']:.2f}", f"{mode['mean']:.2f}", lost
        reason = combination_of(mode, queries, ()).reason
        cells.append([mode["name"], mode["relation"], *numbers, f"({reason})" if reason else ""])
    heading = ("mode", "relation", "rank", "KL, nats", "cosine", "accuracy lost", "")
    lines.append(text_table(heading, cells) if cells else "no failure modes were found")
    others = sorted(set(table["run"]) - {run})
    if others:
        lines.append(f"--run lists others: {', '.join(others)}")
    return "\n".join(lines)


def _count_images(mode: Mapping[Any, Any], attributes: pd.DataFrame | None) -> int:
    """How many annotated images are of a failure mode; test images where an attribute is not annotated."""
    a, b, test_images = mode["attribute_a"], mode["attribute_b"], mode["test_images"]
    if attributes is None or not {a, b} <= set(attributes):
        return 0 if math.isnan(test_images) else int(test_images)
    sign_a, sign_b = mode["mode"]
    of_a, of_b = (attributes[a] > 0) == (sign_a == "+"), (attributes[b] > 0) == (sign_b == "+")
    return int((of_a & of_b).sum())


def _searches(wanted: Sequence[Sequence[str]], excluded: Sequence[str]) -> Iterator[str]:
    """A query for each choice of a word from every list; none that excludes its own words."""
    for choice in product(*wanted):
        text = " ".join(dict.fromkeys([*choice, *excluded]))
        if TextQuery(text).finds([searchable(" ".join(choice))]):
            yield text


def _quote(words: str) -> str:
    """Several words as a phrase, one as it is."""
    return f'"{words}"' if " " in words else words


def _exclude(query: str) -> str:
    return "-" + _quote(" ".join(query.replace('"', " ").split()))
