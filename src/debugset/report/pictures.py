"""Images for the page: small ones stay as they are, large ones become thumbnails, all as data URIs."""

import base64
import io
from collections.abc import Iterable
from typing import NamedTuple

from PIL import Image

_CRISP = 64  # pixels on the longer side up to which an image is shown pixel by pixel
THUMBNAIL = 128  # pixels on the longer side of a larger image's thumbnail


class Tile(NamedTuple):
    """One image on the page."""

    uri: str  # the image as a data URI
    crisp: bool  # whether its pixels are shown as squares
    alt: str  # what it shows, for those who cannot see it
    caption: str = ""  # the line under it
    mark: str = ""  # "right" or "wrong" where the truth is known
    detail: str = ""  # the tool tip


class Lane(NamedTuple):
    """A row of pictures: what they are, the images, and a line under each, which may be empty."""

    title: str
    images: list[Image.Image]
    captions: list[str]

    def tiles(self) -> list[Tile]:
        """The pictures for the page."""
        pairs = zip(self.images, self.captions, strict=True)
        return [tile(image, self.title, caption=caption) for image, caption in pairs]


def decode_lane(title: str, files: Iterable[bytes], captions: list[str] | None = None) -> Lane:
    """A row of pictures from their files, without captions if none are given."""
    images = [Image.open(io.BytesIO(content)).convert("RGB") for content in files]
    return Lane(title, images, captions or [""] * len(images))


def tile(image: Image.Image, alt: str, *, caption: str = "", mark: str = "", detail: str = "") -> Tile:
    """An image as a tile; its fields are those of `Tile`."""
    return Tile(*data_uri(image), alt, caption, mark, detail)


def data_uri(image: Image.Image, longest: int = THUMBNAIL) -> tuple[str, bool]:
    """An image for the page, and whether it is small enough to be shown pixel by pixel.

    Others have at most ``longest`` px on the longer side. Decoded pixels are encoded anew, so that nothing but pixels
    of a stranger's file reaches the page.
    """
    buffer = io.BytesIO()
    image = image.copy()
    image.info = {}
    crisp = max(image.size) <= _CRISP
    if crisp:
        image.save(buffer, "PNG", optimize=True)
    else:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        image.save(buffer, "JPEG", quality=80, optimize=True)
    kind = "png" if crisp else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}", crisp
