"""The search client: ``flickr.photos.search`` through flickrapi, at Flickr or at the simulator."""

import logging
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import flickrapi
import requests
from flickrapi.exceptions import FlickrError

from debugset.pool.flickr.service import Service
from debugset.pool.limits import retry_after
from debugset.pool.sizes import SIZES
from debugset.pool.windows import Page

# All sizes are asked for, so that another choice of `scrape.sizes` needs no new search.
_ADDRESSES = [f"url_{size}" for size in SIZES]
_FACTS = ["date_upload", "date_taken", "license", "owner_name", "tags", "o_dims", "original_format"]
EXTRAS = ",".join([*_FACTS, *_ADDRESSES])
_TIMEOUT = 60  # seconds; Flickr's search takes up to half a minute on bad days
_UNAVAILABLE = {0, 10, 105}  # "search is not available", "service currently unavailable"
_BAD_SECRET = {96, 97}
_BAD_KEY = {98, 100}
_NOT_NOW = {408, 425, 429}  # HTTP: request timeout, too early, too many requests
_TELLTALES = ("oauthlib", "requests_oauthlib")  # loggers whose debug messages show the key


class Unavailable(OSError):
    """No answer now, but the same call may have one later, after ``retry_after`` seconds if the service says so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Flickr(flickrapi.FlickrAPI):
    """flickrapi, pointed at a service. Whoever makes one hushes the loggers that would show the key."""

    def __init__(self, service: Service) -> None:
        for name in _TELLTALES:
            logging.getLogger(name).setLevel(logging.WARNING)
        super().__init__(service.key, service.secret, format="parsed-json", store_token=False)
        self.service = service
        self.REST_URL = service.rest_url
        self.flickr_oauth.session = requests.Session()
        self.flickr_oauth.session.headers["User-Agent"] = f"debugset/{version('debugset')}"
        # A proxy of the environment cannot reach a simulator.
        self.flickr_oauth.session.trust_env = not service.hosts.stand_ins

    def __repr__(self) -> str:  # flickrapi's own shows the key
        return f"Flickr({self.REST_URL})"

    __str__ = __repr__

    def search(
        self, text: str, licences: Sequence[int] | None, first: int, last: int, page: int, per_page: int
    ) -> Page:
        """Ask for one page of the public photos that match a text, oldest first.

        Args:
            text: words that title, tags or description must hold.
            licences: licence ids, or None for all.
            first: the earliest upload time, unix seconds, inclusive.
            last: the latest upload time, inclusive.
            page: from 1.
            per_page: at most 500.

        Raises:
            Unavailable: the service is down, throttles or cannot be reached.
            ValueError: the service refused the key or the call.
        """
        try:
            answer = self.photos.search(
                text=text,
                license=",".join(map(str, licences)) if licences is not None else None,
                min_upload_date=first,
                max_upload_date=last,
                sort="date-posted-asc",
                media="photos",
                content_type=1,  # photos, no screenshots or drawings
                extras=EXTRAS,
                page=page,
                per_page=per_page,
            )
            return _read_page(answer)
        except FlickrError as error:
            raise self._explain(error) from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unavailable(f"{self.REST_URL}: the answer is no search result ({type(error).__name__})") from None

    def _flickr_call(self, timeout: float | None = None, **arguments: Any) -> bytes:
        """Replaces flickrapi's call, which keeps neither the status code nor the headers of a failed one."""
        try:
            answer = self.flickr_oauth.session.post(
                self.REST_URL,
                data=arguments,
                auth=self.flickr_oauth.oauth,
                timeout=timeout or _TIMEOUT,
                allow_redirects=False,  # the signed call is for this address alone
            )
        except requests.RequestException as error:
            raise Unavailable(f"{self.REST_URL}: no answer ({type(error).__name__})") from None
        status = answer.status_code
        if status == 200:
            return answer.content
        if status == 401:
            raise FlickrError("the key or its secret was refused", code=100)
        if 400 <= status < 500 and status not in _NOT_NOW:
            raise FlickrError(f"HTTP {status}", code=status)
        wait = retry_after(answer.headers.get("Retry-After"), time.time(), status)
        raise Unavailable(f"{self.REST_URL}: HTTP {status}", wait)

    def _explain(self, error: FlickrError) -> Exception:
        """The error to raise in the place of flickrapi's: with a mend, without the key."""
        message = self.service.hide(" ".join(str(error).split()))
        if error.code in _BAD_KEY:
            return ValueError(f"FLICKR_API_KEY: the service refused the key ({message}); check it, then run again")
        if error.code in _BAD_SECRET:
            return ValueError(f"FLICKR_API_SECRET: does not belong to the key ({message}); correct it, then run again")
        if error.code in _UNAVAILABLE:
            return Unavailable(f"{self.REST_URL}: {message}")
        return ValueError(f"{self.REST_URL}: the service refused the search ({message})")


def _read_page(answer: Any) -> Page:
    total, photos = int(answer["photos"]["total"]), answer["photos"]["photo"]
    if not isinstance(photos, list) or not all(isinstance(photo, dict) for photo in photos):
        raise TypeError
    return Page(total, photos)
