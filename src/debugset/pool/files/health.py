"""Which hosts answer: a dead one is left alone, and the network is doubted only when nothing of many answers."""

from collections import Counter
from collections.abc import Mapping

_FAILURES_IN_A_ROW = 10  # photos; fewer say nothing of a host, nor of the network
_LOST_HOSTS = 10  # that answered before: so many do not die together
_DEAD_HOSTS = 1000  # in a row: so many there are in no list where a file is left


class Health:
    """How each host fares in this run.

    Args:
        photos: how many photos are to be fetched from each host.
    """

    def __init__(self, photos: Mapping[str, int]) -> None:
        self._left = Counter(photos)  # hosts that all is fetched from are not in it
        self._answered: set[str] = set()
        self._failures: Counter[str] = Counter()  # photos of a host, since its last answer
        self._failing: set[str] = set()  # hosts that failed since anybody's last answer
        self._resting: set[str] = set()  # hosts that asked to be left alone for longer than a run waits
        self._failures_of_all = 0  # photos since anybody's last answer

    def has_answered(self, host: str) -> bool:
        """Whether a host gave any answer that does not pass in this run."""
        return host in self._answered

    def why_left_alone(self, host: str) -> str:
        """Why a host is not asked any more: so many of its photos failed in a row, or it asked for that; else ""."""
        if host in self._resting:
            return "its host asks for a long pause"
        return "its host is silent" if self._failures[host] >= _FAILURES_IN_A_ROW else ""

    def deserves_patience(self, host: str) -> bool:
        """Whether a host is to be asked again after a failure: once is enough where nothing ever came."""
        return host in self._answered or not self._failures[host]

    def note_answer(self, host: str) -> None:
        """A host answered, so that it lives, and the network too."""
        self._answered.add(host)
        self._failures[host] = self._failures_of_all = 0
        self._failing.clear()

    def note_end(self, host: str) -> None:
        """One photo less is to be fetched from a host."""
        self._left[host] -= 1
        if not self._left[host]:
            del self._left[host]

    def note_long_pause(self, host: str, error: OSError) -> None:
        """A host asked to be left alone for longer than a run waits; its ``error`` is raised if it was the last one."""
        self._resting.add(host)
        if self._left.keys() <= self._resting:
            raise error

    def note_failure(self, host: str, reason: str) -> None:
        """A photo failed by a host's fault; `OSError` if so many hosts did that the network must be down."""
        self._failures[host] += 1
        self._failures_of_all += 1
        self._failing.add(host)
        if self._failures_of_all >= _FAILURES_IN_A_ROW and self._is_network_doubted():
            self._failures.clear()  # the run ends: nobody's other photos are written off as those of a silent host
            hosts = f"any of {len(self._failing):,} hosts" if len(self._failing) > 1 else host
            raise OSError(
                f"downloads: no file comes from {hosts}: {self._failures_of_all:,} photos in a row failed (the last: "
                f"{reason}, {host}); check the network and the host, run again: what is whole is not fetched again "
                "(with a good network `debugset pool give-up` goes on without them)"
            )

    def _is_network_doubted(self) -> bool:
        lost = self._failing & self._answered
        if len(lost) >= _LOST_HOSTS or len(self._failing) >= _DEAD_HOSTS:
            return True
        # A host that was silent all along, while others answered, is dead; one that is done with tells nothing.
        tells = not self._answered or not lost.isdisjoint(self._left)
        return tells and self._left.keys() <= self._failing
