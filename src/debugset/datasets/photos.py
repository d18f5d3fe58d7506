"""The simulator's world: photos with owners, dates, licences, titles and noisy tags, for two snapshots.

Half of what a class's search finds shows something else; some photos are copies of test images or of other
photos, some are broken or tiny. What each photo really is stands in columns that serve scoring only.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from PIL import Image

from debugset.datasets.fashion import CLASSES, DrawnImage, FashionParams, Wardrobe
from debugset.datasets.fashion_mnist import CONTEXTS
from debugset.datasets.recipes import NO_GARMENT, SIZE, Photographs, draw_recipe, render
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
LEAKS = ("exact", "reencoded", "shifted", "brightness")  # planted copies of test images
_OWNERS = 600
_TINY = 8  # side of a tiny photo, px
_FIRST_ID = 5_000_000_000
_ERAS = ((2014, 2024), (2024, 2025))  # of the two snapshots' photos: the year they begin with, and the one after them


@dataclass
class Photo:
    """One photo."""

    content: bytes  # its file
    words_of: tuple[int, ...]  # the classes whose words it carries
    true_label: int  # the class that it really shows, or `NO_GARMENT`
    context: str  # what is behind
    planted: str = ""  # its kind, if it was planted
    copy_of: str = ""  # id of the test image that it is a copy of
    extension: str = "png"
    side: int = SIZE  # of the square, px
    original: "Photo | None" = None  # the other photo that it is a copy of
    about: dict[str, Any] = field(default_factory=dict)  # what the simulator says of it


def draw_world(
    params: FashionParams, clothes: Wardrobe, photographs: Photographs, test_images: Sequence[DrawnImage]
) -> Iterator[DrawnImage]:
    """All photos of both snapshots as records for `write_set`, oldest first.

    No set shows the clothes; ``photographs`` are the contexts by name; of the test images copies are made.
    """
    last_id = _FIRST_ID
    for era, share in enumerate((1.0, params.growth)):
        # Each snapshot draws for itself: growth must not change a byte of what came before it.
        rng = np.random.default_rng([params.random_state, 100 + era])
        photos = []
        for class_ in range(len(CLASSES)):
            photos += _draw_photos(class_, share, params, clothes, photographs, rng)
        if era == 0:
            photos += _plant_photos(params, photos, test_images, rng)
        _date(photos, *_ERAS[era], rng)
        photos.sort(key=lambda photo: photo.about["uploaded"])
        last_id = _describe(photos, last_id, rng)
        for photo in photos:
            yield _record(photo), photo.content


def _draw_photos(
    class_: int,
    share: float,
    params: FashionParams,
    clothes: Wardrobe,
    photographs: Photographs,
    rng: np.random.Generator,
) -> list[Photo]:
    """The ordinary photos that carry a class's words: of the class, of another class, or without a garment."""
    count = round(params.photos_per_class * share)
    empty = round(count * params.no_garment)
    wrong = round(count * params.wrong_label) - empty
    others = [other for other in range(len(CLASSES)) if other != class_]
    true_labels = [class_] * (count - wrong - empty)
    for place in range(wrong):
        true_labels.append(others[place % len(others)])
    true_labels += [NO_GARMENT] * empty
    photos = []
    for true_label in true_labels:
        context = CONTEXTS[rng.integers(len(CONTEXTS))]
        garment = None if true_label == NO_GARMENT else clothes.take(true_label)
        words_of: tuple[int, ...] = (class_,)
        if rng.random() < params.cross_class:
            words_of = (class_, others[rng.integers(len(others))])
        recipe = draw_recipe(true_label, garment, context, photographs, rng)
        photos.append(Photo(png_file(render(recipe, photographs)), words_of, true_label, context))
    return photos


def _plant_photos(
    params: FashionParams, ordinary: list[Photo], test_images: Sequence[DrawnImage], rng: np.random.Generator
) -> list[Photo]:
    """Copies of test images under their right labels; copies, broken files and tiny versions of ordinary photos."""
    planted = []
    counts = params.planted.model_dump()
    for class_ in range(len(CLASSES)):
        tests = [test for test in test_images if test[0]["label"] == class_]
        copied = _choose(len(tests), sum(counts[kind] for kind in LEAKS), "test images", class_, rng).tolist()
        for kind in LEAKS:
            for _ in range(counts[kind]):
                about, content = tests[copied.pop(0)]
                planted.append(_copy_test_image(kind, about, content, rng))
        mine = [photo for photo in ordinary if photo.words_of == (class_,)]
        for kind in ("duplicate", "broken", "tiny"):
            for row in _choose(len(mine), counts[kind], "photos", class_, rng):
                planted.append(_spoil_photo(kind, mine[row]))
    return planted


def _spoil_photo(kind: str, photo: Photo) -> Photo:
    """A duplicate of an ordinary photo, its first half, or a tiny version."""
    if kind == "duplicate":
        return replace(photo, planted=kind, original=photo, about={})
    if kind == "broken":
        return replace(photo, content=photo.content[: len(photo.content) // 2], planted=kind, about={})
    small = Image.open(io.BytesIO(photo.content)).resize((_TINY, _TINY))
    return replace(photo, content=png_file(np.asarray(small)), planted=kind, side=_TINY, about={})


def _choose(available: int, count: int, what: str, class_: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` different ones of the ``available``."""
    if count > available:
        raise ValueError(
            f"prepare.planted: asks for copies of {count} {what} of class {CLASSES[class_]}, but there are "
            f"{available}; lower its counts"
        )
    return rng.choice(available, count, replace=False)


def _copy_test_image(kind: str, about: Mapping[str, Any], content: bytes, rng: np.random.Generator) -> Photo:
    """A leak: a test image as it is, saved as JPEG, shifted by one pixel, or brighter or darker by a tenth."""
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    extension = "png"
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
    label = about["label"]
    return Photo(content, (label,), label, about["context"], kind, about["id"], extension)


def _date(photos: list[Photo], first: int, end: int, rng: np.random.Generator) -> None:
    """Give every photo a second from year ``first`` to before ``end``; more and more are uploaded as time goes on."""
    start = int(datetime(first, 1, 1, tzinfo=UTC).timestamp())
    stop = int(datetime(end, 1, 1, tzinfo=UTC).timestamp())
    moments = np.sort(start + ((stop - start) * rng.beta(2, 1, len(photos))).astype(np.int64))
    for photo, place in zip(photos, rng.permutation(len(photos)), strict=True):
        photo.about["uploaded"] = int(moments[place])


def _describe(photos: list[Photo], after: int, rng: np.random.Generator) -> int:
    """Give every photo its owner, licence, title, tags and an id above ``after``; return the last id."""
    ids = after + np.cumsum(rng.integers(1, 90_000, len(photos)))
    for photo, photo_id in zip(photos, ids, strict=True):
        owner = int(rng.integers(_OWNERS))
        licence = int(rng.choice(list(LICENCES), p=list(LICENCES.values())))
        title, tags = _title_and_tags(photo, rng)
        photo.about |= {
            "id": str(photo_id),
            "owner": f"{10_000_000 + owner}@N0{owner % 9}",
            "owner_name": f"{NAMES[owner % len(NAMES)]}{owner}",
            "licence": licence,
            "title": title,
            "tags": tags,
            "secret": f"{rng.integers(16**10):010x}",
            "server": str(65500 + int(rng.integers(36))),
        }
    return int(ids[-1]) if photos else after


def _title_and_tags(photo: Photo, rng: np.random.Generator) -> tuple[str, str]:
    """A title and tags that carry one word or both of each of the photo's classes, somewhere."""
    tags = list(rng.choice(OTHER_TAGS, rng.integers(1, 4), replace=False))
    title, titled = PLAIN_TITLES[rng.integers(len(PLAIN_TITLES))], False
    for class_ in photo.words_of:
        first, second = WORDS[CLASSES[class_]]
        words = [(first,), (second,), (first, second)][rng.choice(3, p=[0.45, 0.3, 0.25])]
        if rng.random() < 0.4 and not titled:
            titled = True  # another class's word must not take this one's place
            title = TITLES[rng.integers(len(TITLES))].format(word=words[0], number="{number}")
            words = words[1:]
        tags += words
    return title.replace("{number}", f"{rng.integers(10_000):04d}"), " ".join(rng.permutation(tags))


def _record(photo: Photo) -> dict[str, Any]:
    shard = f"{datetime.fromtimestamp(photo.about['uploaded'], UTC).year}.tar"
    file = {"shard": shard, "extension": photo.extension, "width": photo.side, "height": photo.side}
    copy_of = photo.original.about["id"] if photo.original else photo.copy_of
    truth = {"true_label": photo.true_label, "context": photo.context, "planted": photo.planted, "copy_of": copy_of}
    return {**file, "label": photo.true_label, **photo.about, **truth}
