"""The faults of the simulator: their names, and which photo, search or request each one hits.

Permanent faults of photos depend on the photo's id alone, lies on the search and its upload window, transient ones
on the request. So two runs with one seed meet the same world, whatever the order in which they ask.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

_Option = TypeVar("_Option")

MOST_FAILURES = 4  # tries of one request that fail before it clears; a client needs one more
TRANSIENT = {
    "throttled": "429 without Retry-After, for a try or two",
    "retry_after": "429 with Retry-After: 1, for a try or two",
    "server_error": "500, 502 or 503, for a try or two",
    "service_unavailable": "searches: HTTP 200 with Flickr's fail code 105 or 10, for a try or two",
    "dropped": "the connection closes before or amid the answer, for a try or two",
    "slow": "the answer comes late, for a try or two",
}
EXCLUSIVE = {
    "not_found": "files: 404",
    "removed": "files: 410",
    "unavailable_redirect": "files: 302 to the picture that says 'unavailable'",
    "placeholder": "files: that picture itself, with 200",
    "html": "files: a page of HTML, with 200",
    "huge_bytes": "files: go on for longer than any limit",
    "huge_pixels": "files: few bytes that decode to 20,000 x 20,000 pixels",
    "original_gone": "originals: 404, where the photo has other sizes",
    "truncated": "files: cut short, with a length that fits",
    "corrupt": "files: whole in length, no picture inside",
}
FAULTS = {
    **TRANSIENT,
    "invalid_key": "searches: refused with fail code 100, quoting the key; not part of `all`, for it ends a scrape",
    "wrong_total": "searches: a total too high or too low",
    "unstable_order": "searches: the same results in another order at every call",
    "repeated_rows": "searches: rows come twice and push others off",
    "stray_rows": "searches: rows from outside the upload window",
    "repeated_pages": "searches: pages past the result cap repeat the last one instead of being empty",
    "missing_sizes": "photos: the original and other sizes are not listed",
    "changed": "photos: another picture of another size has taken the place of the one listed",
    **EXCLUSIVE,
    "wrong_type": "files: right, under a wrong Content-Type",
    "opted_out": "files: with an X-Robots-Tag that says noai or noimageai",
    "rotated": "files: a JPEG that is upright only by its EXIF orientation, with a place in its EXIF",
}


class Faults:
    """Which faults hit what.

    Args:
        rates: fault -> the share that it hits, 0 to 1; those left out hit nothing.
        seed: another seed hits others.

    Raises:
        ValueError: a fault is unknown or a rate is none.
    """

    def __init__(self, rates: Mapping[str, float | int], seed: int = 0) -> None:
        for name, rate in rates.items():
            _check(name)
            if not 0 <= rate <= 1:
                raise ValueError(f"fault {name}: its rate must lie between 0 and 1 (got {rate})")
        self._rates = {name: rate for name, rate in rates.items() if rate}
        self._seed = seed

    def hits(self, fault: str, key: str) -> bool:
        """Whether a fault hits a photo, search or request: a pure function of seed, fault and key.

        Raises:
            ValueError: the fault is unknown.
        """
        _check(fault)
        rate = self._rates.get(fault)
        return rate is not None and self._number(fault, key) < rate * 2**64

    def choice(self, name: str, key: str, options: Sequence[_Option]) -> _Option:
        """One of several options: a pure function of seed, name and key, whatever the rates."""
        return options[self._number(f"choice of {name}", key) % len(options)]

    def failures(self, kinds: Sequence[str], key: str) -> list[str]:
        """The transient faults that a request meets, the first try's first; afterwards it is answered.

        Each fault that hits takes one or two tries. A slow answer is one, so ``slow`` comes last.

        Args:
            kinds: the transient faults that can hit.
            key: the request.
        """
        hit = [kind for kind in kinds if self.hits(kind, key)]
        hit.sort(key=lambda kind: (kind == "slow", self._number(f"place of {kind}", key)))
        return [kind for kind in hit for _ in range(self.choice(kind, key, (1, 2)))][:MOST_FAILURES]

    def _number(self, name: str, key: str) -> int:
        text = "\0".join([str(self._seed), name, key])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def parse_faults(texts: Sequence[str], seed: int = 0) -> Faults:
    """Faults as a command line names them.

    Args:
        texts: ``NAME=RATE`` or ``all=RATE``; later ones overrule earlier ones.
        seed: of the faults.

    Raises:
        ValueError: a text is not of that form, the fault is unknown or the rate is none.
    """
    rates: dict[str, float] = {}
    for text in texts:
        name, _, written = text.partition("=")
        try:
            rate = float(written)
        except ValueError:
            raise ValueError(f"fault {text!r}: write NAME=RATE with a rate from 0 to 1, as throttled=0.1") from None
        rates |= {one: rate for one in FAULTS if one != "invalid_key"} if name == "all" else {name: rate}
    return Faults(rates, seed)


def _check(name: str) -> None:
    if name not in FAULTS:
        raise ValueError(f"fault {name!r}: unknown; choose from {', '.join(FAULTS)}")
