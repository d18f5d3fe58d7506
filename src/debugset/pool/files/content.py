"""What a file from the open world is, as the spool keeps it."""

from debugset.images.content import inspect_file
from debugset.pool.spool import OK, File


def inspect(content: bytes, max_pixels: int) -> File:
    """What the bytes of a file are, as the service sent them; pictures over ``max_pixels`` are not decoded.

    The status is `OK`, or the fault of `debugset.images.content.inspect_file`; ``size`` is the length of ``content``.

    Raises:
        OSError: no memory is left.
    """
    try:
        found = inspect_file(content, max_pixels)
    except MemoryError:
        raise OSError("no memory is left to decode a picture; lower scrape.max_pixels, then run again") from None
    return File(found.fault or OK, found.width, found.height, len(content), *found[3:])
