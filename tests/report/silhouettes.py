"""Silhouettes of clothes on textured grounds: the images of the tests' world."""

import io

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ("tshirt", "trouser", "dress", "sneaker", "bag")
CONTEXTS = ("brick", "grass", "night")
SHAPES = {
    -1: [],
    0: [(4, 8), (12, 5), (20, 5), (28, 8), (26, 14), (22, 13), (22, 28), (10, 28), (10, 13), (6, 14)],
    1: [(10, 4), (22, 4), (24, 29), (18, 29), (16, 12), (14, 29), (8, 29)],
    2: [(12, 3), (20, 3), (19, 12), (26, 29), (6, 29), (13, 12)],
    3: [(4, 15), (10, 14), (16, 19), (27, 21), (29, 26), (4, 26)],
    4: [(6, 13), (11, 13), (12, 6), (20, 6), (21, 13), (26, 13), (28, 28), (4, 28)],
}


def draw(label, context, rng, size=32):
    """A silhouette on a textured ground, as PNG bytes."""
    base = np.array({"brick": (150, 80, 60), "grass": (80, 130, 60), "night": (35, 40, 80)}[context])
    ground = base + rng.normal(0, 14, (32, 32, 1)) + rng.normal(0, 6, 3)
    if context == "brick":
        ground[::8] += 50
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8)).resize((size, size))
    tint = tuple(int(value) for value in rng.integers(120, 250, 3))
    dx, dy = rng.integers(-2, 3, 2)
    if points := [((x + dx) * size / 32, (y + dy) * size / 32) for x, y in SHAPES[label]]:
        ImageDraw.Draw(image).polygon(points, fill=tint)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
