import re
import unicodedata
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from debugset.images.sets import open_set
from debugset.pool.simulator.library import PhotoLibrary
from debugset.pool.text_search import ClassQueries, TextQuery, clean_text, searchable, wanted_part


def test_captions_are_searched_as_the_simulator_searches_titles(world: Path, photos: pd.DataFrame) -> None:
    library = PhotoLibrary(open_set(world))
    texts = ("handbag", "bag leather", '"leather bag"', 'bag "a leather"', "boot", "SHIRT blue", "wellington boot")
    for text in (*texts, "bag -handbag", "-Again shirt -blue", 'bag -"a leather"', "handbag -shirt"):
        query = TextQuery(text)
        rows = [
            row for row, one in enumerate(photos.itertuples()) if query.finds(map(searchable, (one.title, one.tags)))
        ]
        assert sorted(library.search(text)) == rows
        assert rows


def test_a_caption_has_the_classes_of_all_queries_that_find_it(photos: pd.DataFrame) -> None:
    queries = {"b": ['"a leather" bag', "handbag"], "a": ["bag", "boot wellington"], "none": ["boots", "?!"]}
    queries |= {"without": ["shirt -blue", 'bag -"a leather bag" -boot'], "contrary": ["bag -bag", "-bag"]}
    every = ClassQueries(queries)
    for title in set(photos["title"]):
        finding = [
            (name, text)
            for name, texts in queries.items()
            for text in texts
            if TextQuery(text).finds([searchable(title)])
        ]
        assert every.find(title) == finding
    found = [("b", '"a leather" bag'), ("b", "handbag"), ("a", "bag"), ("without", 'bag -"a leather bag" -boot')]
    assert every.find("a leather handbag? bag!") == found
    assert every.find("a leather handbag? bag! boot") == found[:3]


TERMS = ("bag", "-bag", "flip-flop", "-flip-flop", "flip", "-flop", '"red bag"', '-"red bag"', "-T-Shirt", "-?", '-""')
TEXTS = ("bag", "red bag", "bag, red", "flip-flop", "flip flop", "t-shirt bag", "shirt bag", "", "?")


def naive_finds(terms: tuple[str, ...], texts: list[str]) -> bool:
    """Word by word: all terms without a minus in some text, those with one in none."""
    words = [re.findall(r"[\w'-]+", text.lower()) for text in texts]

    def holds(phrase: list[str]) -> bool:
        starts = [(one, start) for one in words for start in range(len(one))]
        return bool(phrase) and any(one[start : start + len(phrase)] == phrase for one, start in starts)

    phrases = [(term[0] == "-", re.findall(r"\w[\w'-]*", term.lower())) for term in terms]
    wanted = [phrase for minus, phrase in phrases if not minus]
    excluded = [phrase for minus, phrase in phrases if minus]
    return bool(wanted) and all(map(holds, wanted)) and not any(map(holds, excluded))


@pytest.mark.parametrize("length", [1, 2, 3])
def test_exclusions_equal_looking_word_by_word(length: int) -> None:
    for terms in product(TERMS, repeat=length):
        query = TextQuery(" ".join(terms))
        assert query.words == {word for term in terms if term[0] != "-" for word in searchable(term).split()}
        for title, tags in product(TEXTS, ("", "red bag", "flip-flop")):
            found = query.finds([searchable(title), searchable(tags)])
            assert found == naive_finds(terms, [title, tags]), (terms, title, tags)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("bag -sandal", "bag"),
        ('-"two words" Flip-Flop  -x "A bag"', 'Flip-Flop "A bag"'),
        ("-bag", ""),
        ('-"red bag" --x', ""),
        ("a-b", "a-b"),
    ],
)
def test_the_wanted_part_is_what_is_searched_for(text: str, wanted: str) -> None:
    assert wanted_part(text) == wanted


def test_only_what_files_cannot_hold_is_replaced() -> None:
    assert clean_text("ça \ud83d\0 👢\n") == "ça ?? 👢\n"


@pytest.mark.parametrize(("form", "other"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_words_are_one_word(form: str, other: str) -> None:
    query, text = (unicodedata.normalize(one, "Café Åland ǰ") for one in (form, other))
    assert TextQuery(query).finds([searchable(text)])
    assert ClassQueries({"bar": [query]}).find(text) == [("bar", query)]
    assert not TextQuery("cafe").finds([searchable(text)])
