"""An image as a square, in two steps that anyone can check by hand: resize the whole, then cut rows and columns."""

import numpy as np
from PIL import Image


def square_pixels(image, size, crop, interpolation):
    """The middle ``size`` rows and columns of the image whose shorter side is ``size / crop``."""
    shorter = min(image.size)
    wished = round(size / crop)
    if shorter != wished:
        sides = [round(side * (wished / shorter)) for side in image.size]
        image = image.resize(sides, getattr(Image.Resampling, interpolation.upper()))
    pixels = np.array(image)
    top, left = (pixels.shape[0] - size) // 2, (pixels.shape[1] - size) // 2
    return pixels[top : top + size, left : left + size]
