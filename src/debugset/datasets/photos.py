"""The simulator's world: photos with owners, dates, licences, titles and noisy tags, for two snapshots.

Half of what a class's search finds shows something else; some photos are copies of test images or of other
photos, some are broken or tiny. What each photo really is stands in columns that serve scoring only.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from debugset.datasets.fashion import CLASSES, SIZE, FashionParams, Wardrobe, composite
from debugset.datasets.fashion_mnist import CONTEXTS
from debugset.images.pixels import png_file

# What people call each class: a photo of the world carries one or two of its words, in its title or tags.
WORDS = {
    "tshirt": ("tshirt", "tee"),
    "trouser": ("trousers", "pants"),
    "pullover": ("pullover", "sweater"),
    "dress": ("dress", "gown"),
    "coat": ("coat", "parka"),
    "sandal": ("sandal", "flipflops"),
    "shirt": ("shirt", "blouse"),
    "sneaker": ("sneaker", "trainers"),
    "bag": ("bag", "handbag"),
    "boot": ("boot", "bootie"),
}
OTHER_TAGS = ("fashion", "style", "ootd", "vintage", "sale", "2020", "street", "studio", "canon", "nikon", "summer")
TITLES = ("{word}", "my new {word}", "{word} for sale", "the {word} again", "IMG_{number} {word}", "untitled {word}")
PLAIN_TITLES = ("untitled", "IMG_{number}", "yesterday", "for sale", "found this today")
NAMES = ("ada", "ben", "chi", "dora", "emil", "fay", "gus", "hana", "ivo", "june", "kofi", "lena", "milo", "nora")
# Flickr's licence ids and how often the world's owners choose them.
LICENCES = {0: 0.05, 4: 0.30, 5: 0.15, 7: 0.05, 9: 0.25, 10: 0.10, 11: 0.10}
OWNERS = 600
FIRST_ID = 5_000_000_000
ERAS = ((datetime(2014, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)))  # fmt: skip


@dataclass
class Photo:
    """One photo: its file, what it really shows, and the classes whose words it carries."""

    content: bytes
    words_of: tuple[int, ...]
    true_label: int
    context: str
    planted: str = ""
    copy_of: str = ""
    extension: str = "png"
    side: int = SIZE
    original: "Photo | None" = None
    about: dict[str, Any] = field(default_factory=dict)


def draw_world(
    params: FashionParams,
    clothes: Wardrobe,
    photographs: dict[str, np.ndarray],
    test_images: pd.DataFrame,
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """All photos of both snapshots as records for `write_set`, oldest first.

    Args:
        params: the fashion world's parameters.
        clothes: garments that no set shows.
        photographs: the contexts by name.
        test_images: ``id, label, context, content`` of the images that copies are made of.
    """
    last_id = FIRST_ID
    for era, share in enumerate((1.0, params.growth)):
        # Each snapshot draws for itself: growth must not change a byte of what came before it.
        rng = np.random.default_rng([params.random_state, 100 + era])
        start, end = (int(moment.timestamp()) for moment in ERAS[era])
        new = [photo for c in range(len(CLASSES)) for photo in _found_by(c, share, params, clothes, photographs, rng)]
        if era == 0:
            new += _planted(params, new, test_images, rng)
        moments = np.sort(start + ((end - start) * rng.beta(2, 1, len(new))).astype(np.int64))
        for photo, place in zip(new, rng.permutation(len(new)), strict=True):
            photo.about["uploaded"] = int(moments[place])
        photos = sorted(new, key=lambda photo: photo.about["uploaded"])
        last_id = _describe(photos, last_id, rng)
        for photo in photos:
            yield _record(photo), photo.content


def _found_by(
    class_: int,
    share: float,
    params: FashionParams,
    clothes: Wardrobe,
    photographs: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> list[Photo]:
    """The ordinary photos that carry a class's words: of the class, of another class, or without a garment."""
    count = round(params.photos_per_class * share)
    empty = round(count * params.no_garment)
    wrong = round(count * params.wrong_label) - empty
    others = [c for c in range(len(CLASSES)) if c != class_]
    shown = [class_] * (count - wrong - empty) + [others[i % len(others)] for i in range(wrong)] + [-1] * empty
    photos = []
    for true_label in shown:
        context = CONTEXTS[rng.integers(len(CONTEXTS))]
        garment = clothes.take(true_label) if true_label >= 0 else None
        words_of: tuple[int, ...] = (class_,)
        if rng.random() < params.cross_class:
            words_of = (class_, others[rng.integers(len(others))])
        photos.append(Photo(png_file(composite(garment, photographs[context], rng)), words_of, true_label, context))
    return photos


def _planted(
    params: FashionParams, ordinary: list[Photo], test_images: pd.DataFrame, rng: np.random.Generator
) -> list[Photo]:
    """Copies of test images under their right labels; copies, broken files and tiny versions of ordinary photos."""
    planted = []
    counts = params.planted.model_dump()
    copies = [(kind, counts[kind]) for kind in ("exact", "reencoded", "shifted", "brightness")]
    for class_ in range(len(CLASSES)):
        mine = [photo for photo in ordinary if photo.words_of == (class_,)]
        tests = test_images[test_images["label"] == class_]
        rows = iter(_drawn(len(tests), sum(count for _, count in copies), "test images", class_, rng))
        for kind, count in copies:
            planted += [_copy(kind, tests.iloc[next(rows)], rng) for _ in range(count)]
        for row in _drawn(len(mine), counts["duplicate"], "photos", class_, rng):
            source = mine[row]
            planted.append(Photo(source.content, (class_,), source.true_label, source.context, "duplicate",
                                 original=source))  # fmt: skip
        for row in _drawn(len(mine), counts["broken"], "photos", class_, rng):
            cut = mine[row].content[: len(mine[row].content) // 2]
            planted.append(Photo(cut, (class_,), mine[row].true_label, mine[row].context, "broken"))
        for row in _drawn(len(mine), counts["tiny"], "photos", class_, rng):
            small = Image.open(io.BytesIO(mine[row].content)).resize((8, 8))
            planted.append(
                Photo(png_file(np.asarray(small)), (class_,), mine[row].true_label, mine[row].context, "tiny", side=8)
            )
    return planted


def _drawn(available: int, count: int, what: str, class_: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` different ones of the ``available``."""
    if count > available:
        raise ValueError(
            f"prepare.planted: asks for copies of {count} {what} of class {CLASSES[class_]}, but there are "
            f"{available}; lower its counts"
        )
    return rng.choice(available, count, replace=False)


def _copy(kind: str, test: pd.Series, rng: np.random.Generator) -> Photo:
    """A leak: a test image as it is, saved as JPEG, shifted by one pixel, or brighter or darker by a tenth."""
    content, extension = test["content"], "png"
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    if kind == "reencoded":
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
        content, extension = buffer.getvalue(), "jpg"
    elif kind == "shifted":
        down, right = [(0, 1), (1, 0), (0, -1), (-1, 0)][rng.integers(4)]
        padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
        content = png_file(padded[1 + down : 1 + down + SIZE, 1 + right : 1 + right + SIZE])
    elif kind == "brightness":
        factor = (0.9, 1.1)[rng.integers(2)]
        content = png_file(np.clip(np.rint(pixels * factor), 0, 255).astype(np.uint8))
    label = int(test["label"])
    return Photo(content, (label,), label, test["context"], kind, test["id"], extension)


def _describe(photos: list[Photo], after: int, rng: np.random.Generator) -> int:
    """Give every photo its owner, licence, title, tags and an id above ``after``; return the last id."""
    ids = after + np.cumsum(rng.integers(1, 90_000, len(photos)))
    owners = [(f"{10_000_000 + int(n)}@N0{n % 9}", f"{NAMES[n % len(NAMES)]}{n}") for n in range(OWNERS)]
    for photo, photo_id in zip(photos, ids, strict=True):
        owner, owner_name = owners[rng.integers(OWNERS)]
        licence = int(rng.choice(list(LICENCES), p=list(LICENCES.values())))
        title, tags = _title_and_tags(photo, rng)
        photo.about |= {"id": str(photo_id), "owner": owner, "owner_name": owner_name, "licence": licence,
                        "title": title, "tags": tags, "secret": f"{rng.integers(16**10):010x}",
                        "server": str(65500 + int(rng.integers(36)))}  # fmt: skip
    return int(ids[-1]) if photos else after


def _title_and_tags(photo: Photo, rng: np.random.Generator) -> tuple[str, str]:
    """A title and tags that carry one word or both of each of the photo's classes, somewhere."""
    tags = list(rng.choice(OTHER_TAGS, rng.integers(1, 4), replace=False))
    title, titled = PLAIN_TITLES[rng.integers(len(PLAIN_TITLES))], False
    for class_ in photo.words_of:
        first, second = WORDS[CLASSES[class_]]
        chosen = [(first,), (second,), (first, second)][rng.choice(3, p=[0.45, 0.3, 0.25])]
        if rng.random() < 0.4 and not titled:
            titled = True  # another class's word must not take this one's place
            title = TITLES[rng.integers(len(TITLES))].format(word=chosen[0], number="{number}")
            chosen = chosen[1:]
        tags += chosen
    return title.replace("{number}", f"{rng.integers(10_000):04d}"), " ".join(rng.permutation(tags))


def _record(photo: Photo) -> dict[str, Any]:
    year = datetime.fromtimestamp(photo.about["uploaded"], UTC).year
    copy_of = photo.original.about["id"] if photo.original else photo.copy_of
    return {
        "shard": f"{year}.tar", "extension": photo.extension, "label": photo.true_label,
        "width": photo.side, "height": photo.side, **photo.about, "true_label": photo.true_label,
        "context": photo.context, "planted": photo.planted, "copy_of": copy_of,
    }  # fmt: skip
