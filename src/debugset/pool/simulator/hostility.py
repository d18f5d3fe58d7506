"""The simulator's faulty answers over HTTP: failures that clear, refusals, and files that are none."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from aiohttp import web

from debugset.pool.simulator import spoiled
from debugset.pool.simulator.faults import EXCLUSIVE, TRANSIENT, Faults
from debugset.pool.simulator.library import SIZES, Address, PhotoLibrary, resized

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


class Refused(Exception):
    """A call that Flickr answers with ``stat: fail``: its code and message."""


class Hostility:
    """The faulty answers of a simulator.

    Args:
        photos: the photos that it serves.
        faults: which faults hit what.
        slow: how late a slow answer comes, in seconds.
        huge: how long a file without end goes on, in bytes.
    """

    def __init__(self, photos: PhotoLibrary, faults: Faults, slow: float = SLOW, huge: int = HUGE) -> None:
        self._photos, self._faults, self._slow, self._huge = photos, faults, slow, huge
        self._tries: Counter[str] = Counter()
        self._picture = lru_cache(maxsize=64)(self._made)

    def guarded(self, handler: Handler, kinds: Sequence[str]) -> Handler:
        """The handler, behind those failures of ``kinds`` that hit a request: its first tries fail, then it clears."""

        async def answer(request: web.Request) -> web.StreamResponse:
            key = request_key(request, await _arguments(request))
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

        return answer

    def refuse(self, request: web.Request, arguments: Mapping[str, str]) -> None:
        """Refuse a call of the API that a fault hits.

        Raises:
            Refused: it is hit.
        """
        key = request_key(request, arguments)
        if self._faults.hits("invalid_key", key):
            signed = re.search(r'oauth_consumer_key="([^"]*)"', request.headers.get("Authorization", ""))
            quoted = signed[1] if signed else arguments.get("api_key", "")
            raise Refused(100, f'Invalid API Key (Key "{quoted}" has invalid format)')
        if request.get(_FAULT) == "service_unavailable":
            unavailable = (105, "Service currently unavailable")
            search = (10, "Sorry, the Flickr search API is not currently available.")
            raise Refused(*self._faults.choice("service_unavailable", key, (unavailable, unavailable, search)))

    def listed(self, photo: dict[str, Any]) -> dict[str, Any]:
        """A photo of a search without the sizes that are missing from its list."""
        missing = missing_sizes(self._faults, photo["id"])
        if not missing:
            return photo
        return {name: value for name, value in photo.items() if name.rpartition("_")[2] not in missing}

    def picture(self, address: Address) -> bytes:
        """The file that a good answer brings: the photo's own, its replacement's, or one on its side."""
        return self._picture(address)

    async def image(self, request: web.Request, address: Address) -> web.StreamResponse:
        """The answer to a request for a file."""
        fault = self.fault(address)
        if fault in ("not_found", "original_gone"):
            return web.Response(status=404, text="404: Not Found")
        if fault == "removed":
            return web.Response(status=410, text="410: Gone")
        if fault == "unavailable_redirect":
            return web.Response(status=302, headers={"Location": UNAVAILABLE})
        if fault == "placeholder":
            return await unavailable(request)
        if fault == "html":
            return web.Response(body=spoiled.PAGE, content_type="text/html")
        if fault == "huge_pixels":
            return web.Response(body=spoiled.bomb(), content_type="image/png")
        content = self.picture(address)
        kind = "image/jpeg" if content.startswith(b"\xff\xd8") or request.path.endswith(".jpg") else "image/png"
        if fault == "huge_bytes":
            return await self._stream(request, address.photo, content, kind)
        if fault:
            spoil = {"truncated": spoiled.truncated, "corrupt": spoiled.corrupt}[fault]
            return web.Response(body=spoil(content), content_type=kind)
        return self._good(address.photo, content, kind)

    def fault(self, address: Address) -> str:
        """The fault in the place of a file, or "": the first that hits, in the order of `EXCLUSIVE`."""
        hit = (name for name in EXCLUSIVE if self._faults.hits(name, address.photo))
        return next((name for name in hit if name != "original_gone" or self._is_spare(address)), "")

    def _is_spare(self, address: Address) -> bool:
        """Whether a file is an original beside which there are other sizes."""
        return address.size == "o" and any(self._photos.lengths(address.row, size) for size in SIZES)

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

    def _made(self, address: Address) -> bytes:
        changed, rotated = (self._faults.hits(name, address.photo) for name in ("changed", "rotated"))
        content = self._changed(address) if changed else self._photos.content(address)
        if rotated:
            orientation = self._faults.choice("rotated", address.photo, spoiled.ORIENTATIONS)
            try:
                return spoiled.rotated(content, orientation)
            except Exception:  # decoders raise anything: a broken original stays as it is
                return content
        return content

    def _changed(self, address: Address) -> bytes:
        lengths = self._photos.lengths(address.row, "o")
        assert lengths is not None
        factors = self._faults.choice("changed", address.photo, _REPLACED)
        width, height = (max(1, round(length * factor)) for length, factor in zip(lengths, factors, strict=True))
        image = spoiled.replacement(address.photo, width, height)
        if address.size != "o" and SIZES[address.size].side < max(width, height):
            image = resized(image, address.size)
        jpeg = self._photos.path(address.row, address.size).endswith(".jpg")
        return spoiled.encoded(image, "JPEG" if jpeg else "PNG")


async def unavailable(_: web.Request) -> web.Response:
    """The picture in the place of a photo that is gone."""
    return web.Response(body=spoiled.PLACEHOLDER, content_type="image/png")


def missing_sizes(faults: Faults, photo: str) -> frozenset[str]:
    """The sizes of a photo that no search lists, by its id: the original and each other one with even odds."""
    if not faults.hits("missing_sizes", photo):
        return frozenset()
    return frozenset({"o", *(size for size in SIZES if faults.choice(f"missing {size}", photo, (True, False)))})


def request_key(request: web.Request, arguments: Mapping[str, str]) -> str:
    """What one request and its repetitions share: method, path, and the arguments without key and signature."""
    asked = sorted((name, value) for name, value in arguments.items() if not name.startswith(("oauth_", "api_")))
    return json.dumps([request.method, request.path, asked])


async def _arguments(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in {**request.query, **await request.post()}.items()}
