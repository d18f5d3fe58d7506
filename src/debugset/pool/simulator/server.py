"""The Flickr simulator: a real HTTP server with the wire format of Flickr's search and of its image host.

``flickr.photos.search`` and ``flickr.photos.licenses.getInfo`` as REST with JSON answers, fail codes included
(https://www.flickr.com/services/api/flickr.photos.search.html); and the files behind the addresses that a
search gives. A search gives out its first ``result_cap`` results; pages beyond repeat the last one. Any key
will do, but none will not. It is as hostile as its faults make it (`debugset.pool.simulator.faults`).
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from debugset.images.sets import open_set
from debugset.pool.rights.licences import LICENCES
from debugset.pool.simulator.faults import Faults, parse_faults
from debugset.pool.simulator.hostility import (
    API_FAILURES,
    FILE_FAILURES,
    HUGE,
    SLOW,
    UNAVAILABLE,
    Hostility,
    Refused,
    unavailable,
)
from debugset.pool.simulator.library import IMAGE_HOST, PhotoLibrary
from debugset.pool.simulator.lies import Asked, Lies

RESULT_CAP = 4000
__all__ = ["IMAGE_HOST", "RESULT_CAP", "application", "serve"]


class _Simulator:
    """The handlers of the simulator."""

    def __init__(self, photos: PhotoLibrary, result_cap: int, lies: Lies, hostility: Hostility) -> None:
        self._photos = photos
        self._lies = lies
        self._hostility = hostility
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
        except Refused as refusal:
            code, message = refusal.args
            answer = {"stat": "fail", "code": code, "message": message}
        text = json.dumps(answer, ensure_ascii=False)
        if arguments.get("nojsoncallback") != "1":
            text = f"jsonFlickrApi({text})"
        return web.Response(text=text, content_type="application/json")

    async def image(self, request: web.Request) -> web.StreamResponse:
        """A file of the image host."""
        address = self._photos.at(request.path)
        if address is None:
            raise web.HTTPNotFound
        return await self._hostility.image(request, address)

    def _called(self, request: web.Request, arguments: Mapping[str, str]) -> dict[str, Any]:
        authorised = "oauth_consumer_key=" in request.headers.get("Authorization", "")
        if not authorised and not arguments.get("api_key"):
            raise Refused(100, "Invalid API Key (Key has invalid format)")
        self._hostility.refuse(request, arguments)
        if arguments.get("format") != "json":
            raise Refused(111, f'Format "{arguments.get("format", "rest")}" not found')
        method = self._methods.get(arguments.get("method", ""))
        if method is None:
            raise Refused(112, f'Method "{arguments.get("method", "")}" not found')
        return method(arguments) | {"stat": "ok"}

    def _search(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        text = arguments.get("text", "").strip()
        if not text:
            message = "Parameterless searches have been disabled. Please use flickr.photos.getRecent instead."
            raise Refused(3, message)
        licences = [int(number) for number in arguments.get("license", "").split(",") if number] or None
        first, last = (_second(arguments, f"{end}_upload_date") for end in ("min", "max"))
        asked = Asked(text, licences, first, last)
        rows = self._photos.search(*asked)
        if arguments.get("sort") != "date-posted-asc":  # newest first is Flickr's default
            rows = rows[::-1]
        per_page = min(500, max(1, int(arguments.get("per_page") or 100)))
        rows, total = self._lies.told(asked, rows[: self._result_cap], len(rows), per_page)
        page = max(1, int(arguments.get("page") or 1))
        served = self._lies.page(asked, page, last=max(1, -(-self._result_cap // per_page)))
        extras = arguments.get("extras", "").split(",")
        shown = rows[(served - 1) * per_page :][:per_page]
        photos = [self._hostility.listed(self._photos.describe(int(row), extras)) for row in shown]
        counts = {"page": page, "pages": -(-total // per_page), "perpage": per_page, "total": total}
        return {"photos": {**counts, "photo": photos}}

    def _licences(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        named = [{"id": number, "name": name, "url": link} for number, (name, link) in LICENCES.items()]
        return {"licenses": {"license": named}}


def application(
    photos: PhotoLibrary,
    result_cap: int = RESULT_CAP,
    faults: Faults | None = None,
    slow: float = SLOW,
    huge: int = HUGE,
) -> web.Application:
    """The simulator as an aiohttp application.

    Args:
        photos: the photos that it shows.
        result_cap: how many results of one search it gives out.
        faults: what goes wrong; nothing by default.
        slow: how late a slow answer comes, in seconds.
        huge: how long a file of the fault ``huge_bytes`` goes on, in bytes.
    """
    faults = faults or Faults({})
    hostility = Hostility(photos, faults, slow, huge)
    simulator = _Simulator(photos, result_cap, Lies(photos, faults), hostility)
    app = web.Application()
    app.router.add_route("*", "/services/rest/", hostility.guarded(simulator.rest, API_FAILURES))
    app.router.add_get(UNAVAILABLE, unavailable)
    app.router.add_get("/{server}/{file}", hostility.guarded(simulator.image, FILE_FAILURES))
    return app


def serve(
    world: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    result_cap: int = RESULT_CAP,
    until_stdin_closes: bool = False,
    fault: Sequence[str] = (),
    fault_seed: int = 0,
) -> None:
    """Run the simulator until it is interrupted; its first line of output is JSON with its ``url``.

    Args:
        world: the image set of the photos that it shows.
        host: the address to listen at.
        port: the port, or 0 for a free one.
        result_cap: how many results of one search it gives out.
        until_stdin_closes: end with the standard input; a parent that holds its other end is never outlived.
        fault: what goes wrong and how often, as ``NAME=RATE`` (`debugset.pool.simulator.faults.FAULTS`).
        fault_seed: decides what the faults hit.

    Raises:
        ValueError: a fault is unknown or its rate is none.
        OSError: the world is missing, or the address is taken.
    """
    faults = parse_faults(fault, fault_seed)
    app = application(PhotoLibrary(open_set(world)), result_cap, faults)
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
        raise Refused(18, f"Illogical arguments ({name})") from None


def _main() -> None:
    """What `debugset.pool.flickr.service.running_simulator` starts; people use ``debugset flickr-simulator``."""
    parser = argparse.ArgumentParser(description="Serve a world's photos as Flickr would.")
    parser.add_argument("--world", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--result-cap", type=int)
    parser.add_argument("--until-stdin-closes", action="store_true")
    serve(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        _main()
    except KeyboardInterrupt:
        pass
    except (ValueError, OSError) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
