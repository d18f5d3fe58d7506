"""What a file from the open world is: a whole picture without metadata, upright, or why not."""

import io
import re
import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from PIL import Image, ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from debugset.pool.files.metadata import Truncated, without_metadata
from debugset.pool.spool import File

# https://mimesniff.spec.whatwg.org/#rules-for-identifying-an-unknown-mime-type
_HTML_TAGS = b"!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p"
_HTML = re.compile(rb"(\xef\xbb\xbf)?[\t\n\f\r ]*<((" + _HTML_TAGS + rb")[ >]|!--)", re.IGNORECASE)

_ORIENTATION = 0x0112
_UPRIGHT = 1
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_THEIR_SIDE = (5, 6, 7, 8)
_no_limit = threading.Lock()


class _Format(NamedTuple):
    """A format that is taken: Pillow's name, the file name extension, how files begin, and what opens them."""

    name: str
    extension: str
    beginning: re.Pattern[bytes]
    reader: Callable[[io.BytesIO], ImageFile.ImageFile]


_FORMATS = [
    _Format("JPEG", "jpg", re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    _Format("PNG", "png", re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    _Format("GIF", "gif", re.compile(rb"GIF8[79]a"), GifImageFile),
    _Format("WEBP", "webp", re.compile(rb"RIFF....WEBP", re.DOTALL), WebPImageFile),
]


def inspect(content: bytes, max_pixels: int) -> File:
    """What the bytes of a file are.

    Args:
        content: as the service sent them.
        max_pixels: the largest picture that is decoded.

    Returns:
        ``ok`` with the picture's width and height, its format's extension, and the bytes to pack: metadata taken
        out, turned as EXIF says (then, and only then, encoded anew), unchanged if there was nothing to do;
        ``too_many_pixels`` with width and height, nothing decoded; ``html``, ``truncated`` or ``undecodable``.
        ``size`` is the length of ``content``, ``sha256`` that of the bytes to pack.
    """
    try:
        return _inspected(content, max_pixels)
    except MemoryError:
        raise OSError("no memory is left to decode a picture; lower scrape.max_pixels, then run again") from None
    except Exception as error:  # decoders raise anything on strangers' bytes
        truncated = isinstance(error, Truncated) or "truncated" in str(error)
        return File("truncated" if truncated else "undecodable", size=len(content))


def _inspected(content: bytes, max_pixels: int) -> File:
    format = next((one for one in _FORMATS if one.beginning.match(content)), None)
    if format is None:
        return File("html" if _HTML.match(content) else "undecodable", size=len(content))
    cleaned = without_metadata(content, format.name)
    if format.name == "WEBP" and (file := _unless_small(_webp_size(cleaned), max_pixels, content)):
        return file  # before it is opened, for that takes memory for all pixels
    with _opened(cleaned, format) as image:
        width, height = image.size
        if file := _unless_small(image.size, max_pixels, content):
            return file
        image.draft(None, (1, 1))  # a JPEG is decoded wholly, but at an eighth of its size: faster, less memory
        image.load()
    orientation = _UPRIGHT if cleaned is content else _orientation(content, format)
    if orientation in _TURNS:
        cleaned = _turned(cleaned, format, orientation)
        width, height = (height, width) if orientation in _ON_THEIR_SIDE else (width, height)
    return File("ok", width, height, len(content), format.extension, sha256(cleaned).hexdigest(), cleaned)


def _unless_small(size: tuple[int, int], max_pixels: int, content: bytes) -> File | None:
    width, height = size
    if not width or not height:
        raise ValueError("a picture without pixels")
    return File("too_many_pixels", width, height, len(content)) if width * height > max_pixels else None


def _opened(content: bytes, format: _Format) -> ImageFile.ImageFile:
    """Open a file by its format's class: Pillow's limit of pixels is not ours."""
    if format.name in ("JPEG", "PNG"):
        return format.reader(io.BytesIO(content))
    with _no_limit:  # the others ask for the limit themselves
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return format.reader(io.BytesIO(content))
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _orientation(content: bytes, format: _Format) -> int:
    if format.name == "GIF":
        return _UPRIGHT
    try:
        with _opened(content, format) as image:
            if isinstance(image, PngImageFile):
                image.load()  # its EXIF may follow the pixels
            return image.getexif().get(_ORIENTATION, _UPRIGHT)
    except Exception:  # broken metadata of a picture that is whole
        return _UPRIGHT


def _turned(content: bytes, format: _Format, orientation: int) -> bytes:
    stream = io.BytesIO()
    with _opened(content, format) as image:
        options: dict[str, Any] = {}
        if isinstance(image, JpegImageFile):
            options = _same_compression(image, orientation in _ON_THEIR_SIDE)
        elif format.name == "WEBP":
            options = {"lossless": True, "exact": True}
        turned = image.transpose(_TURNS[orientation])
        turned.save(stream, format.name, icc_profile=image.info.get("icc_profile"), **options)
    return stream.getvalue()


def _same_compression(image: JpegImageFile, on_its_side: bool) -> dict[str, Any]:
    """Options to save a turned JPEG with: its own tables, turned with it, so that little is lost."""
    tables, sampling = image.quantization, get_sampling(image)
    if on_its_side:
        tables = {number: [table[i % 8 * 8 + i // 8] for i in range(64)] for number, table in tables.items()}
    symmetric = sampling == 2  # 4:2:0; a turned 4:2:2 cannot be written
    kept = sampling >= 0 and (symmetric or not on_its_side)
    return {"qtables": tables, "subsampling": sampling if kept else 0, "progressive": "progressive" in image.info}


def _webp_size(content: bytes) -> tuple[int, int]:
    """Width and height by the first chunk's header (RFC 9649, sections 2.5 to 2.7)."""
    kind, header = content[12:16], content[20:30]
    if kind == b"VP8X":
        return int.from_bytes(header[4:7], "little") + 1, int.from_bytes(header[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(header[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(header[6:8], "little") & 0x3FFF, int.from_bytes(header[8:10], "little") & 0x3FFF
