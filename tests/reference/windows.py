"""The naive twin of `debugset.pool.windows`: every second is asked for, each page of it again and again."""

from collections.abc import Callable

from debugset.pool.windows import Page


def every_photo(ask: Callable[[int, int, int], Page], first: int, last: int, cap: int, per_page: int) -> set[str]:
    """The ids of all photos uploaded between two seconds that can be had.

    Args:
        ask: gives a page by first second, last second and number.
        first: the first second.
        last: the last second.
        cap: how many results of a search can be had.
        per_page: results a page.
    """
    found = set()
    for second in range(first, last + 1):
        for _ in range(60):
            pages = [ask(second, second, number) for number in range(1, -(-cap // per_page) + 1)]
            photos = [photo for page in pages for photo in page.photos if int(photo["dateupload"]) == second]
            if not photos:
                break
            found.update(photo["id"] for photo in photos)
    return found
