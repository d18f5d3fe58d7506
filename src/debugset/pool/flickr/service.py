"""Whom searches ask, and with which key: Flickr, or what speaks as it does."""

import math
import os
from dataclasses import dataclass, field

from debugset.base.machine import calls_per_hour
from debugset.pool.hosts import Hosts, open_web

_REST_URL = "https://api.flickr.com/services/rest/"
_VARIABLES = ("FLICKR_API_KEY", "FLICKR_API_SECRET")


@dataclass(frozen=True)
class Service:
    """A photo service: where searches go, where its photos' files are, and how many searches any hour may see.

    Its spool is called by its name; another name never sees this one's answers. Neither the key nor its secret appear
    in outs, logs or error texts.
    """

    name: str
    rest_url: str
    hosts: Hosts
    key: str = field(repr=False)
    secret: str = field(repr=False)
    calls_per_hour: float = math.inf

    def hide(self, text: str) -> str:
        """The text without key and secret."""
        return text.replace(self.key, "***").replace(self.secret, "***")


def flickr_service() -> Service:
    """Flickr, with ``FLICKR_API_KEY`` and ``FLICKR_API_SECRET`` of the environment, and the machine's limits.

    Raises:
        ValueError: one of them is not set, or a limit is no number.
    """
    for name in _VARIABLES:
        if not os.environ.get(name):
            raise ValueError(f"{name}: not set; set it in the environment or .env, or use scrape.endpoint: simulator")
    key, secret = (os.environ[name] for name in _VARIABLES)
    return Service("flickr", _REST_URL, open_web(), key, secret, float(calls_per_hour()))
