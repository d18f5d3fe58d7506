"""How the simulator's searches lie: functions of a search and its upload window, whichever page is asked for.

Whoever asks for windows so small that one page holds all of it, and mistrusts a full page, still finds every photo.
A window of one second cannot be made smaller, so of it only the order and a too high total are lies; nor does a
window without photos tell any.
"""

import json
from collections import Counter

import numpy as np
from jaxtyping import Int64

from debugset.pool.simulator.library import PhotoLibrary
from debugset.pool.simulator.server import Terms
from tests.pool.simulator.faults import Faults


class Lies:
    """The lies about a library's photos.

    Args:
        photos: the library.
        faults: which lies are told of which searches.
    """

    def __init__(self, photos: PhotoLibrary, faults: Faults) -> None:
        self._photos = photos
        self._faults = faults
        self._calls: Counter[str] = Counter()

    def tell(
        self, terms: Terms, rows: Int64[np.ndarray, " m"], total: int, per_page: int
    ) -> tuple[Int64[np.ndarray, " _shown"], int]:
        """What a search gives out, over all its pages, and the total that it names.

        Args:
            terms: the search.
            rows: its true results, as far as they are given out, in order.
            total: how many results there are.
            per_page: results a page.
        """
        if total == 0:
            return rows, total
        key = json.dumps(terms)
        one_second = terms.first is not None and terms.first == terms.last
        if not one_second and self._faults.hits("stray_rows", key):
            strays = self._strays(terms)
            rows, total = np.concatenate([strays[:1], rows, strays[1:]]), total + len(strays)
        pages = -(-len(rows) // per_page)
        if self._faults.hits("unstable_order", key):
            self._calls[key] += 1
            seed = self._faults.choice("unstable_order", key, range(2**32))
            rows = np.random.default_rng([seed, self._calls[key]]).permutation(rows)
        if not one_second and self._faults.hits("repeated_rows", key):
            again = self._faults.choice("repeated_rows", key, (1, 2, 3))
            rows = np.concatenate([rows[:again], rows])[: pages * per_page]  # what comes after is pushed off
        if self._faults.hits("wrong_total", key):
            total = self._wrong(key, total, only_more=one_second)
        return rows, total

    def page(self, terms: Terms, number: int, last: int) -> int:
        """Which page a search shows for the one asked for: of those past the ``last``, perhaps that one again."""
        return last if number > last and self._faults.hits("repeated_pages", json.dumps(terms)) else number

    def _strays(self, terms: Terms) -> Int64[np.ndarray, " _n"]:
        """The last photo before the window and the first one after it, as far as there are any."""
        text, licences, first, last = terms
        neither = np.empty(0, np.int64)
        before = neither if first is None else self._photos.search(text, licences, None, first - 1)[-1:]
        after = neither if last is None else self._photos.search(text, licences, last + 1, None)[:1]
        return np.concatenate([before, after])

    def _wrong(self, key: str, total: int, only_more: bool) -> int:
        more = [total + 1, total + 3, total * 2, total * 10]
        fewer = [max(1, total - 1), max(1, total // 2), max(1, total // 10)]
        return self._faults.choice("wrong_total", key, more if only_more else more + fewer)
