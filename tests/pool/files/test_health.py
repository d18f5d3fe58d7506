"""Dead hosts cost their own photos and nobody else's; a network that is down ends the run."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, ClassVar

import pytest
from aiohttp import web

from debugset.pool.files import download
from debugset.pool.files.health import Health
from debugset.pool.progress import Meter
from tests.pool.files.image_hosts import HOST, OTHER, Counted, ImageHosts, Run, address, picture, says

NOBODY = "http://127.0.0.1:9"  # where nothing listens
DEAD = "dead.example.org"
DOUBT = (
    "check the network and the host, run again: what is whole is not fetched again (with a good network "
    "`debugset pool give-up` goes on without them)"
)


def dead(count: int, host: str = DEAD) -> list[str]:
    return [address(f"dead{number}", host) for number in range(count)]


def dead_hosts(run: Run, count: int, photos: int = 1) -> list[str]:
    """Photos of hosts where nothing listens, so many each, host after host."""
    names = [f"dead{number}.example.org" for number in range(count)]
    run.stand_ins |= dict.fromkeys(names, NOBODY)
    return [url for name in names for url in dead(photos, name)]


def failure(run: Run, *photos: str) -> str:
    with pytest.raises(OSError) as error:
        run(*photos)
    return str(error.value)


def statuses(run: Run, photos: list[str]) -> set[str]:
    return {run.status(photo) for photo in photos}


def test_dead_hosts_before_the_good_one_stop_nothing(run: Run, hosts: ImageHosts) -> None:
    lost, good = dead_hosts(run, 200), [f"good{number}" for number in range(100)]
    assert failure(run, *lost, *good) == (
        "downloads: 200 of 300 photos failed (200 no connection); run again to try only those, "
        "or go on without them: `debugset pool give-up`"
    )
    assert statuses(run, good) == {"ok"}


def test_good_hosts_wait_for_none_that_hangs(run: Run, hosts: ImageHosts) -> None:
    good = [f"good{number}" for number in range(40)]
    all_asked = asyncio.Event()

    async def hangs(request: web.Request) -> web.Response:
        await all_asked.wait()
        return web.Response(status=503)

    def notes(request: web.Request) -> web.Response:
        if all(hosts.asked[name] for name in good):
            all_asked.set()
        return web.Response(body=picture(request.path))

    hosts.answers = dict.fromkeys(good, notes) | {"slow": hangs}
    names = [f"slow{number}.example.org" for number in range(100)]
    run.stand_ins |= dict.fromkeys(names, run.stand_ins[HOST])
    slow = [address("slow", name) for name in names]
    both = [*slow[:80], *good[:20], *slow[80:], *good[20:]]
    assert "100 of 140 photos failed (100 HTTP 503)" in failure(run, *both)
    assert statuses(run, good) == {"ok"}


def test_a_host_that_has_not_answered_is_asked_for_one_file_at_a_time(run: Run, hosts: ImageHosts) -> None:
    counted = Counted(lambda request: web.Response(status=503))
    late = [f"late{number}" for number in range(30)]
    hosts.answers = dict.fromkeys(late, counted)
    assert "10 HTTP 503, 20 its host is silent" in failure(run, *late, address("good", OTHER))
    assert counted.most == 1


def test_one_dead_host_of_two_is_left_alone_while_the_other_gives_all(run: Run, hosts: ImageHosts) -> None:
    late = [f"late{number}" for number in range(130)]
    hosts.answers = dict.fromkeys(late, says(503))
    others = [address(f"other{number}", OTHER) for number in range(30)]
    assert failure(run, *late, *others) == (
        "downloads: 130 of 160 photos failed (10 HTTP 503, 120 its host is silent); run again to try only those, "
        "or go on without them: `debugset pool give-up`"
    )
    assert [hosts.asked[name] for name in late] == [3] + [1] * 9 + [0] * 120  # patient once, then one try each
    assert statuses(run, others) == {"ok"}
    hosts.answers = {}
    assert set(run(*late, *others)) == {"ok"}


def test_a_host_that_leads_on_to_a_dead_one_is_not_blamed(run: Run, hosts: ImageHosts) -> None:
    run.stand_ins |= {DEAD: NOBODY}
    run.connections = 1
    leading = [f"leads{number}" for number in range(12)]
    hosts.answers = {name: says(302, Location=f"https://{DEAD}/{name}") for name in leading}
    good = [f"good{number}" for number in range(5)]
    assert "12 of 17 photos failed (2 its host is silent, 10 no connection)" in failure(run, *leading, *good)
    assert statuses(run, good) == {"ok"}


def test_a_size_on_a_dead_host_is_not_blamed_on_the_host_of_the_larger_one(run: Run, hosts: ImageHosts) -> None:
    run.stand_ins |= {DEAD: NOBODY}
    run.connections = 1
    hosts.answers = {f"large{number}": says(404) for number in range(12)}
    photos = [(f"large{number}", address(f"small{number}", DEAD)) for number in range(12)]
    with pytest.raises(OSError, match=r"12 of 13 photos failed \(2 its host is silent, 10 no connection\)"):
        run(*photos, "good")
    assert run.status("good") == "ok"


def test_broken_photos_at_the_head_of_a_host_hide_the_good_ones_for_one_run_only(run: Run, hosts: ImageHosts) -> None:
    run.connections = 1
    broken, good = [f"broken{number}" for number in range(10)], [f"good{number}" for number in range(5)]
    hosts.answers = dict.fromkeys(broken, says(503))
    other = address("other", OTHER)
    assert "15 of 16 photos failed (10 HTTP 503, 5 its host is silent)" in failure(run, *broken, *good, other)
    hosts.asked.clear()
    assert "10 of 16 photos failed (10 HTTP 503)" in failure(run, *broken, *good, other)
    assert list(hosts.asked) == [*good, *broken]


def test_what_was_never_asked_for_comes_before_what_failed_the_earliest_first(run: Run, hosts: ImageHosts) -> None:
    run.connections = 1
    names = [f"photo{number}" for number in range(20)]
    hosts.answers = dict.fromkeys(names, says(503))
    assert failure(run, *names) == (
        f"downloads: no file comes from {HOST}: 10 photos in a row failed (the last: HTTP 503, {HOST}); {DOUBT}"
    )
    assert list(hosts.asked) == names[:10]
    failure(run, *names[5:])  # asks for those that it does not know yet
    hosts.answers = {}
    hosts.asked.clear()
    late = ["new1", *names, "new2"]
    assert set(run(*late)) == {"ok"}
    assert list(hosts.asked) == ["new1", "new2", *names]


def test_hosts_never_asked_come_before_those_that_failed(run: Run, hosts: ImageHosts) -> None:
    run.connections = 1
    failed = [f"host{number}.example.org" for number in range(150)]
    run.stand_ins |= dict.fromkeys(failed, NOBODY)
    lost = [address("photo", name) for name in failed]
    failure(run, *lost, "good")
    asked = []
    run.stand_ins = {name: run.stand_ins[HOST] for name in [*failed, HOST, OTHER]}
    hosts.answers["photo"] = lambda request: asked.append("late") or web.Response(body=picture(request.host))
    hosts.answers["new"] = lambda request: asked.append("new") or web.Response(body=picture("new"))
    assert set(run(*lost, "good", address("new", OTHER))) == {"ok"}
    assert "new" in asked[:128]  # as many go out at once
    assert len(asked) == 151


def test_many_hosts_none_of_which_answers_cast_doubt_on_the_network(run: Run, hosts: ImageHosts) -> None:
    lost = dead_hosts(run, 300)
    assert failure(run, *lost).startswith(
        "downloads: no file comes from any of 300 hosts: 300 photos in a row failed (the last: no connection, dead"
    )


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("answered", [0, 5])
def test_a_host_that_asks_for_a_long_pause_stops_no_other(
    run: Run, hosts: ImageHosts, status: int, answered: int
) -> None:
    resting = [f"rests{number}" for number in range(30)]
    good = [address(f"good{number}", OTHER) for number in range(50)]
    hosts.answers = dict.fromkeys(resting[answered:], says(status, Retry_After="86400"))
    began = run.clock.now()
    assert failure(run, *resting, *good) == (
        f"downloads: {30 - answered} of 80 photos failed ({30 - answered} its host asks for a long pause); "
        "run again to try only those, or go on without them: `debugset pool give-up`"
    )
    assert statuses(run, good) == {"ok"}
    assert sum(hosts.asked[name] for name in resting[answered:]) <= run.connections
    assert run.clock.now() - began < 60  # nobody waits for it


def test_many_hosts_that_ask_for_long_pauses_stop_no_other(run: Run, hosts: ImageHosts) -> None:
    names = [f"rests{number}.example.org" for number in range(200)]
    run.stand_ins |= dict.fromkeys(names, run.stand_ins[HOST])
    hosts.answers["photo"] = says(503, Retry_After="Sun, 01 Jan 2034 00:00:00 GMT")
    good = [f"good{number}" for number in range(50)]
    said = failure(run, *(address("photo", name) for name in names), *good)
    assert "200 of 250 photos failed (200 its host asks for a long pause)" in said
    assert statuses(run, good) == {"ok"}


def test_a_host_led_on_to_may_ask_for_a_long_pause(run: Run, hosts: ImageHosts) -> None:
    hosts.answers = {f"leads{number}": says(302, Location=f"https://{OTHER}/rests") for number in range(12)}
    hosts.answers["rests"] = says(429, Retry_After="7200")
    good = [f"good{number}" for number in range(5)]
    said = failure(run, *hosts.answers.keys() - {"rests"}, *good)
    assert "12 of 17 photos failed (12 its host asks for a long pause)" in said
    assert statuses(run, good) == {"ok"}


def test_the_only_host_that_is_left_says_when_to_run_again(run: Run, hosts: ImageHosts) -> None:
    hosts.answers = dict.fromkeys(["photo1", "photo2"], says(429, Retry_After="86400"))
    assert failure(run, "photo0", "photo1", "photo2") == (
        f"{HOST}: the service asks for a pause until 2020-09-14 12:27 UTC; "
        "run again then: what is whole is not asked again"
    )
    assert run.status("photo0") == "ok"


def test_a_few_hosts_none_of_which_answers_cast_doubt_before_all_is_asked(run: Run, hosts: ImageHosts) -> None:
    lost = dead_hosts(run, 3, photos=400)
    said = failure(run, *lost)
    assert said.startswith("downloads: no file comes from any of 3 hosts: 1") and said.endswith(f"; {DOUBT}")
    assert run.spool.statuses()["failed: no connection"] < 40
    assert "failed: its host is silent" not in run.spool.statuses()


def test_hosts_that_answered_and_no_longer_do_cast_doubt_whatever_else_is_dead(run: Run, hosts: ImageHosts) -> None:
    """The network of a service is lost amid the run: nothing is written off as silent."""
    photos = [f"photo{number}" for number in range(400)]
    hosts.answers = dict.fromkeys(photos[200:], says(502))
    run.stand_ins |= {DEAD: NOBODY}
    said = failure(run, *dead(1), address("other", OTHER), *photos)
    assert said.startswith(f"downloads: no file comes from {HOST}: 10 photos in a row failed (the last: HTTP 502, ")
    assert run.spool.statuses().keys() == {"ok", "failed: HTTP 502", "failed: no connection"}
    assert run.spool.statuses()["failed: HTTP 502"] < 20


def test_a_host_that_was_dead_all_along_is_no_doubt_of_the_network_when_the_others_are_done(
    run: Run, hosts: ImageHosts
) -> None:
    run.stand_ins |= {DEAD: NOBODY}
    said = failure(run, *dead(300), *(f"photo{number}" for number in range(5)))
    assert "300 of 305 photos failed (290 its host is silent, 10 no connection)" in said


def test_what_failed_is_given_up_only_when_that_is_said(run: Run, hosts: ImageHosts) -> None:
    run.stand_ins |= {DEAD: NOBODY}
    assert "15 of 16 photos failed" in failure(run, *dead(15), "alive")
    assert f"no file comes from {DEAD}: 10 photos in a row failed" in failure(run, *dead(15), "alive")
    assert run.spool.give_up() == {"failed: no connection": 15}  # those that were not asked came first the second time
    assert run(*dead(15), "alive") == ["unreachable"] * 15 + ["ok"]
    assert run.spool.give_up() == {}


def test_a_size_that_was_given_up_makes_way_for_the_next(run: Run, hosts: ImageHosts) -> None:
    run.stand_ins |= {DEAD: NOBODY}
    with pytest.raises(OSError, match="give-up"):
        run((*dead(1), "alive"))
    run.spool.give_up()
    assert run((*dead(1), "alive")) == ["ok"]


class Told(Meter):
    """What is said behind the progress."""

    notes: ClassVar[list[str]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)
        super().note(text)


def test_the_progress_tells_how_many_photos_failed_and_of_whom(
    run: Run, hosts: ImageHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Told, "notes", [])
    monkeypatch.setattr(download, "Meter", Told)
    run.stand_ins |= {DEAD: NOBODY}
    hosts.answers["late"] = says(503)
    failure(run, *dead(1200), *(f"good{number}" for number in range(5)), "late")  # its host has answered by then
    assert f"failed: 1 of {HOST}" in str(Told.notes)
    assert f"failed: 1,200 of {DEAD}" in str(Told.notes)
    assert Told.notes[-1].endswith(", 1,201 in all")
    assert run.spool.failed_hosts() == {DEAD: 1200, HOST: 1}


@pytest.mark.parametrize(
    ("answering", "failing", "doubted"),
    [
        (0, 999, False),  # an old list may begin so
        (0, 1000, True),
        (9, 9, False),
        (10, 10, True),  # that lived do not die together
    ],
)
def test_so_many_hosts_in_a_row_cast_doubt_though_others_are_left(answering: int, failing: int, doubted: bool) -> None:
    health = Health({f"host{number}": 5 for number in range(2000)})
    for number in range(answering):
        health.note_answer(f"host{number}")
    for number in range(failing - 1):
        health.note_failure(f"host{number}", "timed out")
    with pytest.raises(OSError, match=f"any of {failing:,} hosts") if doubted else nullcontext():
        health.note_failure(f"host{failing - 1}", "timed out")


def test_an_answer_of_anybody_clears_the_network_and_of_itself_the_host() -> None:
    health = Health({"a": 50, "b": 50})
    for _ in range(9):
        health.note_failure("a", "timed out")
    assert not health.why_left_alone("a") and not health.deserves_patience("a") and health.deserves_patience("b")
    health.note_answer("b")
    health.note_failure("a", "timed out")
    assert (health.why_left_alone("a"), health.why_left_alone("b")) == ("its host is silent", "")
    assert not health.has_answered("a")
    health.note_answer("a")  # to a question that was under way
    assert not health.why_left_alone("a") and health.deserves_patience("a")


def look_up(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any]) -> None:
    """Let ``answer`` look up the names of the web, in the stead of this machine's resolver."""
    real = socket.getaddrinfo

    def looked_up(host: str, *arguments: Any, **options: Any) -> Any:
        return real(host, *arguments, **options) if host == "localhost" else answer()

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


def test_a_host_without_an_address_is_told_from_one_that_does_not_answer(
    run: Run, hosts: ImageHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    look_up(monkeypatch, fails)
    run.stand_ins |= {"refuses.example.org": NOBODY}
    said = failure(run, *dead(2), address("photo", "refuses.example.org"), "good")
    assert "3 of 4 photos failed (2 host not found, 1 no connection)" in said


def test_names_that_take_long_to_look_up_hold_up_no_other(
    run: Run, hosts: ImageHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = [f"good{number}" for number in range(20)]
    all_asked = threading.Event()

    def waits() -> None:
        assert all_asked.wait(30), "names that are looked up hold up the good host"
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    def notes(request: web.Request) -> web.Response:
        if all(hosts.asked[name] for name in good):
            all_asked.set()
        return web.Response(body=picture(request.path))

    look_up(monkeypatch, waits)
    hosts.answers = dict.fromkeys(good, notes)
    run.stand_ins = {HOST: run.stand_ins[HOST].replace("127.0.0.1", "localhost")}
    lost = [address("photo", f"host{number}.example.org") for number in range(60)]
    assert "60 of 80 photos failed (60 host not found)" in failure(run, *lost, *good)
    assert statuses(run, good) == {"ok"}
