import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from debugset.images.sets import open_set, write_manifest, write_set
from debugset.pool.simulator.library import IMAGE_HOST, PhotoLibrary
from debugset.pool.sizes import SIZES
from tests.pool.worlds import png, second


def naive_search(
    photos: pd.DataFrame, phrases: list[str], licences: list[int] | None, first: int, last: int
) -> list[str]:
    """Every photo, one by one: all phrases in the title or in the tags, as whole words, and none behind a minus."""
    ids = []
    for photo in photos.sort_values(["uploaded", "id"]).itertuples():
        texts = [f" {photo.title.lower()} ", f" {photo.tags.lower()} "]
        matches = all(
            any(f" {phrase.removeprefix('-')} " in text for text in texts) != phrase.startswith("-")
            for phrase in phrases
        )
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
        ("SALE -Shirt", ["sale", "-shirt"]),
        ('bag -"a leather" -unheard', ["bag", "-a leather", "-unheard"]),
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


def library_of(folder: Path, *pictures: tuple[int, int, bytes]) -> PhotoLibrary:
    """A library of pictures: width and height that its manifest states, and the file."""
    common = {"label": 0, "shard": "w.tar", "uploaded": 1, "owner": "1@N00", "owner_name": "A", "licence": 4}
    common |= {"title": "a", "tags": "", "secret": "ab", "server": "65535"}
    records = [
        (common | {"id": str(number), "width": width, "height": height}, content)
        for number, (width, height, content) in enumerate(pictures)
    ]
    (folder / "world").mkdir()
    write_set(folder / "world", iter(records), ["a"])
    return PhotoLibrary(open_set(folder / "world"))


def gradient(width: int, height: int) -> bytes:
    across = np.linspace(0, 255, width).astype(np.uint8)
    down = np.linspace(0, 255, height).astype(np.uint8)
    blue = np.zeros((height, width), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.dstack([np.tile(across, (height, 1)), np.tile(down[:, None], width), blue])).save(stream, "PNG")
    return stream.getvalue()


EXTRAS = [f"url_{size}" for size in SIZES]
OF_1000 = ("o", "c", "z", "m", "n", "s", "t", "q", "sq")


def test_sizes_smaller_than_the_original_are_listed_and_served(tmp_path: Path) -> None:
    library = library_of(tmp_path, (1000, 400, gradient(1000, 400)))
    photo = library.describe(0, EXTRAS)
    lengths = {size: (photo[f"width_{size}"], photo[f"height_{size}"]) for size in OF_1000}
    assert {name for name in photo if name.startswith("url_")} == {f"url_{size}" for size in OF_1000}
    assert lengths == {
        **{"o": (1000, 400), "c": (800, 320), "z": (640, 256), "m": (500, 200), "n": (320, 128)},
        **{"s": (240, 96), "t": (100, 40), "q": (150, 150), "sq": (75, 75)},
    }
    for size in OF_1000:
        path = photo[f"url_{size}"].removeprefix(f"https://{IMAGE_HOST}")
        content = library.content(library.at(path))
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        assert picture.size == lengths[size]
        assert content == library.content(library.at(path))
        left = 0.3 if size in ("q", "sq") else 0  # a square is cut from the middle of the width
        assert picture.getpixel((0, 0))[0] == pytest.approx(255 * left, abs=8)
        assert picture.getpixel((0, picture.height - 1))[1] == pytest.approx(255, abs=8)


def test_file_names_bear_flickrs_marks(tmp_path: Path) -> None:
    library = library_of(tmp_path, (1000, 400, gradient(1000, 400)))
    photo = library.describe(0, EXTRAS)
    marks = {size: photo[f"url_{size}"].rpartition("/")[2] for size in ("o", "z", "m", "s", "sq")}
    assert marks == {"o": "0_ab_o.png", "z": "0_ab_z.jpg", "m": "0_ab.jpg", "s": "0_ab_m.jpg", "sq": "0_ab_s.jpg"}


def test_small_broken_and_unmeasured_photos_have_the_original_alone(tmp_path: Path) -> None:
    whole = gradient(300, 200)
    pictures = [(32, 32, png(1, 32)), (300, 200, whole[: len(whole) // 2]), (0, 0, whole)]
    library = library_of(tmp_path, *pictures)
    for row, (width, _, content) in enumerate(pictures):
        photo = library.describe(row, EXTRAS)
        assert [name for name in photo if name.startswith("url_")] == ["url_o"]
        assert ("width_o" in photo) == (width > 0)
        assert library.content(library.at(library.path(row))) == content
    assert "url_z" not in library.describe(0, ["url_o"])


@pytest.mark.parametrize(
    "path",
    [
        "/65535/0_ab_k.jpg",
        "/65535/0_ab_z.png",
        "/65535/0_ac_z.jpg",
        "/1/0_ab_z.jpg",
        "/65535/9_ab_z.jpg",
        "/0_ab_z.jpg",
    ],
)
def test_nothing_is_at_any_other_path(tmp_path: Path, path: str) -> None:
    library = library_of(tmp_path, (1000, 400, gradient(1000, 400)))
    assert library.at("/65535/0_ab_z.jpg")
    assert library.at(path) is None
