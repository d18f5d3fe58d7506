"""Recipes of the fashion world: what one renders, and the same garment on other backgrounds."""

from collections import Counter
from itertools import chain

import numpy as np

from debugset.datasets.recipes import (
    GARMENT,
    SIZE,
    Recipe,
    draw_recipe,
    empty_backgrounds,
    exchange_backgrounds,
    render,
    render_all,
)
from tests.datasets.tiny import noisy_photographs, plain


def drawn(garment, photograph, random_state):
    """The image of a recipe drawn for a garment, with the photograph as its context."""
    recipe = draw_recipe(3, garment, "here", {"here": photograph}, np.random.default_rng(random_state))
    return render(recipe, {"here": photograph})


def some_recipes(photographs, count=40):
    rng = np.random.default_rng(5)
    garments = rng.integers(0, 256, (count, GARMENT, GARMENT), dtype=np.uint8)
    return [draw_recipe(place % 10, garment, "brick", photographs, rng) for place, garment in enumerate(garments)]


def test_a_garment_covers_the_context_only_where_it_is_and_moves_by_two_pixels():
    photograph = np.random.default_rng(0).integers(0, 102, (32, 32, 3), dtype=np.uint8)
    garment = np.zeros((28, 28), np.uint8)
    garment[5:9, 10:13] = 255
    places = set()
    for random_state in range(200):
        pixels = drawn(garment, photograph, random_state)
        covered = (pixels != photograph).any(axis=2)
        top, left = np.argwhere(covered).min(axis=0)
        assert covered.sum() == 12
        assert covered[top : top + 4, left : left + 3].all()
        patch = pixels[top : top + 4, left : left + 3].reshape(-1, 3)
        assert (patch == patch[0]).all()
        assert (patch >= 102).all()  # the darkest tint is 0.4
        places.add((int(top) - 5, int(left) - 10))
    assert places == {(down, right) for down in range(5) for right in range(5)}  # -2 to 2 around the middle


def test_a_faint_garment_lets_the_context_through():
    pixels = drawn(np.full((28, 28), 32, np.uint8), plain([200] * 3, 32, 32), 0)
    covered = pixels[(pixels != 200).all(axis=2)]
    assert len(covered) == 28 * 28
    assert (covered == covered[0]).all()
    assert (covered >= 100 + 6).all()  # half of the context and half of 32 in a tint of 0.4 to 1
    assert (covered <= 100 + 16).all()


def test_no_garment_leaves_a_crop_of_the_photograph():
    photograph = np.random.default_rng(0).integers(0, 256, (34, 37, 3), dtype=np.uint8)
    crops = {photograph[top : top + 32, left : left + 32].tobytes() for top in range(3) for left in range(6)}
    assert {drawn(None, photograph, random_state).tobytes() for random_state in range(200)} == crops


def test_a_recipe_says_what_its_image_shows():
    photographs, garment = noisy_photographs(), np.zeros((28, 28), np.uint8)
    garment[0, 0] = 200
    recipe = Recipe(3, garment, "grass", (4, 7), np.array([0.5, 0.75, 1.0], np.float32), (1, 3))
    expected = photographs["grass"][4:36, 7:39].copy()
    expected[1, 3] = 100, 150, 200
    assert np.array_equal(render(recipe, photographs), expected)
    bare = recipe._replace(garment=None, context="rocket")
    assert np.array_equal(render_all([recipe, bare], photographs), [expected, photographs["rocket"][4:36, 7:39]])
    assert render_all([], photographs).shape == (0, SIZE, SIZE, 3)


def test_an_exchanged_background_keeps_the_garment_its_tint_and_its_place():
    photographs = noisy_photographs()
    recipes = some_recipes(photographs)
    for recipe, others in zip(recipes, exchange_backgrounds(recipes, photographs, 2, 0), strict=True):
        assert [other.context for other in others] == [name for name in photographs for _ in range(2)]
        for other in others:
            assert other == recipe._replace(context=other.context, crop=other.crop)  # the very same arrays
        down, right = recipe.shift
        opaque = recipe.garment >= 64
        images = render_all([recipe, *others], photographs)[:, down : down + GARMENT, right : right + GARMENT]
        assert (images[:, opaque] == images[0, opaque]).all()
        assert len({image.tobytes() for image in images}) > 10  # two crops of a small photograph may be the same


def test_every_crop_of_a_context_is_drawn_as_often():
    photographs = {"low": plain([0] * 3, 34, 33), "high": plain([9] * 3, 32, 35)}
    recipes = some_recipes({"brick": plain([0] * 3, 32, 32)}, 300)
    exchanged = chain.from_iterable(exchange_backgrounds(recipes, photographs, 2, 0))
    crops = Counter((other.context, other.crop) for other in exchanged)
    wished = {("low", (top, left)) for top in range(3) for left in range(2)} | {
        ("high", (0, left)) for left in range(4)
    }
    assert set(crops) == wished
    assert all(70 < count < 130 for (context, _), count in crops.items() if context == "low")  # of 600 in 6 places
    assert all(110 < count < 190 for (context, _), count in crops.items() if context == "high")


def test_crops_are_those_of_the_random_state():
    photographs = noisy_photographs()
    recipes = some_recipes(photographs)
    first, again, other = (
        [one.crop for one in chain.from_iterable(exchange_backgrounds(recipes, photographs, 2, state))]
        for state in (0, 0, 1)
    )
    assert first == again != other


def test_empty_backgrounds_show_every_context_without_a_garment():
    photographs = {name: plain([place] * 3, 40, 40) for place, name in enumerate(noisy_photographs())}
    recipes = empty_backgrounds(photographs, 3, 0)
    assert [recipe.context for recipe in recipes] == [name for name in photographs for _ in range(3)]
    assert {recipe.label for recipe in recipes} == {-1}
    images = render_all(recipes, photographs)
    assert (images == np.repeat(np.arange(6), 3)[:, None, None, None]).all()
    assert len({recipe.crop for recipe in recipes}) > 10
