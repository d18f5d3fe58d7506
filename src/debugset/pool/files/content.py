"""What a file from the open world is: a whole picture without metadata, upright, or why not."""

import io
import re
import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from debugset.pool.fault import Fault
from debugset.pool.files.metadata import Truncated, strip_metadata
from debugset.pool.spool import OK, File

# https://mimesniff.spec.whatwg.org/#rules-for-identifying-an-unknown-mime-type
_HTML_TAGS = b"!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p"
_HTML = re.compile(rb"(\xef\xbb\xbf)?[\t\n\f\r ]*<((" + _HTML_TAGS + rb")[ >]|!--)", re.IGNORECASE)

# EXIF 2.32, tag 0x0112: how a picture must be turned to stand upright
_ORIENTATION = ExifTags.Base.Orientation
_UPRIGHT = 1
_TURNED = range(2, 9)
_ON_THEIR_SIDE = range(5, 9)
_4_2_0 = 2  # Pillow's number of the chroma subsampling that halves both sides
_pillows_limit = threading.Lock()


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
    """What the bytes of a file are, as the service sent them; pictures over ``max_pixels`` are not decoded.

    Returns:
        ``ok`` with the picture's width and height, its format's extension, and the bytes to pack: metadata taken
        out, turned as EXIF says (then, and only then, encoded anew), unchanged if there was nothing to do;
        ``too_many_pixels`` with width and height, nothing decoded; ``html``, ``truncated`` or ``undecodable``.
        ``size`` is the length of ``content``, ``sha256`` that of the bytes to pack.

    Raises:
        OSError: no memory is left.
    """
    image_format = next((known for known in _FORMATS if known.beginning.match(content)), None)
    if image_format is None:
        return File(Fault.HTML if _HTML.match(content) else Fault.UNDECODABLE, size=len(content))
    try:
        return _inspect_picture(content, image_format, max_pixels)
    except MemoryError:
        raise OSError("no memory is left to decode a picture; lower scrape.max_pixels, then run again") from None
    except Exception as error:  # decoders raise anything on strangers' bytes
        is_truncated = isinstance(error, Truncated) or "truncated" in str(error)
        return File(Fault.TRUNCATED if is_truncated else Fault.UNDECODABLE, size=len(content))


def _inspect_picture(content: bytes, image_format: _Format, max_pixels: int) -> File:
    cleaned = strip_metadata(content, image_format.name)
    if image_format.name == "WEBP":  # before it is opened, for that takes memory for all pixels
        width, height = _webp_size(cleaned)
        if _is_too_large(width, height, max_pixels):
            return File(Fault.TOO_MANY_PIXELS, width, height, len(content))
    with _open_image(cleaned, image_format) as image:
        width, height = image.size
        if _is_too_large(width, height, max_pixels):
            return File(Fault.TOO_MANY_PIXELS, width, height, len(content))
        image.draft(None, (1, 1))  # a JPEG is decoded wholly, but at an eighth of its size: faster, less memory
        image.load()
    orientation = _UPRIGHT if cleaned is content else _orientation(content, image_format)
    if orientation in _TURNED:
        cleaned = _turn_upright(cleaned, image_format, orientation)
    if orientation in _ON_THEIR_SIDE:
        width, height = height, width
    return File(OK, width, height, len(content), image_format.extension, sha256(cleaned).hexdigest(), cleaned)


def _is_too_large(width: int, height: int, max_pixels: int) -> bool:
    if not width or not height:
        raise ValueError("a picture without pixels")
    return width * height > max_pixels


def _open_image(content: bytes, image_format: _Format) -> ImageFile.ImageFile:
    """Open a file by its format's class, without Pillow's limit of pixels: ours is a parameter."""
    if image_format.name in ("JPEG", "PNG"):  # their classes know no limit
        return image_format.reader(io.BytesIO(content))
    with _pillows_limit:  # it is one for the whole process: lifted for one thread at a time
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return image_format.reader(io.BytesIO(content))
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _orientation(content: bytes, image_format: _Format) -> int:
    if image_format.name == "GIF":
        return _UPRIGHT
    try:
        with _open_image(content, image_format) as image:
            if isinstance(image, PngImageFile):
                image.load()  # its EXIF may follow the pixels
            return image.getexif().get(_ORIENTATION, _UPRIGHT)
    except Exception:  # broken metadata of a picture that is whole
        return _UPRIGHT


def _turn_upright(content: bytes, image_format: _Format, orientation: int) -> bytes:
    stream = io.BytesIO()
    with _open_image(content, image_format) as image:
        options: dict[str, Any] = {}
        if isinstance(image, JpegImageFile):
            options = _same_compression(image, orientation in _ON_THEIR_SIDE)
        elif image_format.name == "WEBP":
            options = {"lossless": True, "exact": True}
        image.getexif()[_ORIENTATION] = orientation  # it went with the metadata
        upright = ImageOps.exif_transpose(image)
        upright.save(stream, image_format.name, icc_profile=image.info.get("icc_profile"), **options)
    return stream.getvalue()


def _same_compression(image: JpegImageFile, on_its_side: bool) -> dict[str, Any]:
    """Options to save a turned JPEG with: its own tables, turned with it, so that little is lost."""
    tables, sampling = image.quantization, get_sampling(image)
    if on_its_side:
        tables = {number: np.reshape(table, (8, 8)).T.ravel().tolist() for number, table in tables.items()}
    can_be_kept = sampling == _4_2_0 or (sampling >= 0 and not on_its_side)  # a turned 4:2:2 cannot be written
    subsampling = sampling if can_be_kept else 0
    return {"qtables": tables, "subsampling": subsampling, "progressive": "progressive" in image.info}


def _webp_size(content: bytes) -> tuple[int, int]:
    """Width and height by the first chunk's header (RFC 9649, sections 2.5 to 2.7)."""
    kind, header = content[12:16], content[20:30]
    if kind == b"VP8X":
        return int.from_bytes(header[4:7], "little") + 1, int.from_bytes(header[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(header[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(header[6:8], "little") & 0x3FFF, int.from_bytes(header[8:10], "little") & 0x3FFF
