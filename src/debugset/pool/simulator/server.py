"""The Flickr simulator: a real HTTP server with the wire format of Flickr's search and of its image host.

``flickr.photos.search`` and ``flickr.photos.licenses.getInfo`` as REST with JSON answers, fail codes included
(https://www.flickr.com/services/api/flickr.photos.search.html); and the files behind the addresses that a
search gives. A search gives out its first ``result_cap`` results. Any key will do, but none will not.
"""

import asyncio
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from aiohttp import web
from jaxtyping import Int64

from debugset.images.sets import open_set
from debugset.pool.rights.licences import LICENCES
from debugset.pool.simulator.library import Address, PhotoLibrary

RESULT_CAP = 4000
_LARGEST_PAGE = 500  # Flickr's, and its default below
_DEFAULT_PAGE = 100


class Refusal(Exception):
    """A call that Flickr answers with ``stat: fail``: its code and message."""


class Terms(NamedTuple):
    """What a search asks for: text, licences or None for all, first and last second of upload or None."""

    text: str
    licences: Sequence[int] | None
    first: int | None
    last: int | None


class Simulator:
    """The simulator's answers about the photos that it shows. A subclass may give others; the tests' is hostile."""

    def __init__(self, photos: PhotoLibrary, result_cap: int = RESULT_CAP) -> None:
        self.photos, self.result_cap = photos, result_cap
        self._methods = {"flickr.photos.search": self._search, "flickr.photos.licenses.getInfo": self._list_licences}

    async def rest(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/services/rest/``, by GET or POST."""
        arguments = await read_arguments(request)
        try:
            self.check_key(request, arguments)
            answer = self._call(arguments) | {"stat": "ok"}
        except Refusal as refusal:
            code, message = refusal.args
            answer = {"stat": "fail", "code": code, "message": message}
        text = json.dumps(answer, ensure_ascii=False)
        if arguments.get("nojsoncallback") != "1":
            text = f"jsonFlickrApi({text})"
        return web.Response(text=text, content_type="application/json")

    async def image(self, request: web.Request) -> web.StreamResponse:
        """Answer a path of the image host."""
        address = self.photos.at(request.path)
        if address is None:
            raise web.HTTPNotFound
        return await self.file(request, address)

    def check_key(self, request: web.Request, arguments: Mapping[str, str]) -> None:
        """See to it that a call has a key; Refusal if it has none."""
        signed = "oauth_consumer_key=" in request.headers.get("Authorization", "")
        if not signed and not arguments.get("api_key"):
            raise Refusal(100, "Invalid API Key (Key has invalid format)")

    def page(
        self, terms: Terms, results: Int64[np.ndarray, " m"], number: int, per_page: int
    ) -> tuple[Int64[np.ndarray, " _n"], int]:
        """The manifest rows on page ``number``, from 1, of a search's results, and the total that the search states."""
        start = (number - 1) * per_page
        return results[: self.result_cap][start : start + per_page], len(results)

    def describe(self, row: int, extras: Sequence[str]) -> dict[str, Any]:
        """A photo as a search sends it (`PhotoLibrary.describe`)."""
        return self.photos.describe(row, extras)

    async def file(self, request: web.Request, address: Address) -> web.StreamResponse:
        """The file of a photo."""
        content = self.photos.content(address)
        return web.Response(body=content, content_type=content_type(content, request.path))

    def _call(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        if arguments.get("format") != "json":
            raise Refusal(111, f'Format "{arguments.get("format", "rest")}" not found')
        method = self._methods.get(arguments.get("method", ""))
        if method is None:
            raise Refusal(112, f'Method "{arguments.get("method", "")}" not found')
        return method(arguments)

    def _search(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        terms = _read_terms(arguments)
        results = self.photos.search(*terms)
        if arguments.get("sort") != "date-posted-asc":  # newest first is Flickr's default
            results = results[::-1]
        number = max(1, int(arguments.get("page") or 1))
        per_page = min(_LARGEST_PAGE, max(1, int(arguments.get("per_page") or _DEFAULT_PAGE)))
        rows, total = self.page(terms, results, number, per_page)
        extras = arguments.get("extras", "").split(",")
        photos = [self.describe(int(row), extras) for row in rows]
        counts = {"page": number, "pages": math.ceil(total / per_page), "perpage": per_page, "total": total}
        return {"photos": {**counts, "photo": photos}}

    def _list_licences(self, _: Mapping[str, str]) -> dict[str, Any]:
        licences = [{"id": number, "name": name, "url": link} for number, (name, link) in LICENCES.items()]
        return {"licenses": {"license": licences}}


def application(simulator: Simulator) -> web.Application:
    """The simulator as an aiohttp application."""
    app = web.Application()
    app.router.add_route("*", "/services/rest/", simulator.rest)
    app.router.add_get("/{server}/{file}", simulator.image)
    return app


def serve(world: Path, host: str, port: int, result_cap: int, until_stdin_closes: bool = False) -> None:
    """Run the simulator until it is interrupted; its first line of output is JSON with its ``url``.

    Args:
        world: the image set of the photos that it shows.
        host, port: the address to listen at; port 0 is a free one.
        result_cap: how many results of one search it gives out.
        until_stdin_closes: end with the standard input; a parent that holds its other end is never outlived.

    Raises:
        OSError: the world is missing, or the address is taken.
    """
    app = application(Simulator(PhotoLibrary(open_set(world)), result_cap))
    asyncio.run(listen(app, host, port, until_stdin_closes))


async def listen(app: web.Application, host: str, port: int, until_stdin_closes: bool = False) -> None:
    """Serve an application as `serve` says."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        print(json.dumps({"url": f"http://{host}:{runner.addresses[0][1]}"}), flush=True)
        closed = asyncio.Event()
        if until_stdin_closes:
            stdin = sys.stdin.fileno()
            asyncio.get_running_loop().add_reader(stdin, _watch, stdin, closed)
        await closed.wait()
    finally:
        await runner.cleanup()


async def read_arguments(request: web.Request) -> dict[str, str]:
    """The arguments of a call, of its address and of its body."""
    arguments = {**request.query, **await request.post()}
    return {name: str(value) for name, value in arguments.items()}


def content_type(content: bytes, path: str) -> str:
    """The type that the image host states of a file at a path."""
    is_jpeg = content.startswith(b"\xff\xd8") or path.endswith(".jpg")
    return "image/jpeg" if is_jpeg else "image/png"


def _read_terms(arguments: Mapping[str, str]) -> Terms:
    text = arguments.get("text", "").strip()
    if not text:
        raise Refusal(3, "Parameterless searches have been disabled. Please use flickr.photos.getRecent instead.")
    licences = [int(number) for number in arguments.get("license", "").split(",") if number]
    first, last = _second(arguments, "min_upload_date"), _second(arguments, "max_upload_date")
    return Terms(text, licences or None, first, last)


def _second(arguments: Mapping[str, str], name: str) -> int | None:
    try:
        return int(arguments[name]) if arguments.get(name) else None
    except ValueError:
        raise Refusal(18, f"Illogical arguments ({name})") from None


def _watch(stdin: int, closed: asyncio.Event) -> None:
    if not os.read(stdin, 4096):
        closed.set()
