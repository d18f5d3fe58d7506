"""Pictures as the faulty simulator spoils them: pure functions from a photo's bytes, or its id, to what is served."""

import hashlib
import io
import struct
import zlib
from base64 import b64decode
from functools import cache

import numpy as np
from PIL import Image

from debugset.pool.simulator.library import encode

# A crossed-out frame, 240 x 180: what the image host shows in the place of a photo that is gone. Written out, so
# that its digest is the same with every version of Pillow and zlib.
PLACEHOLDER = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAPAAAAC0AQAAAACC55xFAAABp0lEQVR42u3YzW3CQBCG4XEcCQ4cUkHSAiVQSkrBlRE6oBQOHEgkdnKw1zs/30xy"
    "RVqur5h5DkiMPTBlnxfqueeee36aXIiI6JWIiAbQOR9+JCIa+B/f/mD3yWmPbZpvb2m+fi4CZma/e7rPgiCPcw6GP3apfJFFucqC3ROntJEzWpUF"
    "u6ssyKsM7544o5WRM1rZpT/F2z7N1wNltIkzWhk5ozUZ3N1kMAsZ2j1xRisjZzQhQ7uFDGUpA7snzmizLKRJGdgtZSArmd89yyLaIotoSuZ3K5nP"
    "WuZ2L7KAVmUBTcvcbi1z2cjs7irDtFWGaUZmdxuZzZdDms9HSuRlwxmtbNP/MSsz2cpMdjJFEzJEczI93Ml0djKdvUzSpAzQvEwN9zKVvUxlIBM0"
    "JfM0IJPDgUxmIJMZyRpNyxwNycRwJBMZyUSGspVmZJYGZW04lLUMZS1jWaVZmaH9bNNL875P8+UrzefgrJtpTqZpgawOD2Q1B7KaI9lMe3cyRYtk"
    "y/BIVi9s//bhe9POd3SBtwOc82eD4Y9HhxMH9/vQX4n03HPPz5Z/AYv+c8JPbj2bAAAAAElFTkSuQmCC"
)
PLACEHOLDER_SHA256 = hashlib.sha256(PLACEHOLDER).hexdigest()
PAGE = (
    b"<!DOCTYPE html>\n<html lang='en'>\n<head><title>Flickr</title></head>\n"
    b"<body><h1>Panda in the way</h1><p>This photo cannot be shown just now.</p></body>\n</html>\n"
)
BOMB_SIDE = 20_000  # pixels
_ORIENTATION, _GPS, _MAKE = 0x0112, 0x8825, 0x010F
_GREENWICH = {1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0)}
# What turns an upright picture into one that an EXIF orientation turns back (EXIF 2.32, tag 0x0112).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
ORIENTATIONS = tuple(_TURNS)


def truncate(content: bytes) -> bytes:
    """The first half of a file."""
    return content[: len(content) // 2]


def corrupt(content: bytes) -> bytes:
    """A file of the same length with the start and end of its format, and nothing to decode between them."""
    return content[:8] + b"U" * max(0, len(content) - 20) + content[-12:]


def rotate(content: bytes, orientation: int) -> bytes:
    """A JPEG of the picture that is upright only by its EXIF, which also says where it was taken.

    Args:
        content: a file that can be decoded.
        orientation: the EXIF orientation, 2 to 8.
    """
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_MAKE], exif[_GPS] = orientation, "Camera", _GREENWICH
    with Image.open(io.BytesIO(content)) as image:
        return encode(image.convert("RGB").transpose(_TURNS[orientation]), "JPEG", exif=exif.tobytes())


def replacement(photo: str, width: int, height: int) -> Image.Image:
    """The picture with which an owner replaced a photo: coloured clouds, by the photo's id."""
    seed = int.from_bytes(hashlib.sha256(photo.encode()).digest()[:8])
    colours = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)


@cache
def bomb() -> bytes:
    """A PNG of few bytes and `BOMB_SIDE` x `BOMB_SIDE` pixels, black; whole and right."""
    squeeze = zlib.compressobj(9)
    row = bytes(1 + BOMB_SIDE // 8)  # filter type, then a bit a pixel
    rows = b"".join(squeeze.compress(row) for _ in range(BOMB_SIDE)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
