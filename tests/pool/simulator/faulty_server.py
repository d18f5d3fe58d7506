"""The simulator's faulty answers over HTTP: failures that clear, refusals, and files that are none."""

import argparse
import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from jaxtyping import Int64

from debugset.images.sets import open_set
from debugset.pool.simulator.library import Address, PhotoLibrary, encode, resize
from debugset.pool.simulator.server import (
    RESULT_CAP,
    Refusal,
    Simulator,
    Terms,
    application,
    content_type,
    listen,
    read_arguments,
)
from debugset.pool.sizes import ORIGINAL, SIZES
from tests.pool.simulator import spoiled
from tests.pool.simulator.faults import EXCLUSIVE, TRANSIENT, Faults, parse_faults
from tests.pool.simulator.lies import Lies

UNAVAILABLE = "/images/photo_unavailable.png"
SLOW = 0.05  # seconds
HUGE = 64 * 1024 * 1024  # bytes
API_FAILURES = tuple(TRANSIENT)
FILE_FAILURES = tuple(name for name in TRANSIENT if name != "service_unavailable")
_FAULT = web.RequestKey("fault", str)
_WRONG_TYPES = ("application/octet-stream", "text/plain", "text/html", "image/gif")
_OPT_OUTS = ("noai", "noimageai", "noindex, noai", "NoImageAI, NoAI", "otherbot: noindex, debugset: noai")
_REPLACED = ((0.25, 0.25), (0.5, 0.75), (0.75, 0.75), (1.25, 1.0), (1.5, 1.25))  # of the width, of the height
_CHUNK = bytes(64 * 1024)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultySimulator(Simulator):
    """A simulator with faults.

    Args:
        photos: the photos that it serves.
        result_cap: how many results of one search it gives out.
        faults: which faults hit what.
        slow: how late a slow answer comes, in seconds.
        huge: how long a file without end goes on, in bytes.
    """

    def __init__(
        self,
        photos: PhotoLibrary,
        result_cap: int = RESULT_CAP,
        faults: Faults | None = None,
        slow: float = SLOW,
        huge: int = HUGE,
    ) -> None:
        super().__init__(photos, result_cap)
        self._faults = faults or Faults({})
        self._lies = Lies(photos, self._faults)
        self._slow, self._huge = slow, huge
        self._tries: Counter[str] = Counter()
        self.picture = lru_cache(maxsize=64)(self._make_picture)

    async def rest(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, super().rest, API_FAILURES)

    async def image(self, request: web.Request) -> web.StreamResponse:
        if request.path == UNAVAILABLE:
            return _unavailable()
        return await self._answer(request, super().image, FILE_FAILURES)

    def check_key(self, request: web.Request, arguments: Mapping[str, str]) -> None:
        super().check_key(request, arguments)
        key = request_key(request, arguments)
        if self._faults.hits("invalid_key", key):
            signed = re.search(r'oauth_consumer_key="([^"]*)"', request.headers.get("Authorization", ""))
            quoted = signed[1] if signed else arguments.get("api_key", "")
            raise Refusal(100, f'Invalid API Key (Key "{quoted}" has invalid format)')
        if request.get(_FAULT) == "service_unavailable":
            unavailable = (105, "Service currently unavailable")
            search = (10, "Sorry, the Flickr search API is not currently available.")
            raise Refusal(*self._faults.choice("service_unavailable", key, (unavailable, unavailable, search)))

    def page(
        self, terms: Terms, results: Int64[np.ndarray, " m"], number: int, per_page: int
    ) -> tuple[Int64[np.ndarray, " _n"], int]:
        rows, total = self._lies.tell(terms, results[: self.result_cap], len(results), per_page)
        shown = self._lies.page(terms, number, last=max(1, -(-self.result_cap // per_page)))
        return rows[(shown - 1) * per_page :][:per_page], total

    def describe(self, row: int, extras: Sequence[str]) -> dict[str, Any]:
        """A photo of a search without the sizes that are missing from its list."""
        photo = super().describe(row, extras)
        missing = missing_sizes(self._faults, photo["id"])
        if not missing:
            return photo
        return {name: value for name, value in photo.items() if name.rpartition("_")[2] not in missing}

    async def file(self, request: web.Request, address: Address) -> web.StreamResponse:
        fault = self.fault(address)
        if fault in ("not_found", "original_gone"):
            return web.Response(status=404, text="404: Not Found")
        if fault == "removed":
            return web.Response(status=410, text="410: Gone")
        if fault == "unavailable_redirect":
            return web.Response(status=302, headers={"Location": UNAVAILABLE})
        if fault == "placeholder":
            return _unavailable()
        if fault == "html":
            return web.Response(body=spoiled.PAGE, content_type="text/html")
        if fault == "huge_pixels":
            return web.Response(body=spoiled.bomb(), content_type="image/png")
        content = self.picture(address)
        kind = content_type(content, request.path)
        if fault == "huge_bytes":
            return await self._stream(request, address.photo, content, kind)
        if fault == "truncated":
            return web.Response(body=spoiled.truncate(content), content_type=kind)
        if fault == "corrupt":
            return web.Response(body=spoiled.corrupt(content), content_type=kind)
        return self._good(address.photo, content, kind)

    def fault(self, address: Address) -> str:
        """The fault in the place of a file, or "": the first that hits, in the order of `EXCLUSIVE`."""
        for name in EXCLUSIVE:
            if self._faults.hits(name, address.photo) and (name != "original_gone" or self._is_spare(address)):
                return name
        return ""

    async def _answer(self, request: web.Request, handler: Handler, kinds: Sequence[str]) -> web.StreamResponse:
        """What the handler answers, after those failures of ``kinds`` that hit the request: its first tries fail."""
        key = request_key(request, await read_arguments(request))
        failures = self._faults.failures(kinds, key)
        if self._tries[key] >= len(failures):
            return await handler(request)
        self._tries[key] += 1
        fault = request[_FAULT] = failures[self._tries[key] - 1]
        if fault == "slow":
            await asyncio.sleep(self._slow)
        if fault == "throttled":
            return web.Response(status=429, text="Too Many Requests")
        if fault == "retry_after":
            return web.Response(status=429, text="Too Many Requests", headers={"Retry-After": "1"})
        if fault == "server_error":
            return web.Response(status=self._faults.choice(fault, key, (500, 502, 503)), text="Bad, bad panda!")
        if fault == "dropped":
            return await self._drop(request, handler, key)
        return await handler(request)

    def _is_spare(self, address: Address) -> bool:
        """Whether a file is an original beside which there are other sizes."""
        others = [size for size in SIZES if size != ORIGINAL and self.photos.lengths(address.row, size)]
        return address.size == ORIGINAL and bool(others)

    def _good(self, photo: str, content: bytes, kind: str) -> web.Response:
        if self._faults.hits("wrong_type", photo):
            kind = self._faults.choice("wrong_type", photo, _WRONG_TYPES)
        response = web.Response(body=content, content_type=kind)
        if self._faults.hits("opted_out", photo):
            response.headers["X-Robots-Tag"] = self._faults.choice("opted_out", photo, _OPT_OUTS)
        return response

    async def _stream(self, request: web.Request, photo: str, start: bytes, kind: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        if self._faults.choice("huge_bytes announced", photo, (True, False)):
            response.content_length = self._huge
        await response.prepare(request)
        with suppress(ConnectionError):  # the client has seen enough
            await response.write(start[: self._huge])
            for sent in range(len(start), self._huge, len(_CHUNK)):
                await response.write(_CHUNK[: self._huge - sent])
        return response

    async def _drop(self, request: web.Request, handler: Handler, key: str) -> web.StreamResponse:
        """Close the connection, in half of the cases after half of the answer."""
        if request.transport is None:  # the client went first
            return web.Response()
        if self._faults.choice("dropped amid", key, (True, False)):
            response = await handler(request)
        else:
            response = web.Response()
        if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
            request.transport.abort()
            return response
        half = web.StreamResponse(status=response.status, headers=response.headers)
        half.content_length = len(response.body)
        await half.prepare(request)
        await half.write(response.body[: len(response.body) // 2])
        request.transport.close()
        return half

    def _make_picture(self, address: Address) -> bytes:
        """The file that a good answer brings: the photo's own, its replacement's, or one on its side."""
        is_changed = self._faults.hits("changed", address.photo)
        content = self._replace(address) if is_changed else self.photos.content(address)
        if not self._faults.hits("rotated", address.photo):
            return content
        orientation = self._faults.choice("rotated", address.photo, spoiled.ORIENTATIONS)
        try:
            return spoiled.rotate(content, orientation)
        except Exception:  # decoders raise anything: a broken original stays as it is
            return content

    def _replace(self, address: Address) -> bytes:
        lengths = self.photos.lengths(address.row, ORIGINAL)
        assert lengths is not None
        factors = self._faults.choice("changed", address.photo, _REPLACED)
        width, height = (max(1, round(length * factor)) for length, factor in zip(lengths, factors, strict=True))
        image = spoiled.replacement(address.photo, width, height)
        if address.size != ORIGINAL and SIZES[address.size].longest < max(width, height):
            image = resize(image, address.size)
        is_jpeg = self.photos.path(address.row, address.size).endswith(".jpg")
        return encode(image, "JPEG" if is_jpeg else "PNG")


def missing_sizes(faults: Faults, photo: str) -> frozenset[str]:
    """The sizes of a photo that no search lists, by its id: the original and each other one with even odds."""
    if not faults.hits("missing_sizes", photo):
        return frozenset()
    missing = {size for size in SIZES if faults.choice(f"missing {size}", photo, (True, False))}
    return frozenset({ORIGINAL, *missing})


def request_key(request: web.Request, arguments: Mapping[str, str]) -> str:
    """What one request and its repetitions share: method, path, and the arguments without key and signature."""
    asked = sorted((name, value) for name, value in arguments.items() if not name.startswith(("oauth_", "api_")))
    return json.dumps([request.method, request.path, asked])


def faulty_application(
    photos: PhotoLibrary,
    result_cap: int = RESULT_CAP,
    faults: Faults | None = None,
    slow: float = SLOW,
    huge: int = HUGE,
) -> web.Application:
    """A faulty simulator as an aiohttp application; the arguments are those of `FaultySimulator`."""
    return application(FaultySimulator(photos, result_cap, faults, slow, huge))


def _unavailable() -> web.Response:
    """The picture in the place of a photo that is gone."""
    return web.Response(body=spoiled.PLACEHOLDER, content_type="image/png")


def main() -> None:
    """Be a process that serves a world with faults: ``--world PATH --fault NAME=RATE ... --fault-seed N``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", type=Path)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--fault-seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        faults = parse_faults(arguments.fault, arguments.fault_seed)
        app = faulty_application(PhotoLibrary(open_set(arguments.world)), faults=faults)
        asyncio.run(listen(app, "127.0.0.1", 0))
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
