"""Tiny worlds, and applications served from a thread of the test, with every request written down."""

import asyncio
import io
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from aiohttp import web
from PIL import Image

from debugset.images.sets import write_set
from debugset.pool.params import ScrapeParams

CLASSES = ["bag", "boot", "shirt"]
QUERIES = {"bag": ["handbag", '"leather bag"'], "boot": ["boot", "wellington"], "shirt": ["shirt"]}
CAP = 12
TITLES = {
    "bag": ["my handbag", "a leather bag", "bag of leather handbag"],
    "boot": ["Boot", "wellington boot", "wellington"],
    "shirt": ["shirt", "blue shirt", "shirt again"],
}


def png(colour: int, size: int = 16) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (size, size), (colour % 256, colour // 256, 7)).save(stream, "PNG")
    return stream.getvalue()


def second(year: int, month: int = 1, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def write_world(folder: Path, photos: int = 200) -> Path:
    """Photos of three years; some broken, some tiny, some found by two classes, some by none."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)

    def records() -> Iterator[tuple[dict, bytes]]:
        for number in range(photos):
            label = int(random.integers(3))
            title = TITLES[CLASSES[label]][int(random.integers(3))]
            title = "nothing" if number % 29 == 0 else title
            planted = {7: "broken", 8: "tiny"}.get(number % 40, "")
            content = {"broken": png(number)[:60], "tiny": png(number, 4)}.get(planted, png(number))
            side = 4 if planted == "tiny" else 16
            yield (
                {
                    "id": str(1000 + 7 * number),
                    "label": label,
                    "shard": "world.tar",
                    "width": side,
                    "height": side,
                    "true_label": label,
                    "context": "grass",
                    "planted": planted,
                    "copy_of": "",
                    "uploaded": int(random.integers(second(2018), second(2021))),
                    "owner": f"{number % 9}@N00",
                    "owner_name": f"Ann Nº {number % 9}",
                    "licence": (0, 4, 9)[number % 3],
                    "title": title,
                    "tags": "shirt sale" if number % 31 == 0 else "sale",
                    "secret": f"{number:06x}",
                    "server": "65535",
                },
                content,
            )

    write_set(folder, records(), CLASSES)
    return folder


class Requests:
    """What a served application was asked; ``before`` may be set to act on (or answer) a request first."""

    def __init__(self) -> None:
        self.searches: list[dict[str, str]] = []
        self.images: list[str] = []
        self.before: Callable[[web.Request], web.Response | None] | None = None

    @web.middleware
    async def note(self, request: web.Request, handler: Callable) -> web.StreamResponse:
        if request.path.startswith("/services"):
            self.searches.append({**request.query, **await request.post()})
        else:
            self.images.append(request.path)
        answer = self.before(request) if self.before else None
        return answer or await handler(request)


@contextmanager
def serving(app: web.Application) -> Iterator[str]:
    """Serve an application from a thread; yields its address."""
    served: queue.Queue[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def serve() -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        done = asyncio.Event()
        served.put((f"http://127.0.0.1:{runner.addresses[0][1]}", asyncio.get_running_loop(), done))
        await done.wait()
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=[serve()], daemon=True)
    thread.start()
    address, loop, done = served.get(timeout=20)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(20)


def scrape_section(**changes: object) -> dict:
    section = {
        "endpoint": "simulator",
        "shard": "year",
        "since": "2018-01-01",
        "snapshot": "2019-12-31",
        "queries": QUERIES,
        "result_cap": CAP,
        "per_query": None,
        "per_page": 5,
        "sizes": ["o", "z", "n"],
        "side": 16,
        "min_side": 8,
        "max_bytes": 1_000_000,
        "max_pixels": 1_000_000,
        "licences": [0, 4, 9],
        "placeholders": [],
    }
    return section | changes


def scrape_params(**changes: object) -> ScrapeParams:
    return ScrapeParams.model_validate(scrape_section(**changes))
