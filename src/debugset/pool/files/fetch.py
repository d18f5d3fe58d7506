"""One address asked once: redirects, limits and refusals, and what the answer means."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import nullcontext
from hashlib import sha256
from importlib.metadata import version
from urllib.request import getproxies

import aiohttp
from yarl import URL

from debugset.pool.fault import Fault
from debugset.pool.files.content import inspect
from debugset.pool.files.health import Health
from debugset.pool.hosts import Hosts
from debugset.pool.limits import Clock, Turns, retry_after
from debugset.pool.params import ScrapeParams
from debugset.pool.spool import File, Spool

REMOVED = "removed"  # 410: gone at every size
NEW_AT_ONCE = 128  # requests to hosts that have not answered yet: those that are dead keep one until it times out
_AGENT = "debugset"
_HOPS = 5
_IDLE = 3.0  # seconds until an unused connection is closed: a list of many hosts must not run out of sockets
_TIMEOUT = aiohttp.ClientTimeout(total=600, connect=30, sock_connect=20, sock_read=30)
_UNAVAILABLE = "photo_unavailable"  # in the address of the picture that Flickr redirects removed photos to
_LARGE = 8 * 1024  # bytes; smaller files decode faster than a thread takes them over
_REDIRECTS = (301, 302, 303, 307, 308)
_NOT_NOW = (408, 429)  # request timeout, too many requests
_FAULTS = {404: Fault.GONE, 410: REMOVED}
_OPT_OUTS = {"noai", "noimageai"}
_NO_AGENTS = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}  # directives with a value


class Transient(Exception):
    """There is no answer for now.

    Attributes:
        wait: for how many seconds the host asks to be left alone, if it does.
        host: which gave none; a redirect may have led to it.
    """

    def __init__(self, kind: str, wait: float | None = None) -> None:
        super().__init__(kind)
        self.wait = wait
        self.host = ""


class LeftAlone(Exception):
    """A host is not asked; the text says why."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(why)
        self.host = host


def open_session(hosts: Hosts) -> aiohttp.ClientSession:
    """A client for files; stand-ins on this machine are asked directly, without a proxy."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE),
        headers={"User-Agent": f"{_AGENT}/{version('debugset')}", "Accept-Encoding": "identity"},
        timeout=_TIMEOUT,
        auto_decompress=False,  # a page that is compressed all the same could unpack to any size
        cookie_jar=aiohttp.DummyCookieJar(),
        # aiohttp looks for a proxy and for netrc at every request, in threads: not where there is none
        trust_env=not hosts.stand_ins and bool(getproxies()),
    )


class Fetcher:
    """Asks hosts for files, each within its limits, and ``connections`` files at a time.

    The ``spool`` keeps the pauses that hosts ask for; ``decoders`` look at all but small files; ``health`` learns who
    answers, and says who is left alone.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        hosts: Hosts,
        params: ScrapeParams,
        connections: int,
        clock: Clock,
        spool: Spool,
        decoders: Executor,
        health: Health,
    ) -> None:
        self._session, self._hosts, self._params, self._clock = session, hosts, params, clock
        self._connections, self._spool, self._decoders, self._health = connections, spool, decoders, health
        self._new = asyncio.Semaphore(NEW_AT_ONCE)
        self._limits: dict[str, tuple[asyncio.Semaphore, Turns]] = {}

    async def fetch(self, address: str) -> File:
        """Ask for an address once and look at what comes.

        Returns:
            ``ok``; ``gone`` (404, or moved to the "unavailable" picture); `REMOVED` (410); ``placeholder``
            (`scrape.placeholders`); ``refused`` (any other 4xx, too many redirects, no address of the web);
            ``opted_out``; ``too_large``; or what `debugset.pool.files.content.inspect` says.

        Raises:
            Transient: no answer, one cut short, or one that says to come later.
            LeftAlone: the host is not asked any more in this run.
            OSError: the host asks to be left alone for longer than an hour, and no other has photos left.
        """
        url = _parse(address)
        for _ in range(1 + _HOPS):
            if url is None:
                break
            if _UNAVAILABLE in url.path:
                return File(Fault.GONE)
            answer = await self._ask(url)
            if isinstance(answer, File):
                return answer
            if isinstance(answer, bytes):
                return await self._inspect(answer)
            url = _parse(answer, url)
        return File(Fault.REFUSED)

    async def _ask(self, url: URL) -> str | File | bytes:
        host = url.host or ""
        self._require_asking(host)
        free, turns = self._limits_of(host)
        async with free:
            await turns.turn()
            try:
                async with nullcontext() if self._health.has_answered(host) else self._new:
                    return await self._request(url)
            except Transient as transient:
                transient.host = host
                if transient.wait is not None:
                    self._pause(host, turns, transient.wait)
                raise

    def _require_asking(self, host: str) -> None:
        why = self._health.why_left_alone(host)
        if why:
            raise LeftAlone(host, why)

    def _pause(self, host: str, turns: Turns, seconds: float) -> None:
        """Let all who ask this host wait, or nobody ask it again in this run."""
        try:
            turns.pause(seconds)
        except OSError as error:
            self._health.note_long_pause(host, error)
            self._require_asking(host)

    async def _request(self, url: URL) -> str | File | bytes:
        """One request: where to go on, why there is no file, or its bytes."""
        target, headers = self._target(url)
        try:
            async with self._session.get(target, headers=headers, allow_redirects=False) as response:
                answer = await self._read(response)
            self._health.note_answer(url.host or "")
            return answer
        except (aiohttp.InvalidURL, UnicodeError):  # the latter: no name that a host can have
            return File(Fault.REFUSED)
        except TimeoutError:
            raise Transient("timed out") from None
        except aiohttp.ClientConnectorDNSError:
            raise Transient("host not found") from None
        except aiohttp.ClientConnectorError:
            raise Transient("no connection") from None
        except (aiohttp.ClientError, OSError):
            raise Transient("connection lost") from None

    async def _read(self, response: aiohttp.ClientResponse) -> str | File | bytes:
        status = response.status
        if status == 200:
            return await _read_body(response, self._params.max_bytes)
        if status in _REDIRECTS:
            return response.headers.get("Location", "")
        if status in _NOT_NOW or status >= 500:
            wait = retry_after(response.headers.get("Retry-After"), self._clock.now(), status)
            raise Transient(f"HTTP {status}", wait)
        return File(_FAULTS.get(status, Fault.REFUSED))

    async def _inspect(self, content: bytes) -> File:
        digest = sha256(content).hexdigest()
        if digest in self._params.placeholders:
            return File(Fault.PLACEHOLDER, size=len(content), sha256=digest)
        if len(content) < _LARGE:
            return inspect(content, self._params.max_pixels)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._decoders, inspect, content, self._params.max_pixels)

    def _limits_of(self, host: str) -> tuple[asyncio.Semaphore, Turns]:
        """A host's free connections, and when the next request may go out."""
        if host not in self._limits:
            per_hour = self._hosts.files_per_second * 3600
            turns = Turns(host, per_hour, self._connections, self._clock, self._spool, keep_rate=False)
            self._limits[host] = asyncio.Semaphore(self._connections), turns
        return self._limits[host]

    def _target(self, url: URL) -> tuple[URL, dict[str, str]]:
        """Where a request goes, and the headers that tell a stand-in which host is meant."""
        server = self._hosts.stand_ins.get(url.host or "")
        if server is None:
            return url, {}
        return URL(f"{server.rstrip('/')}{url.raw_path_qs}", encoded=True), {"Host": url.host_port_subcomponent or ""}


async def _read_body(response: aiohttp.ClientResponse, max_bytes: int) -> File | bytes:
    if forbids_learning(response.headers.getall("X-Robots-Tag", [])):
        return File(Fault.OPTED_OUT)
    announced = response.content_length or 0
    if announced > max_bytes:
        return File(Fault.TOO_LARGE, size=announced)
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            return File(Fault.TOO_LARGE, size=size)
    return b"".join(chunks)


def forbids_learning(values: Iterable[str]) -> bool:
    """Whether a file's ``X-Robots-Tag`` headers forbid its use for machine learning, to us or to all.

    Each is ``directive, ...`` or ``agent: directive, ...``; several joined by commas count as such.

    Source: Google's robots meta tag specification; the directives ``noai`` and ``noimageai`` are DeviantArt's.
    """
    for value in values:
        is_meant = True  # until an agent is named
        for part in value.lower().split(","):
            directive = part.strip()
            agent, colon, rest = directive.partition(":")
            if colon and agent.strip() not in _NO_AGENTS:
                is_meant = agent.strip() in ("*", _AGENT)
                directive = rest.strip()
            if is_meant and directive in _OPT_OUTS:
                return True
    return False


def host_of(address: str) -> str:
    """The host that an address names; "" if it is no address of the web."""
    url = _parse(address)
    return "" if url is None else url.host or ""


def _parse(address: str, page: URL | None = None) -> URL | None:
    """An address, as a page may name it; None if it is none of the web."""
    try:
        url = page.join(URL(address)) if page and address else URL(address)
        return url if url.scheme in ("http", "https") and url.host else None
    except ValueError:
        return None
