"""The one door for image files: what a file is, and its picture as every model sees it.

Pool and sets go through it alike, so that a copy has the digest and the pixels of what it is a copy of.
"""

import io
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from debugset.images.metadata import Truncated, add_orientation, strip_metadata

# Of the names of image files, in lower case; of several images of one sample in a tar the first of these counts.
IMAGE_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp")
MAX_PIXELS = 178_956_970  # of an image in a set: what Pillow refuses by default

FAULT_TEXTS = {  # why a file is no image to use, in words
    "html": "a web page, no picture",
    "truncated": "cut short",
    "undecodable": "cannot be decoded",
    "too_many_pixels": "too many pixels",
}

# https://mimesniff.spec.whatwg.org/#rules-for-identifying-an-unknown-mime-type
_HTML_TAGS = b"!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p"
_HTML = re.compile(rb"(\xef\xbb\xbf)?[\t\n\f\r ]*<((" + _HTML_TAGS + rb")[ >]|!--)", re.IGNORECASE)

_GROUND = "white"  # what shows through transparent pixels, as in most viewers
# EXIF 2.32, tag 0x0112: how a picture must be turned to stand upright
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UPRIGHT = 1
_ON_THEIR_SIDE = range(5, 9)
_pillows_limit = threading.Lock()


class InspectedFile(NamedTuple):
    """What a file is: an image, or why not."""

    fault: str  # "" for an image, else one of `FAULT_TEXTS`
    width: int = 0  # px, of the upright picture
    height: int = 0
    extension: str = ""  # the file name extension of its format
    sha256: str = ""  # of ``content``
    content: bytes = b""  # the file without metadata


class _Format(NamedTuple):
    """A format that is read: Pillow's name, the file name extension, how files begin, and what opens them."""

    name: str
    extension: str
    beginning: re.Pattern[bytes]
    reader: Callable[[io.BytesIO], ImageFile.ImageFile]


_FORMATS = [
    _Format("JPEG", "jpg", re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    _Format("PNG", "png", re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    _Format("GIF", "gif", re.compile(rb"GIF8[79]a"), GifImageFile),
    _Format("WEBP", "webp", re.compile(rb"RIFF....WEBP", re.DOTALL), WebPImageFile),
    _Format("BMP", "bmp", re.compile(rb"BM"), BmpImageFile),
]


def inspect_file(content: bytes, max_pixels: int) -> InspectedFile:
    """What the bytes of a file are; pictures over ``max_pixels`` are not decoded.

    Of an image everything is told; its ``content`` is the file without metadata, but for the EXIF orientation of one
    that must be turned: no picture is encoded anew. Of a picture with ``too_many_pixels`` only width and height.

    Raises:
        MemoryError: none is left to decode the picture.
    """
    image_format = _find_format(content)
    if image_format is None:
        return InspectedFile("html" if _HTML.match(content) else "undecodable")
    try:
        return _inspect_picture(content, image_format, max_pixels)
    except MemoryError:
        raise  # says nothing of the file
    except Exception as error:  # decoders raise anything on strangers' bytes
        is_truncated = isinstance(error, Truncated) or "truncated" in str(error)
        return InspectedFile("truncated" if is_truncated else "undecodable")


def decode_image(content: bytes) -> Image.Image:
    """The picture of an image's file: RGB, upright as EXIF says, transparent pixels laid on white.

    Of 16-bit colours and grey values the upper 8 bits are kept; of an animation the first picture.

    Raises:
        ValueError: the file is no whole image, as `inspect_file` would have told.
    """
    with _open_upright(content) as (image, orientation):
        return _to_rgb(image.transpose(_TURNS[orientation]) if orientation in _TURNS else image)


def image_size(content: bytes) -> tuple[int, int]:
    """Width and height of the upright picture in px, by the file's header; `ValueError` if it is no image."""
    with _open_upright(content) as (image, orientation):
        width, height = image.size
        return (height, width) if orientation in _ON_THEIR_SIDE else (width, height)


@contextmanager
def _open_upright(content: bytes) -> Iterator[tuple[ImageFile.ImageFile, int]]:
    """An image's file opened, and its orientation; all that decoders raise on it becomes a ValueError."""
    image_format = _find_format(content)
    if image_format is None:
        raise ValueError("not an image of a known format")
    try:
        with _open_readable(content, image_format) as image:
            yield image, _orientation(image)
    except MemoryError:
        raise  # says nothing of the file
    except Exception as error:
        raise ValueError(f"not a whole image: {error}") from None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":  # Pillow's own conversion lets all above 255 be white
        levels, transparent = np.asarray(image), image.info.get("transparency")
        image = Image.fromarray((levels >> 8).astype(np.uint8))
        if transparent is not None:
            image.putalpha(Image.fromarray(levels != transparent).convert("L"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, _GROUND), image)
    pixels = image.convert("RGB")
    pixels.info = {}  # what it said of the file is done, or would be done twice
    return pixels


def _find_format(content: bytes) -> _Format | None:
    return next((known for known in _FORMATS if known.beginning.match(content)), None)


def _inspect_picture(content: bytes, image_format: _Format, max_pixels: int) -> InspectedFile:
    cleaned = strip_metadata(content, image_format.name)
    if image_format.name == "WEBP":  # before it is opened, for that takes memory for all pixels
        width, height = _webp_size(cleaned)
        if _is_too_large(width, height, max_pixels):
            return InspectedFile("too_many_pixels", width, height)
    with _open_image(cleaned, image_format) as image:
        width, height = image.size
        if _is_too_large(width, height, max_pixels):
            return InspectedFile("too_many_pixels", width, height)
        image.draft(None, (1, 1))  # a JPEG is decoded wholly, but at an eighth of its size: faster, less memory
        image.load()
    orientation = _UPRIGHT
    if cleaned is not content:  # something was removed: perhaps what says how to turn it
        with _open_readable(content, image_format) as image:
            orientation = _orientation(image)
    if orientation in _TURNS:
        cleaned = add_orientation(cleaned, image_format.name, orientation)
    if orientation in _ON_THEIR_SIDE:
        width, height = height, width
    return InspectedFile("", width, height, image_format.extension, sha256(cleaned).hexdigest(), cleaned)


def _is_too_large(width: int, height: int, max_pixels: int) -> bool:
    if not width or not height:
        raise ValueError("a picture without pixels")
    return width * height > max_pixels


def _open_image(content: bytes, image_format: _Format) -> ImageFile.ImageFile:
    """Open a file by its format's class, without Pillow's limit of pixels: ours was checked before."""
    if image_format.name not in ("GIF", "WEBP"):  # the other classes know no limit
        return image_format.reader(io.BytesIO(content))
    with _pillows_limit:  # it is one for the whole process: lifted for one thread at a time
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return image_format.reader(io.BytesIO(content))
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _open_readable(content: bytes, image_format: _Format) -> ImageFile.ImageFile:
    """Open a file as it came, or without its metadata where these are broken or larger than Pillow takes."""
    try:
        image = _open_image(content, image_format)
        if image_format.name == "PNG":
            image.load()  # its EXIF may follow the pixels
        return image
    except MemoryError:
        raise  # says nothing of the file
    except Exception:
        return _open_image(strip_metadata(content, image_format.name), image_format)


def _orientation(image: ImageFile.ImageFile) -> int:
    if image.format == "GIF":
        return _UPRIGHT
    try:
        return image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception:  # broken metadata of a picture that is whole
        return _UPRIGHT


def _webp_size(content: bytes) -> tuple[int, int]:
    """Width and height by the first chunk's header (RFC 9649, sections 2.5 to 2.7)."""
    kind, header = content[12:16], content[20:30]
    if kind == b"VP8X":
        return int.from_bytes(header[4:7], "little") + 1, int.from_bytes(header[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(header[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(header[6:8], "little") & 0x3FFF, int.from_bytes(header[8:10], "little") & 0x3FFF
