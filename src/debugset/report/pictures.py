"""Images for the page: small ones stay as they are, large ones become thumbnails, all as data URIs."""

import base64
import io
from dataclasses import dataclass

from PIL import Image

from debugset.images.sets import ImageSet
from debugset.report.inputs import POOL, Inputs

CRISP = 64  # pixels on the longer side up to which an image is shown pixel by pixel
THUMBNAIL = 128  # pixels on the longer side of a larger image's thumbnail


@dataclass(frozen=True)
class Tile:
    """One image on the page.

    Attributes:
        uri: the image as a data URI.
        crisp: whether its pixels are shown as squares.
        alt: what it shows, for those who cannot see it.
        caption: the line under it.
        mark: "right" or "wrong" where the truth is known, else "".
        detail: the tool tip.
    """

    uri: str
    crisp: bool
    alt: str
    caption: str = ""
    mark: str = ""
    detail: str = ""


def data_uri(image: Image.Image) -> tuple[str, bool]:
    """Encode an image for the page.

    Decoded pixels are encoded anew, so that nothing but pixels of a stranger's file reaches the page.

    Returns:
        The data URI, and whether the image is small enough to be shown pixel by pixel.
    """
    buffer = io.BytesIO()
    image = image.copy()
    image.info = {}
    crisp = max(image.size) <= CRISP
    if crisp:
        image.save(buffer, "PNG", optimize=True)
    else:
        image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        image.save(buffer, "JPEG", quality=80, optimize=True)
    kind = "png" if crisp else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}", crisp


def tile(
    inputs: Inputs, images: ImageSet, row: int, alt: str, *, caption: str = "", mark: str = "", detail: str = ""
) -> Tile:
    """The image in manifest row ``row`` of an image set as a tile; one of the pool is noted, to be credited."""
    if images.folder == inputs.root / POOL:
        inputs.shown_pool_rows.add(row)
    uri, crisp = data_uri(images.image(row))
    return Tile(uri, crisp, alt, caption, mark, detail)
