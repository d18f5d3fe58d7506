"""The words of descriptions: how many descriptions have each, as a cloud on a page."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from debugset.base.html import template_environment
from debugset.base.names import composed
from debugset.studies.description import Task

_TEMPLATES = Path(__file__).parent / "templates"
_MOST = 80  # words in a cloud
_SIZES = 7  # classes size-1 to size-7 of the style
_WORD = re.compile(r"\w[\w'-]*")
# They say nothing of a pattern. Longer lists, such as scikit-learn's, have "side", "top" and "bottom" too.
_EMPTY_WORDS = (
    "a about all also an and any are as at be both but by can do each few for from had has have he i if in into is it "
    "its just like many me more most mostly much my no not of often on one or other our part same seem seems she so "
    "some that the their them there these they thing things this those to very was we were what where which with you"
)


class Word(NamedTuple):
    """A word of the cloud."""

    text: str
    texts: int  # that have it
    size: int  # 1 to 7


def count_words(texts: Iterable[str]) -> list[Word]:
    """The most frequent words by the number of texts that have them, in alphabetical order.

    The area of a word grows with its count: its size is the root of the count's share of the largest.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_WORD.findall(composed(text).casefold())) - set(_EMPTY_WORDS.split()))
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST]
    largest = common[0][1] if common else 1
    return [Word(text, count, math.ceil(_SIZES * math.sqrt(count / largest))) for text, count in sorted(common)]


def words_page(tasks: Sequence[Task], answers: pd.DataFrame) -> str:
    """The cloud, and below it what was said of every feature, as HTML.

    Args:
        tasks: of the kit.
        answers: task, annotator, scripted, pattern, text, first, second.
    """
    seen = answers[answers["pattern"] == "yes"]
    style = Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8"))  # ours, not a stranger's
    rows: list[dict[str, Any]] = []
    for number, task in enumerate(tasks, 1):
        said = seen[seen["task"] == number].to_dict("records")
        asked = int((answers["task"] == number).sum())
        rows.append({"number": number, "feature": task.feature, "classes": task.classes, "said": said, "asked": asked})
    templates = template_environment(_TEMPLATES)
    return templates.get_template("words.html").render(style=style, words=count_words(seen["text"]), rows=rows)
