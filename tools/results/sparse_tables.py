"""The tables of docs/sparse.md on the default run: what sparse layers cost, and what removal, blame and swaps say."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from debugset.report.sparse_tables import LAYER_WORDS

PAGE = Path("docs/sparse.md")
_MODELS = ("original", "robust", "foundation")
_REMOVALS = {"zero": "to 0", "mean": "to its mean"}

Numbers = dict[str, Any]  # of one layer in metrics/layers.json
Layers = list[tuple[str, Numbers]]  # with their names


def tables(metrics: dict[str, dict[str, Numbers]]) -> dict[str, str]:
    """The tables by name, from the content of ``metrics/layers.json``; a layer that lacks a table's numbers has no row.

    All numbers but features, errors and factors are in percent, with 95 % intervals in brackets.
    """
    makers: dict[str, Callable[[Layers], str]] = {
        "layers": _layers,
        "removals": _removals,
        "blame": _blame,
        "swaps": _swaps,
        "patches": _patches,
    }
    layers = list(_in_order(metrics))
    return {name: make(layers) for name, make in makers.items()}


def _in_order(metrics: dict[str, dict[str, Numbers]]) -> Iterator[tuple[str, Numbers]]:
    for model in (name for name in _MODELS if name in metrics):
        for layer in (name for name in LAYER_WORDS if name in metrics[model]):
            yield f"{model}, {LAYER_WORDS[layer]}", metrics[model][layer]


def _layers(layers: Layers) -> str:
    """Accuracies of every layer, the models' own included."""
    rows = []
    for name, numbers in layers:
        rows.append([name, f"{numbers['features']:,.1f}", _percent(numbers["test"]), _percent(numbers["diagnosis"])])
    return _table(["layer", "features a class", "test", "deployment"], rows)


def _removals(layers: Layers) -> str:
    """Errors that one, two and three features correct, to 0."""
    headings = ["layer", "features a class", "errors"]
    for words in ("one corrects", "two", "three"):
        headings += [words, "random"]
    rows = []
    for name, numbers in layers:
        if "removed_to_zero" in numbers:
            row = [name, f"{numbers['features']:,.1f}", f"{numbers['errors']:,}"]
            for removed in ("1", "2", "3"):
                share = numbers["removed_to_zero"][removed]
                row += [_interval(share, "share"), _percent(share.get("chance"))]
            rows.append(row)
    return _table(headings, rows)


def _blame(layers: Layers) -> str:
    """Whether one feature corrects errors that the background caused, and whether it is the one that reacts to it."""
    headings = ["layer", "removed", "caused: corrected", "others: corrected", "factor", "hits", "by chance"]
    headings += ["largest contribution: hits", "hits on others"]
    rows = []
    for name, numbers in layers:
        for removal, words in _REMOVALS.items():
            if blame := numbers.get(f"blame_to_{removal}"):
                row = [name, words, _percent(blame["corrected_caused"].get("value"))]
                row += [_percent(blame["corrected_other"].get("value")), _interval(blame["factor"], whole=1, digits=2)]
                row += [_interval(blame["hit_caused"]), _percent(blame["hit_caused"].get("chance"))]
                row += [_interval(blame["largest_caused"]), _interval(blame["hit_other"])]
                rows.append(row)
    return _table(headings, rows, words=2)


def _swaps(layers: Layers) -> str:
    """What another background flips."""
    headings = ["layer", "unusual: flips", "usual: flips", "flips to a class usual there", "by chance"]
    headings += ["background alone: a usual class", "by chance", "directed: highest", "lowest"]
    rows = []
    for name, numbers in layers:
        if swaps := numbers.get("swaps"):
            row = [name, _interval(swaps["flips_unusual"]), _interval(swaps["flips_usual"])]
            for measure in ("flips_to_usual", "empty_to_usual"):
                row += [_interval(swaps[measure]), _percent(swaps[measure].get("chance"))]
            rows.append([*row, _interval(swaps["directed_raised"]), _interval(swaps["directed_lowered"])])
    return _table(headings, rows)


def _patches(layers: Layers) -> str:
    """What a pasted patch flips."""
    rows = []
    for name, numbers in layers:
        if patches := numbers.get("patches"):
            kinds = ("hottest", "random_place", "random_images")
            rows.append([name, *(_interval(patches[kind], "flipped") for kind in kinds)])
    return _table(["layer", "hottest place", "random place", "random images"], rows)


def _table(headings: list[str], rows: list[list[str]], words: int = 1) -> str:
    """A table whose first ``words`` columns are words, the others numbers."""
    rule = f"|{'---|' * words}{'---:|' * (len(headings) - words)}"
    first, *others = (f"| {' | '.join(cells)} |" for cells in (headings, *rows))
    return "\n".join([first, rule, *others])


def _interval(numbers: Numbers, value: str = "value", *, whole: int = 100, digits: int = 1) -> str:
    """A number with its interval, both as far as they are defined."""
    if value not in numbers:
        return "-"
    text = f"{whole * numbers[value]:.{digits}f}"
    if "low" not in numbers or "high" not in numbers:
        return text
    return f"{text} ({whole * numbers['low']:.{digits}f} to {whole * numbers['high']:.{digits}f})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
