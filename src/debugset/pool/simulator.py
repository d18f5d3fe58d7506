"""The Flickr simulator: a real HTTP server with the wire format of Flickr's search and of its image host.

``flickr.photos.search`` and ``flickr.photos.licenses.getInfo`` as REST with JSON answers, fail codes included
(https://www.flickr.com/services/api/flickr.photos.search.html); and the files behind the addresses that a
search gives. A search gives out its first ``result_cap`` results; pages beyond repeat the last one. Any key
will do, but none will not.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from debugset.images.sets import open_set
from debugset.pool.library import IMAGE_HOST, PhotoLibrary
from debugset.pool.licences import LICENCES

RESULT_CAP = 4000
__all__ = ["IMAGE_HOST", "RESULT_CAP", "application", "serve"]


class _Refused(Exception):
    """A call that Flickr answers with ``stat: fail``: its code and message."""


class _Simulator:
    """The handlers of the simulator."""

    def __init__(self, photos: PhotoLibrary, result_cap: int) -> None:
        self._photos = photos
        self._result_cap = result_cap
        self._methods = {
            "flickr.photos.search": self._search,
            "flickr.photos.licenses.getInfo": self._licences,
        }

    async def rest(self, request: web.Request) -> web.Response:
        """``/services/rest/``, by GET or POST."""
        arguments = {**request.query, **await request.post()}
        try:
            answer = self._called(request, {name: str(value) for name, value in arguments.items()})
        except _Refused as refusal:
            code, message = refusal.args
            answer = {"stat": "fail", "code": code, "message": message}
        text = json.dumps(answer, ensure_ascii=False)
        if arguments.get("nojsoncallback") != "1":
            text = f"jsonFlickrApi({text})"
        return web.Response(text=text, content_type="application/json")

    async def image(self, request: web.Request) -> web.Response:
        """A file of the image host."""
        content = self._photos.file(request.path)
        if content is None:
            raise web.HTTPNotFound
        kind = "image/jpeg" if request.path.endswith(".jpg") else "image/png"
        return web.Response(body=content, content_type=kind)

    def _called(self, request: web.Request, arguments: Mapping[str, str]) -> dict[str, Any]:
        authorised = "oauth_consumer_key=" in request.headers.get("Authorization", "")
        if not authorised and not arguments.get("api_key"):
            raise _Refused(100, "Invalid API Key (Key has invalid format)")
        if arguments.get("format") != "json":
            raise _Refused(111, f'Format "{arguments.get("format", "rest")}" not found')
        method = self._methods.get(arguments.get("method", ""))
        if method is None:
            raise _Refused(112, f'Method "{arguments.get("method", "")}" not found')
        return method(arguments) | {"stat": "ok"}

    def _search(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        text = arguments.get("text", "").strip()
        if not text:
            message = "Parameterless searches have been disabled. Please use flickr.photos.getRecent instead."
            raise _Refused(3, message)
        licences = [int(number) for number in arguments.get("license", "").split(",") if number] or None
        first, last = (_second(arguments, f"{end}_upload_date") for end in ("min", "max"))
        rows = self._photos.search(text, licences, first, last)
        total = len(rows)
        if arguments.get("sort") != "date-posted-asc":  # newest first is Flickr's default
            rows = rows[::-1]
        per_page = min(500, max(1, int(arguments.get("per_page") or 100)))
        reachable = rows[: self._result_cap]
        page = max(1, int(arguments.get("page") or 1))
        served = min(page, max(1, -(-self._result_cap // per_page)))
        extras = arguments.get("extras", "").split(",")
        photos = [self._photos.describe(int(row), extras) for row in reachable[(served - 1) * per_page :][:per_page]]
        counts = {"page": page, "pages": -(-total // per_page), "perpage": per_page, "total": total}
        return {"photos": {**counts, "photo": photos}}

    def _licences(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        named = [{"id": number, "name": name, "url": link} for number, (name, link) in LICENCES.items()]
        return {"licenses": {"license": named}}


def application(photos: PhotoLibrary, result_cap: int = RESULT_CAP) -> web.Application:
    """The simulator as an aiohttp application."""
    simulator = _Simulator(photos, result_cap)
    app = web.Application()
    app.router.add_route("*", "/services/rest/", simulator.rest)
    app.router.add_get("/{server}/{file}", simulator.image)
    return app


def serve(
    world: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    result_cap: int = RESULT_CAP,
    until_stdin_closes: bool = False,
) -> None:
    """Run the simulator until it is interrupted; its first line of output is JSON with its ``url``.

    Args:
        world: the image set of the photos that it shows.
        host: the address to listen at.
        port: the port, or 0 for a free one.
        result_cap: how many results of one search it gives out.
        until_stdin_closes: end with the standard input; a parent that holds its other end is never outlived.
    """
    app = application(PhotoLibrary(open_set(world)), result_cap)
    asyncio.run(_serve(app, host, port, until_stdin_closes))


async def _serve(app: web.Application, host: str, port: int, until_stdin_closes: bool) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        print(json.dumps({"url": f"http://{host}:{runner.addresses[0][1]}"}), flush=True)
        closed = asyncio.Event()
        if until_stdin_closes:
            stdin = sys.stdin.fileno()
            asyncio.get_running_loop().add_reader(stdin, _read, stdin, closed)
        await closed.wait()
    finally:
        await runner.cleanup()


def _read(stdin: int, closed: asyncio.Event) -> None:
    if not os.read(stdin, 4096):
        closed.set()


def _second(arguments: Mapping[str, str], name: str) -> int | None:
    try:
        return int(arguments[name]) if arguments.get(name) else None
    except ValueError:
        raise _Refused(18, f"Illogical arguments ({name})") from None


def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve a world's photos as Flickr would.")
    parser.add_argument("--world", type=Path, default=Path("data/world"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--result-cap", type=int, default=RESULT_CAP)
    parser.add_argument("--until-stdin-closes", action="store_true")
    serve(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        _main()
    except KeyboardInterrupt:
        pass
    except (ValueError, OSError) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
