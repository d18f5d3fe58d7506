import asyncio
from hashlib import sha256

import aiohttp
import pytest
import stamina
from aiohttp import web

from debugset.pool.files import fetch
from debugset.pool.files.fetch import forbids_learning
from debugset.pool.hosts import Hosts
from debugset.pool.limits import THROTTLED
from debugset.pool.spool import File
from tests.pool.files.image_hosts import (
    HOST,
    OTHER,
    Answer,
    Counted,
    ImageHosts,
    Run,
    address,
    drops,
    first,
    never_answers,
    picture,
    says,
    streams,
)
from tests.pool.worlds import png

PLACEHOLDER = png(4711)
KNOWN = [sha256(PLACEHOLDER).hexdigest()]


def test_every_address_gets_its_status_and_is_never_asked_again(run: Run, hosts: ImageHosts) -> None:
    answers: dict[str, tuple[Answer, str]] = {
        "large": (says(200, png(1, 400) + bytes(70_000)), "ok"),
        "wrong_type": (says(200, png(2), Content_Type="text/html"), "ok"),
        "missing": (says(404), "gone"),
        "removed": (says(410), "gone"),
        "unavailable": (says(302, Location="/images/photo_unavailable.png"), "gone"),
        "placeholder": (says(200, PLACEHOLDER), "placeholder"),
        "private": (says(401), "refused"),
        "forbidden": (says(403), "refused"),
        "teapot": (says(418), "refused"),
        "opted_out": (says(200, png(1), X_Robots_Tag="noindex, NoAI"), "opted_out"),
        "html": (says(200, b"<html>", Content_Type="image/jpeg"), "html"),
        "truncated": (says(200, png(1)[:60]), "truncated"),
        "undecodable": (says(200, b"%PDF-1.4"), "undecodable"),
        "too_large": (says(200, bytes(2000)), "too_large"),
        "endless": (streams, "too_large"),
        "many_pixels": (says(200, png(1, 200)), "ok"),
    }
    hosts.answers = {name: answer for name, (answer, _) in answers.items()}
    statuses = ["ok", *(status for _, status in answers.values())]
    names, limits = ["good", *answers], {"max_bytes": 100_000, "max_pixels": 200 * 200, "placeholders": KNOWN}
    hosts.answers["many_pixels"] = says(200, png(1, 201))
    statuses[-1] = "too_many_pixels"
    hosts.answers["large"] = says(200, png(1, 190) + bytes(70_000))
    hosts.answers["too_large"] = says(200, bytes(100_001))
    assert run(*names, **limits) == statuses
    assert "images/photo_unavailable.png" not in hosts.asked
    assert set(hosts.asked.values()) == {1}
    asked = hosts.asked.copy()
    assert run(*names, **limits) == statuses
    assert hosts.asked == asked


def test_a_file_is_kept_under_the_address_asked_and_the_host_knows_who_asks(run: Run, hosts: ImageHosts) -> None:
    assert run("a b?c=%2F") == ["ok"]
    content = picture("a b")
    file = run.spool.file(f"https://{HOST}/a b?c=%2F")
    assert file == File("ok", 16, 16, len(content), "png", sha256(content).hexdigest(), content)
    request = hosts.headers[0]
    assert (request.headers["Host"], request.headers["User-Agent"]) == (HOST, "debugset/0.1.0")
    assert request.query["c"] == "/"


@pytest.mark.parametrize("status", [404, 403, 302])
def test_the_next_size_is_tried(run: Run, hosts: ImageHosts, status: int) -> None:
    hosts.answers["large"] = says(status, Location="/photo_unavailable.png")
    hosts.answers["broken"] = says(200, png(1)[:60])
    assert run(["large", "broken", "medium", "small"]) == ["ok"]
    assert hosts.asked == {"large": 1, "broken": 1, "medium": 1}


def test_after_every_size_the_first_ones_fault_counts(run: Run, hosts: ImageHosts) -> None:
    hosts.answers = {"large": says(200, b"<html>"), "small": says(404)}
    assert run(["large", "small"]) == ["html"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (says(410), "gone"),
        (says(200, PLACEHOLDER), "placeholder"),
        (says(200, png(1), X_Robots_Tag="noai"), "opted_out"),
    ],
)
def test_what_holds_for_a_photo_holds_for_every_size(run: Run, hosts: ImageHosts, answer: Answer, status: str) -> None:
    hosts.answers["large"] = answer
    for _ in range(2):
        assert run(["large", "small"], placeholders=KNOWN) == [status]
    assert hosts.asked == {"large": 1}


def test_no_size_is_taken_in_the_place_of_one_that_failed_for_now(run: Run, hosts: ImageHosts) -> None:
    hosts.answers["large"] = first(3, says(500))
    with pytest.raises(OSError, match=r"1 of 1 photos failed \(1 HTTP 500\)"):
        run(["large", "small"])
    assert run(["large", "small"]) == ["ok"]
    assert hosts.asked == {"large": 4}


def test_limits_of_today_count_and_only_raised_ones_ask_again(run: Run, hosts: ImageHosts) -> None:
    hosts.answers["wide"] = says(200, png(1, 40))
    size = len(png(1, 40))
    assert run("wide") == ["ok"]
    assert run("wide", max_pixels=1599) == ["too_many_pixels"]
    assert run("wide", max_bytes=size - 1) == ["too_large"]
    assert run("wide", placeholders=[sha256(png(1, 40)).hexdigest()]) == ["placeholder"]
    assert run("wide", max_pixels=1600, max_bytes=size) == ["ok"]
    assert hosts.asked["wide"] == 1
    hosts.answers["new"] = says(200, png(1, 40))
    for limits, status, asked in [
        ({"max_bytes": size - 1}, "too_large", 1),
        ({"max_bytes": size - 1}, "too_large", 1),
        ({"max_bytes": size, "max_pixels": 1599}, "too_many_pixels", 2),
        ({"max_pixels": 1599}, "too_many_pixels", 2),
        ({"max_pixels": 1600}, "ok", 3),
    ]:
        assert run("new", **limits) == [status]
        assert hosts.asked["new"] == asked


def test_a_digest_taken_off_the_list_is_asked_again(run: Run, hosts: ImageHosts) -> None:
    digest = sha256(picture("a")).hexdigest()
    assert run("a", placeholders=[digest]) == ["placeholder"]
    assert run("a", placeholders=[digest]) == ["placeholder"]
    assert run("a") == ["ok"]
    assert hosts.asked["a"] == 2


@pytest.mark.parametrize("answer", [says(500), says(503), says(429), says(408), drops])
def test_what_passes_is_tried_again(run: Run, hosts: ImageHosts, answer: Answer) -> None:
    hosts.answers["late"] = first(2, answer)
    assert run("late", "other") == ["ok", "ok"]
    assert hosts.asked == {"late": 3, "other": 1}


def test_six_tries_are_made(run: Run, hosts: ImageHosts) -> None:
    stamina.set_testing(True, attempts=6, cap=True)
    hosts.answers["late"], hosts.answers["later"] = first(5, says(502)), first(6, says(502))
    with pytest.raises(OSError, match="1 of 2 photos failed"):
        run("late", "later")
    assert (run.status("late"), run.status("later")) == ("ok", "failed: HTTP 502")
    assert hosts.asked == {"late": 6, "later": 6}


def test_what_failed_for_now_is_one_error_and_alone_tried_again(
    run: Run, hosts: ImageHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_TIMEOUT", aiohttp.ClientTimeout(sock_read=0.05))
    hosts.answers = {"b": first(3, drops), "c": first(3, says(503)), "d": first(3, never_answers)}
    hosts.answers["e"] = first(3, says(503))
    with pytest.raises(OSError) as error:
        run("a", "b", "c", "d", "e")
    assert str(error.value) == (
        "downloads: 4 of 5 photos failed (2 HTTP 503, 1 connection lost, 1 timed out); run again to try only those, "
        "or go on without them: `debugset pool give-up`"
    )
    assert run("a", "b", "c", "d", "e") == ["ok"] * 5
    assert hosts.asked == {"a": 1, "b": 4, "c": 4, "d": 4, "e": 4}


def test_a_host_that_is_not_there(run: Run) -> None:
    run.stand_ins = {HOST: "http://127.0.0.1:9"}
    with pytest.raises(OSError, match="1 no connection"):
        run("a")


def test_a_lost_network_ends_the_run_early(run: Run, hosts: ImageHosts) -> None:
    names = [f"photo{number}" for number in range(200)]
    hosts.answers = dict.fromkeys(names, says(503))
    with pytest.raises(OSError, match=rf"^downloads: no file comes from {HOST}: 10 photos in a row failed "):
        run(*names)
    assert len(hosts.asked) < 20


def test_retry_after_stops_all_who_ask_the_host(run: Run, hosts: ImageHosts) -> None:
    start = hosts.clock.now()
    hosts.answers["photo0"] = first(1, says(429, Retry_After="120"))
    assert set(run(*(f"photo{number}" for number in range(30)))) == {"ok"}
    on_their_way = run.connections
    assert all(time >= start + 120 for time in hosts.times[HOST][on_their_way:])
    assert len(hosts.times[HOST]) == 31


def test_other_hosts_go_on_while_one_rests(run: Run, hosts: ImageHosts) -> None:
    resting = [address(f"resting{number}") for number in range(20)]
    others = [address(f"other{number}", OTHER) for number in range(20)]
    hosts.answers["resting0"] = first(1, says(503, Retry_After="3000"))
    hosts.clock.may_pass = lambda: len(hosts.times[OTHER]) == 20  # it does not unless all others are asked
    assert set(run(*resting, *others)) == {"ok"}
    assert max(hosts.times[OTHER]) < min(hosts.times[HOST][run.connections :])


def test_a_rest_of_more_than_an_hour_ends_the_run(run: Run, hosts: ImageHosts) -> None:
    run.connections = 1
    hosts.answers["b"] = first(1, says(429, Retry_After="7200"))
    with pytest.raises(OSError, match="run again") as error:
        run("a", "b", "c")
    assert HOST in str(error.value) and "\n" not in str(error.value)
    assert hosts.asked == {"a": 1, "b": 1}
    asked_again = hosts.clock.now()
    assert run("a", "b", "c") == ["ok"] * 3
    assert hosts.asked == {"a": 1, "b": 2, "c": 1}
    assert hosts.clock.now() - asked_again > 3500  # the next run waits too, an hour at most


def test_a_host_is_asked_at_its_rate_and_by_few_at_a_time(run: Run, hosts: ImageHosts) -> None:
    counted = Counted(lambda request: web.Response(body=picture(request.path)))
    names = [f"photo{number}" for number in range(24)]
    hosts.answers = dict.fromkeys(names, counted)
    run.files_per_second, start = 10.0, hosts.clock.now()
    run(*names)
    assert counted.most <= run.connections
    assert hosts.clock.now() - start == pytest.approx((24 - run.connections) / 10, abs=0.5)


def test_redirects_are_followed_but_not_for_ever(run: Run, hosts: ImageHosts) -> None:
    for number in range(6, 0, -1):
        target = "photo" if number == 1 else f"hop{number - 1}"
        hosts.answers[f"hop{number}"] = says(302, Location=f"https://{OTHER}/{target}")
    assert run("hop5", "hop6") == ["ok", "refused"]
    assert hosts.asked["photo"] == 1
    assert run.spool.content(address("hop5")) == picture("photo")


@pytest.mark.parametrize("location", ["ftp://a.org/b.jpg", "file:///etc/passwd", "http://", "http://[", ""])
def test_a_redirect_to_nowhere_is_refused(run: Run, hosts: ImageHosts, location: str) -> None:
    hosts.answers["a"] = says(301, Location=location)
    assert run("a") == ["refused"]
    assert hosts.asked == {"a": 1}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.org/b.jpg",
        "file:///etc/passwd",
        "http:///b.jpg",
        "http://[::1/b.jpg",
        "data:image/png;base64,",
        ":",
        "http://a..b/c.jpg",
        "http://a:99999/b.jpg",
    ],
)
def test_what_is_no_address_of_the_web_is_refused_without_a_request(run: Run, hosts: ImageHosts, url: str) -> None:
    assert run(url, "a") == ["refused", "ok"]
    assert hosts.asked == {"a": 1}


def test_an_address_of_two_photos_is_asked_once(run: Run, hosts: ImageHosts) -> None:
    run.connections = 1
    assert run("a", "b", "a") == ["ok"] * 3
    assert hosts.asked == {"a": 1, "b": 1}


def test_a_stand_in_is_asked_without_a_proxy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert run("a") == ["ok"]

    async def trusts(stand_ins: dict[str, str]) -> bool:
        async with fetch.open_session(Hosts(stand_ins)) as session:
            return session.trust_env

    assert asyncio.run(trusts({})) and not asyncio.run(trusts({HOST: "http://127.0.0.1"}))


def test_progress_counts_what_earlier_runs_settled(run: Run, hosts: ImageHosts) -> None:
    hosts.answers["b"] = first(3, says(503))
    with pytest.raises(OSError):
        run("a", "b")
    (progress,) = run.spool.progress()
    assert (progress.phase, progress.before, progress.done, progress.total) == ("downloading", 0, 1, 2)
    run("a", "b")
    (progress,) = run.spool.progress()
    assert (progress.before, progress.done, progress.total) == (1, 2, 2)


@pytest.mark.parametrize(
    ("values", "forbids"),
    [
        ([], False),
        (["noindex"], False),
        (["noai"], True),
        (["noindex, NoImageAI"], True),
        (["noindex", "noimageai"], True),
        (["otherbot: noai"], False),
        (["otherbot: noindex, noai"], False),
        (["debugset: noai"], True),
        (["DebugSet: noindex, noai"], True),
        (["*: noai"], True),
        (["otherbot: noindex, debugset: noai"], True),
        (["otherbot: noai", "noai"], True),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], True),
        (["max-snippet: 5, noai"], True),
        (["noaiming"], False),
    ],
)
def test_opt_outs(values: list[str], forbids: bool) -> None:
    assert forbids_learning(values) == forbids


def test_a_host_that_says_too_many_is_left_alone_by_all_even_if_it_does_not_say_how_long(
    run: Run, hosts: ImageHosts
) -> None:
    start = hosts.clock.now()
    hosts.answers["photo0"] = first(1, says(429))
    assert set(run(*(f"photo{number}" for number in range(30)))) == {"ok"}
    assert all(time >= start + THROTTLED for time in hosts.times[HOST][run.connections :])
