import asyncio
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web

from debugset.pool.download import download, inspect
from debugset.pool.spool import Spool
from tests.pool.worlds import png, serving

HOST = "live.staticflickr.com"


class Host:
    """An image host on which each path has its fate; it counts what it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.down = False
        self.app = web.Application()
        self.app.router.add_get("/{name}", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked[name] += 1
        if self.down or (name == "late" and self.asked[name] < 3):
            return web.Response(status=503)
        if name == "moved":
            raise web.HTTPFound("/photo_unavailable.png")
        if name == "truncated":
            return web.Response(body=png(1)[:60])
        if name == "html":
            return web.Response(text="<html>")
        if name == "large":
            return web.Response(body=png(1, 400) + bytes(70_000))
        status = {"missing": 404, "removed": 410, "private": 403}.get(name, 200)
        return web.Response(status=status, body=png(3))


def fetch(names: list[str], url: str, spool: Spool) -> dict[str, str]:
    addresses = {f"https://{HOST}/{name}": name for name in names}
    asyncio.run(download(addresses, spool, {HOST: url}, connections=4))
    return {addresses[address]: file.status for address, file in spool.files(addresses).items()}


@pytest.fixture
def spool(tmp_path: Path):
    with Spool(tmp_path / "spool.sqlite") as spool:
        yield spool


def test_every_address_gets_its_status_and_is_never_asked_again(spool: Spool) -> None:
    fates = {"good": "ok", "late": "ok", "large": "ok", "moved": "gone", "missing": "gone", "removed": "gone"}
    fates |= {"private": "refused", "truncated": "undecodable", "html": "undecodable"}
    host = Host()
    with serving(host.app) as url:
        assert fetch(list(fates), url, spool) == fates
        assert host.asked.pop("late") == 3
        assert set(host.asked.values()) == {1}
        asked = host.asked.copy()
        assert fetch(list(fates), url, spool) == fates
        assert host.asked == asked
    file = spool.file(f"https://{HOST}/good")  # under Flickr's own address
    assert file is not None
    assert (file.content, file.width, file.height, file.extension) == (png(3), 16, 16, "png")


def test_what_failed_for_now_is_one_error_and_alone_tried_again(spool: Spool) -> None:
    host = Host()
    with serving(host.app) as url:
        fetch(["a", "b"], url, spool)
        host.down = True
        with pytest.raises(OSError, match="2 of 4 photos failed") as error:
            fetch(["a", "b", "c", "d"], url, spool)
        assert "HTTP 503" in str(error.value)
        assert (host.asked["a"], host.asked["c"]) == (1, 3)
        host.down = False
        assert set(fetch(["a", "b", "c", "d"], url, spool).values()) == {"ok"}
        assert (host.asked["a"], host.asked["c"]) == (1, 4)


def test_a_lost_network_ends_the_run_early(spool: Spool) -> None:
    host = Host()
    host.down = True
    with serving(host.app) as url, pytest.raises(OSError, match="in a row failed"):
        fetch([f"photo{number}" for number in range(200)], url, spool)
    assert len(host.asked) < 30


def test_inspect_reads_size_and_format() -> None:
    assert inspect(png(1, 5))[:4] == ("ok", 5, 5, "png")
    assert inspect(b"").status == "undecodable"
    assert inspect(b"%PDF-1.4").status == "undecodable"
