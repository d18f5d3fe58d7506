from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from debugset.images.sets import open_set, write_manifest
from debugset.pool.library import PhotoLibrary
from tests.pool.worlds import second


def naive_search(photos: pd.DataFrame, phrases: list[str], licences: list[int] | None, first: int, last: int) -> list:
    """Every photo, one by one: all phrases in the title or in the tags, as whole words."""
    ids = []
    for photo in photos.sort_values(["uploaded", "id"]).itertuples():
        texts = [f" {photo.title.lower()} ", f" {photo.tags.lower()} "]
        matches = all(any(f" {phrase} " in text for text in texts) for phrase in phrases)
        if matches and first <= photo.uploaded <= last and (licences is None or photo.licence in licences):
            ids.append(photo.id)
    return ids


@pytest.mark.parametrize("licences", [None, [4], [0, 9]])
@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("SHIRT", ["shirt"]),
        ("bag leather", ["bag", "leather"]),
        ('"leather bag"', ["leather bag"]),
        ('sale "wellington boot"', ["sale", "wellington boot"]),
        ("unheard", ["unheard"]),
    ],
)
def test_search_equals_looking_at_every_photo(
    world: Path, photos: pd.DataFrame, text: str, phrases: list[str], licences: list[int] | None
) -> None:
    library = PhotoLibrary(open_set(world))
    uploaded = np.sort(photos["uploaded"])
    for first, last in [(0, 2**40), (int(uploaded[30]), int(uploaded[150])), (second(2030), second(2031))]:
        found = library.search(text, licences, first, last)
        expected = naive_search(photos, phrases, licences, first, last)
        assert photos["id"].iloc[found].tolist() == expected


def test_a_hyphenated_word_is_one_word(tmp_path: Path, photos: pd.DataFrame) -> None:
    world = open_set(photos_titled(tmp_path, photos, ["a T-shirt", "a shirt"]))
    library = PhotoLibrary(world)
    assert library.search("t-shirt").tolist() == [0]
    assert library.search("shirt").tolist() == [1]


def photos_titled(folder: Path, photos: pd.DataFrame, titles: list[str]) -> Path:
    manifest = photos.head(len(titles)).assign(title=titles, tags="", uploaded=range(len(titles)))
    write_manifest(folder, manifest, ["a"])
    return folder
