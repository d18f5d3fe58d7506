from pathlib import Path

import pandas as pd

from debugset.images.sets import open_set
from debugset.pool.simulator.library import PhotoLibrary
from debugset.pool.text_search import ClassQueries, TextQuery, clean_text, searchable


def test_captions_are_searched_as_the_simulator_searches_titles(world: Path, photos: pd.DataFrame) -> None:
    library = PhotoLibrary(open_set(world))
    for text in ("handbag", "bag leather", '"leather bag"', 'bag "a leather"', "boot", "SHIRT blue", "wellington boot"):
        query = TextQuery(text)
        rows = [
            row for row, one in enumerate(photos.itertuples()) if query.finds(map(searchable, (one.title, one.tags)))
        ]
        assert sorted(library.search(text)) == rows
        assert rows


def test_a_caption_has_the_classes_of_all_queries_that_find_it(photos: pd.DataFrame) -> None:
    queries = {"b": ['"a leather" bag', "handbag"], "a": ["bag", "boot wellington"], "none": ["boots", "?!"]}
    every = ClassQueries(queries)
    for title in set(photos["title"]):
        finding = [
            (name, text)
            for name, texts in queries.items()
            for text in texts
            if TextQuery(text).finds([searchable(title)])
        ]
        assert every.finding(title) == finding
    assert every.finding("a leather handbag? bag!") == [("b", '"a leather" bag'), ("b", "handbag"), ("a", "bag")]


def test_only_what_files_cannot_hold_is_replaced() -> None:
    assert clean_text("ça \ud83d\0 👢\n") == "ça ?? 👢\n"
