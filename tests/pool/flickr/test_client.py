import asyncio
import logging
import traceback
from importlib.metadata import version

import pytest
from aiohttp import web

from debugset.pool.flickr import client
from debugset.pool.flickr.client import Flickr, Unavailable
from debugset.pool.flickr.service import Service
from debugset.pool.hosts import Hosts
from debugset.pool.limits import THROTTLED
from tests.pool.worlds import CAP, Requests, serving

KEY, SECRET = "0123456789abcdef-the-key", "the-secret-9876"


def answering(answer: web.Response) -> web.Application:
    async def handle(request: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_post("/services/rest/", handle)
    return app


def ask(url: str) -> None:
    service = Service("test", f"{url}/services/rest/", Hosts({"host": url}), KEY, SECRET)
    Flickr(service).search("shirt", None, 0, 9, 1, 5)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ({"stat": "fail", "code": 100, "message": f"Invalid API Key {KEY}"}, ValueError, "FLICKR_API_KEY"),
        (
            {"stat": "fail", "code": 96, "message": f"Invalid signature {SECRET}"},
            ValueError,
            "FLICKR_API_SECRET",
        ),
        ({"stat": "fail", "code": 18, "message": "Illogical arguments"}, ValueError, "Illogical arguments"),
        ({"stat": "fail", "code": 105, "message": "Service currently unavailable"}, Unavailable, "105"),
        ({"stat": "ok", "photos": {}}, Unavailable, "no search result"),
        ({"stat": "ok", "photos": {"total": 1, "photo": ["x"]}}, Unavailable, "no search result"),
        ([], Unavailable, "no search result"),
        ({"stat": "fail", "code": 98, "message": "Login failed"}, ValueError, "FLICKR_API_KEY"),
        ({"stat": "fail", "code": 97, "message": "Missing signature"}, ValueError, "FLICKR_API_SECRET"),
        ({"stat": "fail", "code": 10, "message": "Not available"}, Unavailable, "Not available"),
        ({"stat": "fail", "code": "0", "message": "Sorry"}, Unavailable, "Sorry"),
        ({"stat": "fail", "code": "what", "message": "Sorry"}, Unavailable, "no search result"),
        ({"stat": "fail", "message": "Sorry"}, Unavailable, "no search result"),
        (401, ValueError, "FLICKR_API_KEY"),
        (403, ValueError, r"refused the search (HTTP 403)"),
        (302, Unavailable, "HTTP 302"),
        (408, Unavailable, "HTTP 408"),
        (429, Unavailable, "HTTP 429"),
        (500, Unavailable, "HTTP 500"),
        (503, Unavailable, "HTTP 503"),
    ],
)
def test_a_refusal_is_one_clear_line_without_the_key(
    answer: dict | list | int, error: type[Exception], said: str, capfd: pytest.CaptureFixture
) -> None:
    if isinstance(answer, int):
        response = web.Response(status=answer, text=f"oauth_problem=consumer_key_unknown&key={KEY}")
    else:
        response = web.json_response(answer)
    with serving(answering(response)) as url, pytest.raises(error) as raised:
        ask(url)
    text = str(raised.value)
    assert said in text
    assert "\n" not in text
    shown = "".join([*traceback.format_exception(raised.value), *capfd.readouterr()])
    for secret in (KEY, SECRET):
        assert secret not in shown


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, {"Retry-After": "7"}, 7),
        (503, {"Retry-After": "7"}, 7),
        (429, {}, THROTTLED),
        (429, {"Retry-After": "?"}, THROTTLED),
        (503, {}, None),
        (503, {"Retry-After": "?"}, None),
    ],
)
def test_how_long_to_wait_is_read_from_the_answer(status: int, header: dict[str, str], seconds: float | None) -> None:
    answer = web.Response(status=status, headers=header)
    with serving(answering(answer)) as url, pytest.raises(Unavailable) as raised:
        ask(url)
    assert raised.value.retry_after == seconds


def test_an_answer_that_breaks_off_is_unavailable() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"stat"')
        assert request.transport
        request.transport.close()
        return response

    app = web.Application()
    app.router.add_post("/services/rest/", handle)
    with serving(app) as url, pytest.raises(Unavailable, match="no answer"):
        ask(url)


def test_an_answer_that_does_not_come_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(request: web.Request) -> web.Response:
        await asyncio.sleep(5)  # given up by then, and ended with the server
        return web.Response()

    app = web.Application()
    app.router.add_post("/services/rest/", late)
    monkeypatch.setattr(client, "_TIMEOUT", 0.1)
    with serving(app) as url, pytest.raises(Unavailable, match=r"no answer \(ReadTimeout\)"):
        ask(url)


def test_a_signed_call_is_not_sent_on() -> None:
    called = []

    async def elsewhere(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.json_response({})

    app = answering(web.Response(status=307, headers={"Location": "/elsewhere"}))
    app.router.add_route("*", "/elsewhere", elsewhere)
    with serving(app) as url, pytest.raises(Unavailable, match="HTTP 307"):
        ask(url)
    assert called == []


def test_the_service_is_told_who_asks() -> None:
    told = []

    async def handle(request: web.Request) -> web.Response:
        told.append(request.headers["User-Agent"])
        return web.json_response({"photos": {"total": "0", "photo": []}, "stat": "ok"})

    app = web.Application()
    app.router.add_post("/services/rest/", handle)
    with serving(app) as url:
        ask(url)
    assert told == [f"debugset/{version('debugset')}"]


def test_an_answer_that_is_no_json_is_tried_again() -> None:
    with serving(answering(web.Response(text="<html>"))) as url, pytest.raises(Unavailable):
        ask(url)


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no answer"):
        ask("http://127.0.0.1:9")


def test_no_logger_tells_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(answering(web.json_response({"photos": {"total": "0", "photo": []}, "stat": "ok"}))) as url:
        ask(url)
    assert "services/rest" in caplog.text
    assert KEY not in caplog.text
    assert SECRET not in caplog.text


def test_neither_client_nor_service_show_the_key() -> None:
    service = Service("test", "http://127.0.0.1:9/", Hosts(), KEY, SECRET)
    assert KEY not in repr(service) + repr(Flickr(service)) + str(Flickr(service))
    assert SECRET not in repr(service)


def test_one_call_brings_the_photos_with_their_extras(service: Service, requests: Requests) -> None:
    page = Flickr(service).search("shirt", [4, 9], 0, 2**31, 1, 500)
    assert len(page.photos) == CAP < page.total
    assert {photo["license"] for photo in page.photos} == {"4", "9"}
    assert {"ownername", "tags", "url_o", "width_o"} <= set(page.photos[0])
    sent = requests.searches[0]
    assert (sent["sort"], sent["license"], sent["media"]) == ("date-posted-asc", "4,9", "photos")
