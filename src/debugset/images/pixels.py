"""From an image to the square of bytes that a model is fed, the same way for all who look at it; and back to a file."""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from debugset.base.machine import workers

T = TypeVar("T")
Box = tuple[float, float, float, float]  # left, top, right and bottom, px

# A box is first reduced by a whole factor, as long as at least twice the size is left: much faster on photos, and
# hardly distinguishable, says Pillow.
REDUCING_GAP = 2.0
_LONGEST = 16  # sides; the squares that models see are one


def square_pixels(
    image: Image.Image, size: int, *, crop: float = 1.0, interpolation: str = "bilinear", box: Box | None = None
) -> UInt8[np.ndarray, "size size 3"]:
    """An RGB image as a square: its shorter side resized to ``size / crop`` px, then the square at the centre.

    An image that already has that side is not resized. Of one that is longer than `_LONGEST` times its shorter side,
    the middle alone is looked at: a line of pixels would else grow without bounds.

    Args:
        crop: share of the resized shorter side that is kept, at most 1.
        interpolation: Pillow's name of the filter.
        box: a part of the image that shall fill the square instead, whatever its shape.
    """
    resampling = Image.Resampling[interpolation.upper()]
    if box is not None:
        return np.asarray(image.resize((size, size), resampling, box=box, reducing_gap=REDUCING_GAP))
    longest = _LONGEST * min(image.size)
    if max(image.size) > longest:
        left, top = max(0, image.width - longest) // 2, max(0, image.height - longest) // 2
        image = image.crop((left, top, image.width - left, image.height - top))
    scale = round(size / crop) / min(image.size)
    if scale != 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), resampling)
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return np.asarray(image.crop((left, top, left + size, top + size)))


def decode_ahead(
    batches: Iterable[Iterable[T]], decode: Callable[[T], UInt8[np.ndarray, "h w 3"]]
) -> Iterator[UInt8[np.ndarray, "_b h w 3"]]:
    """Images decoded in threads, one batch ahead of who works on them; ``decode`` gives pixels, all of one size."""
    with ThreadPoolExecutor(workers()) as pool:
        waiting: Iterator[np.ndarray] | None = None
        for batch in batches:
            current, waiting = waiting, pool.map(decode, batch)
            if current is not None:
                yield np.stack(list(current))
        if waiting is not None:
            yield np.stack(list(waiting))


def png_file(pixels: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"], *, optimize: bool = False) -> bytes:
    """Grey values or colours as a PNG file; ``optimize`` looks for the smallest, which takes longer."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=optimize)
    return buffer.getvalue()
