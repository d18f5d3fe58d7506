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
    the first one's. Limits hold for what was fetched before they were lowered, too; what a limit kept out is asked
    again once the limit is raised.

    Args:
        urls: the photo's addresses in the order they are tried, at least one.
        files: address -> what became of it, for those that were tried.
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
    limits: dict[str, bool] = {  # whether each is broken, the first to name first
        Fault.PLACEHOLDER: file.sha256 in params.placeholders,
        Fault.TOO_LARGE: file.size > params.max_bytes,
        Fault.TOO_MANY_PIXELS: file.width * file.height > params.max_pixels,
        Fault.TOO_SMALL: min(file.width, file.height) < params.min_side,
    }
    if file.status == OK:
        for fault, is_broken in limits.items():
            if is_broken:
                return file._replace(status=fault)
    return file if limits.get(file.status, True) else None
