"""What files are worth: which file decides about a photo, and what is to be fetched until one does."""

from collections.abc import Mapping, Sequence

from debugset.pool.fault import Fault
from debugset.pool.params import ScrapeParams
from debugset.pool.spool import OK, File

# They hold for the photo in every size, or are of a picture that was fetched; others, for one size alone.
_DECISIVE = (OK, Fault.TOO_SMALL, Fault.PLACEHOLDER, Fault.OPTED_OUT)


def verdict(urls: Sequence[str], files: Mapping[str, File], params: ScrapeParams) -> tuple[str, File | None]:
    """The address that decides about a photo, and what became of it; None where it must be fetched first.

    The first picture decides, and so does a fault that holds for every size. Where every size was in vain it is
    the first one's.

    Args:
        urls: the photo's addresses in the order they are tried, at least one.
        files: address -> what became of it, for those that were tried.
        params: the section ``scrape``. Its limits hold for what was fetched before they were lowered, too; what a
            limit kept out is asked again once the limit is raised.
    """
    in_vain = []
    for url in urls:
        file = review(files.get(url), params)
        if file is None or file.status in _DECISIVE:
            return url, file
        in_vain.append((url, file))
    return in_vain[0]


def review(file: File | None, params: ScrapeParams) -> File | None:
    """A file by the limits of today; None if it must be fetched (again)."""
    if file is None or file.failure:
        return None
    if file.status == OK:
        return file._replace(status=_picture_status(file, params))
    if file.status == Fault.TOO_LARGE and file.size <= params.max_bytes:
        return None
    if file.status == Fault.TOO_MANY_PIXELS and file.width * file.height <= params.max_pixels:
        return None
    if file.status == Fault.PLACEHOLDER and file.sha256 not in params.placeholders:
        return None
    return file


def _picture_status(file: File, params: ScrapeParams) -> str:
    """`OK` for a picture that can be packed, else its fault."""
    if file.sha256 in params.placeholders:
        return Fault.PLACEHOLDER
    if file.size > params.max_bytes:
        return Fault.TOO_LARGE
    if file.width * file.height > params.max_pixels:
        return Fault.TOO_MANY_PIXELS
    if min(file.width, file.height) < params.min_side:
        return Fault.TOO_SMALL
    return OK
