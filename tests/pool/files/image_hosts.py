"""Image hosts that answer as a test says, on a clock of its own, and downloads from them into a spool."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from hashlib import sha256

from aiohttp import web

from debugset.pool.files.download import download
from debugset.pool.files.verdict import verdict
from debugset.pool.hosts import Hosts
from debugset.pool.limits import Clock
from debugset.pool.source import Download
from debugset.pool.spool import Spool
from tests.pool.worlds import png, scrape_params

HOST = "live.staticflickr.com"
OTHER = "images.example.org"
Answer = Callable[[web.Request], web.StreamResponse]


class Counted:
    """An answer that notes how many requests were under way at once, at most."""

    def __init__(self, answer: Answer) -> None:
        self._answer, self._active, self.most = answer, 0, 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self._active += 1
        self.most = max(self.most, self._active)
        await asyncio.sleep(0)
        self._active -= 1
        return self._answer(request)


class FakeClock(Clock):
    """Time passes only in sleep, and at once; more than a minute not before ``may_pass``."""

    def __init__(self) -> None:
        self.time = 1_600_000_000.0
        self.may_pass = lambda: True

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        end = self.time + max(seconds, 1e-6)  # or floating-point time stands still
        await asyncio.sleep(0)
        while seconds > 60 and not self.may_pass():
            await asyncio.sleep(0)
        self.time = max(self.time, end)


class ImageHosts:
    """Image hosts: every file is a picture of its own unless ``answers`` says otherwise; all requests are counted."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.answers: dict[str, Answer] = {}
        self.asked: Counter[str] = Counter()
        self.times: dict[str, list[float]] = defaultdict(list)
        self.headers: list[web.BaseRequest] = []
        self.app = web.Application()
        self.app.router.add_get("/{name:.*}", self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.removeprefix("/")
        self.asked[name] += 1
        self.times[request.headers["Host"]].append(self.clock.now())
        self.headers.append(request)
        made = self.answers[name](request) if name in self.answers else web.Response(body=picture(name))
        return await made if asyncio.iscoroutine(made) else made


def picture(name: str) -> bytes:
    return png(int(sha256(name.encode()).hexdigest()[:4], 16))


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: web.Response(status=status, body=body, headers=named)


def first(times: int, answer: Answer) -> Answer:
    """An answer for the first times; then the picture."""
    left = [times]

    def answered(request: web.Request) -> web.StreamResponse:
        left[0] -= 1
        return answer(request) if left[0] >= 0 else web.Response(body=picture(request.path.removeprefix("/")))

    return answered


async def drops(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(png(1)[:50])
    request.transport.close()
    return response


async def never_answers(request: web.Request) -> web.StreamResponse:
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0)
    return web.Response()


async def streams(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(1000):
        await response.write(bytes(65536))
    return response


def address(name: str, host: str = HOST) -> str:
    return name if ":" in name else f"https://{host}/{name}"


class Run:
    """Downloads into one spool; photos are named by their addresses."""

    def __init__(self, hosts: ImageHosts, url: str, spool: Spool) -> None:
        self.hosts, self.spool, self.clock = hosts, spool, hosts.clock
        self.stand_ins = {HOST: url, OTHER: url}
        self.files_per_second = 1e6
        self.connections = 4

    def __call__(self, *photos: str | Sequence[str], **params: object) -> list[str]:
        """Fetch photos; the status of each one's deciding address."""
        urls = [tuple(map(address, [one] if isinstance(one, str) else one)) for one in photos]
        downloads = [Download(str(number), own) for number, own in enumerate(urls)]
        servers, section = Hosts(self.stand_ins, self.files_per_second), scrape_params(**params)
        job = download(downloads, self.spool, servers, section, self.connections, self.clock)
        asyncio.run(asyncio.wait_for(job, 60))
        files = self.spool.files({url for own in urls for url in own})
        decided = [verdict(own, files, section) for own in urls]
        return [file.status for _, file in decided if file]

    def status(self, name: str) -> str:
        file = self.spool.file(address(name))
        return file.status if file else ""
