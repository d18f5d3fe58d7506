"""What tests of the user's own sources share: images that differ, and a scrape of a source."""

import io
from pathlib import Path

import pandas as pd
from PIL import Image

from debugset.pool.scrape import scrape
from debugset.pool.source import Source
from tests.pool.runs import outs
from tests.pool.worlds import CLASSES, scrape_params


def image(number: int, kind: str = "JPEG", size: int = 16) -> bytes:
    """A small image; another for another number."""
    stream = io.BytesIO()
    Image.new("RGB", (size, size), (number * 40 % 256, number * 90 % 256, 200)).save(stream, kind)
    return stream.getvalue()


def pack(source: Source, folder: Path, **changes: object) -> pd.DataFrame:
    """Scrape a source into a folder; returns the table of the photos found, by id."""
    scrape(scrape_params(**changes), source, CLASSES, outs(folder))
    return pd.read_parquet(folder / "photos.parquet").set_index("id")
