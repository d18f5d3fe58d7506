"""The hosts that photos' files are fetched from, and how fast."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from debugset.base.machine import files_per_second


class Hosts(NamedTuple):
    """The hosts of photos' files.

    Attributes:
        stand_ins: host name -> address of the server on this machine that stands in for it; empty in the open web.
        files_per_second: how many files are fetched a second, from each host.
    """

    stand_ins: Mapping[str, str] = {}
    files_per_second: float = math.inf


def open_web() -> Hosts:
    """Whichever hosts addresses name, each at the machine's limit of files a second; ValueError if it is no number."""
    return Hosts(files_per_second=files_per_second())
