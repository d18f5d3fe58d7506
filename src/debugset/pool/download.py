"""Fetching photos into the spool: bounded connections, retries, and a decode check of all that came."""

import asyncio
import io
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx
import stamina
from PIL import Image
from tqdm import tqdm

from debugset.pool.spool import FAILED, File, Spool

_ATTEMPTS = 5
_TIMEOUT = httpx.Timeout(30)
_GONE = (301, 302, 404, 410)  # Flickr redirects a removed photo to its "unavailable" picture
_FAILURES_IN_A_ROW = 10
_LARGE = 64 * 1024  # bytes; smaller files decode faster than a thread starts
_EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}


class _Transient(Exception):
    """The server answered that it cannot answer now."""


class HostMap(httpx.AsyncBaseTransport):
    """Sends requests for some hosts to servers that stand in for them; manifests keep the addresses asked.

    Args:
        hosts: host name -> address of the server.
        transport: carries the requests.
    """

    def __init__(self, hosts: Mapping[str, str], transport: httpx.AsyncBaseTransport) -> None:
        self._hosts = {name: httpx.URL(address) for name, address in hosts.items()}
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request to the server of its host."""
        server = self._hosts.get(request.url.host)
        if server is not None:
            request.url = request.url.copy_with(scheme=server.scheme, host=server.host, port=server.port)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


def inspect(content: bytes) -> File:
    """Decode a file wholly: ``ok`` with size and format, or ``undecodable``."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG", "GIF", "WEBP"]) as image:
            image.load()
            return File("ok", *image.size, _EXTENSIONS[str(image.format)], content)
    except Exception:  # decoders raise anything on strangers' bytes
        return File("undecodable")


async def fetch(client: httpx.AsyncClient, url: str) -> File:
    """Fetch one address; transient errors are tried again after pauses, then reported as ``failed: ...``."""
    try:
        async for attempt in stamina.retry_context(
            on=(httpx.TransportError, _Transient), attempts=_ATTEMPTS, timeout=None
        ):
            with attempt:
                answer = await client.get(url)
                if answer.status_code == 429 or answer.status_code >= 500:
                    raise _Transient(f"HTTP {answer.status_code}")
    except _Transient as error:
        return File(f"{FAILED}: {error}")
    except httpx.TransportError as error:
        return File(f"{FAILED}: {type(error).__name__}")
    if answer.status_code in _GONE:
        return File("gone")
    if answer.status_code != 200:
        return File("refused")
    if len(answer.content) < _LARGE:
        return inspect(answer.content)
    return await asyncio.to_thread(inspect, answer.content)


async def download(urls: Iterable[str], spool: Spool, hosts: Mapping[str, str], connections: int) -> None:
    """Fetch every address that the spool has no final answer for.

    Args:
        urls: addresses.
        spool: takes each file when it is whole.
        hosts: host name -> address of the server that stands in for it; empty for the open network.
        connections: how many files are fetched at a time.

    Raises:
        OSError: some could not be fetched for now. All others are in the spool; another run tries only those.
    """
    urls = list(dict.fromkeys(urls))
    known = spool.files(urls)
    done = {url for url, file in known.items() if not file.status.startswith(FAILED)}
    todo = iter([url for url in urls if url not in done])
    failures: list[str] = []
    progress: tqdm[Any]
    with tqdm(desc="downloading", unit="photo", disable=None, total=len(urls), initial=len(done)) as progress:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(client) for client in _clients(hosts, connections)]
            await asyncio.gather(*(_work(client, todo, spool, failures, progress) for client in clients))
    failed = [file.status for file in spool.files(urls).values() if file.status.startswith(FAILED)]
    if failed:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(failed).items()))
        raise OSError(f"downloads: {len(failed)} of {len(urls)} photos failed ({kinds}); run again to try only those")


async def _work(
    client: httpx.AsyncClient, todo: Iterator[str], spool: Spool, failures: list[str], progress: "tqdm[Any]"
) -> None:
    for url in todo:
        file = await fetch(client, url)
        spool.save_file(url, file)
        progress.update()
        if not file.status.startswith(FAILED):
            failures.clear()
            continue
        failures.append(url)
        if len(failures) >= _FAILURES_IN_A_ROW:
            raise OSError(
                f"downloads: {len(failures)} photos in a row failed ({file.status}); check the network, run "
                "again: what is whole is not fetched again"
            )


def _clients(hosts: Mapping[str, str], connections: int) -> Iterator[httpx.AsyncClient]:
    """A client a connection: one pool of 16 connections was 2.5 times slower than 16 pools of one."""
    certificates = ssl.create_default_context()  # shared, for it takes longer to make than a file to fetch
    one = httpx.Limits(max_connections=1)
    for _ in range(connections):
        if hosts:
            transport = HostMap(hosts, httpx.AsyncHTTPTransport(verify=certificates, limits=one, trust_env=False))
            yield httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, trust_env=False)
        else:
            yield httpx.AsyncClient(verify=certificates, limits=one, timeout=_TIMEOUT)
