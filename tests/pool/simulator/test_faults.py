import io
import json
import os
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from debugset.images.sets import open_set, write_set
from debugset.pool.flickr.client import EXTRAS
from debugset.pool.simulator.library import PhotoLibrary
from debugset.pool.sizes import SIZES
from tests.pool.simulator import faulty_server, spoiled
from tests.pool.simulator.faults import EXCLUSIVE, FAULTS, MOST_FAILURES, TRANSIENT, Faults, parse_faults
from tests.pool.simulator.faulty_server import faulty_application, missing_sizes
from tests.pool.worlds import CAP, CLASSES, png, second, serving

KEYS = [str(number) for number in range(2000)]
LARGE = 14  # photos
LISTED = ("o", "z", "m", "n", "s", "t", "q", "sq")  # the sizes of 700 x 500


def write_large_world(folder: Path) -> Path:
    """Photos of 700 x 500 pixels, every second one upright; the last one is broken, the one before has 16 pixels."""
    folder.mkdir(parents=True)

    def records() -> Iterator[tuple[dict, bytes]]:
        for number in range(LARGE):
            width, height = (700, 500) if number % 2 else (500, 700)
            colours = np.random.default_rng(number).integers(0, 256, (5, 5, 3), np.uint8)
            stream = io.BytesIO()
            Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC).save(stream, "JPEG")
            content = stream.getvalue()
            if number == LARGE - 2:
                width = height = 16
                content = png(number)
            record = {"id": str(100 + number), "label": 0, "shard": "world.tar", "width": width, "height": height}
            record |= {"uploaded": second(2018) + 86400 * number, "owner": "1@N00", "owner_name": "Ann", "licence": 4}
            record |= {"title": "shirt", "tags": "", "secret": f"{number:04x}", "server": "65535"}
            yield record, content[:4000] if number == LARGE - 1 else content

    write_set(folder, records(), CLASSES)
    return folder


@pytest.fixture(scope="module")
def large_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_large_world(tmp_path_factory.mktemp("large") / "world")


class Client:
    """One try a request, nothing else."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def get(self, url: str) -> httpx.Response:
        return self.http.get(url.removeprefix("https://live.staticflickr.com"))

    def rest(self, **arguments: object) -> httpx.Response:
        asked = {"method": "flickr.photos.search", "format": "json", "nojsoncallback": 1, "api_key": "k"}
        asked |= {"text": "shirt", "sort": "date-posted-asc", "extras": EXTRAS, "per_page": 500, **arguments}
        return self.http.post("/services/rest/", data=asked)

    def search(self, **arguments: object) -> dict:
        answer = self.rest(**arguments).json()
        assert answer["stat"] == "ok"
        return answer["photos"]

    def photos(self) -> dict[str, dict]:
        return {photo["id"]: photo for photo in self.search()["photo"]}


@contextmanager
def hostile(world: Path, seed: int = 0, cap: int = 4000, huge: int = 10**6, **rates: float) -> Iterator[Client]:
    app = faulty_application(PhotoLibrary(open_set(world)), cap, Faults(rates, seed), slow=7.0, huge=huge)
    with serving(app) as url, httpx.Client(base_url=url) as http:
        yield Client(http)


def test_hits_depend_on_seed_fault_and_key_alone_and_grow_with_the_rate() -> None:
    faults = Faults({"html": 0.3, "removed": 0.3})
    hit = {key for key in KEYS if faults.hits("html", key)}
    assert 0.25 < len(hit) / len(KEYS) < 0.35
    assert hit == {key for key in reversed(KEYS) if Faults({"html": 0.3}).hits("html", key)}
    assert hit < {key for key in KEYS if Faults({"html": 0.6}).hits("html", key)}
    others = [{key for key in KEYS if faults.hits("removed", key)}]
    others += [{key for key in KEYS if Faults({"html": 0.3}, seed=1).hits("html", key)}]
    for other in others:
        assert 0.05 < len(hit & other) / len(KEYS) < 0.13  # independent
    assert not any(Faults({"html": 0}).hits("html", key) for key in KEYS)
    assert all(Faults({"html": 1}).hits("html", key) for key in KEYS)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["htlm=0.1"], "htlm"),
        (["html"], "NAME=RATE"),
        (["html=often"], "NAME=RATE"),
        (["html=1.5"], "between 0 and 1"),
        (["html=-1"], "between 0 and 1"),
        (["html=nan"], "between 0 and 1"),
    ],
)
def test_faults_that_are_none_are_refused_in_one_line(texts: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        parse_faults(texts)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="typo"):
        Faults({}).hits("typo", "1")


def test_later_texts_overrule_and_all_leaves_out_what_ends_a_scrape() -> None:
    faults = parse_faults(["html=1", "all=0", "all=1", "removed=0"])
    assert {name for name in FAULTS if faults.hits(name, "1")} == set(FAULTS) - {"removed", "invalid_key"}


def test_failures_come_in_ones_and_twos_and_clear() -> None:
    faults = Faults(dict.fromkeys(TRANSIENT, 0.5))
    plans = [faults.failures(list(TRANSIENT), key) for key in KEYS]
    assert {len(plan) for plan in plans} == set(range(MOST_FAILURES + 1))
    assert all(max(Counter(plan).values(), default=0) <= 2 for plan in plans)
    assert all(plan[plan.index("slow") :] == ["slow"] * plan.count("slow") for plan in plans if "slow" in plan)
    assert {plan[0] for plan in plans if plan} == set(TRANSIENT)


def tried(client: Client, ask: str) -> object:
    """What one try brings: a search's ids or a file's bytes, or what went wrong."""
    try:
        nonce = str(np.random.default_rng().integers(10**9))
        answer = client.rest(oauth_nonce=nonce) if ask == "search" else client.get(ask)
    except httpx.TransportError:
        return "dropped"
    if answer.status_code == 429:
        return "retry_after" if answer.headers.get("Retry-After") == "1" else "throttled"
    if answer.status_code in (500, 502, 503):
        return "server_error"
    assert answer.status_code == 200
    if ask == "search":
        found = answer.json()
        return [photo["id"] for photo in found["photos"]["photo"]] if found["stat"] == "ok" else found["code"]
    return answer.content


@pytest.mark.parametrize("fault", [name for name in TRANSIENT if name not in ("service_unavailable", "slow")])
def test_a_transient_fault_hits_a_request_once_or_twice_then_clears(large_world: Path, fault: str) -> None:
    with hostile(large_world) as client:
        asks = ["search", *(photo["url_t"] for photo in client.photos().values() if "url_t" in photo)]
        true = [tried(client, ask) for ask in asks]
    with hostile(large_world, **{fault: 1}) as client:
        plans = [[tried(client, ask) for _ in range(4)] for ask in asks]
    for plan, answer in zip(plans, true, strict=True):
        assert plan in ([fault, answer, answer, answer], [fault, fault, answer, answer])
    assert {plan[1] == fault for plan in plans} == {True, False}


def test_flickr_is_unavailable_by_fail_code(large_world: Path) -> None:
    codes = set()
    with hostile(large_world, service_unavailable=1) as client:
        for day in range(12):
            answers = [client.rest(min_upload_date=second(2017) + day) for _ in range(3)]
            assert answers[2].json()["stat"] == "ok"
            codes |= {answers[0].json()["code"]}
        assert codes == {105, 10}
        path = PhotoLibrary(open_set(large_world)).path(0)
        assert client.get(path).status_code == 200  # the image host knows no fail codes


def test_slow_answers_are_late_and_right(large_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(faulty_server, "asyncio", SimpleNamespace(sleep=sleep))
    with hostile(large_world, slow=1) as client:
        assert all(len(tried(client, "search")) == LARGE for _ in range(4))
    assert waits in ([7.0], [7.0, 7.0])


def test_together_they_clear_after_four_tries(world: Path) -> None:
    paths = [PhotoLibrary(open_set(world)).path(row) for row in range(40)]
    rates = dict.fromkeys(set(TRANSIENT) - {"slow"}, 0.4)
    with hostile(world, **rates) as client:
        tries = [[type(tried(client, path)) is bytes for _ in range(MOST_FAILURES + 1)] for path in paths]
    failures = [answers.index(True) for answers in tries]
    assert all(all(answers[count:]) for answers, count in zip(tries, failures, strict=True))
    assert {0, MOST_FAILURES} < set(failures)


def test_half_of_the_dropped_answers_have_begun(world: Path, caplog: pytest.LogCaptureFixture) -> None:
    kinds: Counter[bool] = Counter()
    with hostile(world, dropped=1) as client:
        for row in range(20):
            try:
                client.get(PhotoLibrary(open_set(world)).path(row))
            except httpx.TransportError as error:
                kinds["message body" in str(error)] += 1
    assert caplog.messages == []  # the simulator knows what it does
    assert kinds[True] >= 5
    assert kinds[False] >= 5


def test_a_refused_key_is_quoted(world: Path) -> None:
    with hostile(world, invalid_key=1) as client:
        refused = client.rest(api_key="0secret").json()
        assert (refused["stat"], refused["code"]) == ("fail", 100)
        assert "0secret" in refused["message"]
        asked = {"format": "json", "nojsoncallback": "1", "text": "shirt"}
        signed = {"Authorization": 'OAuth oauth_nonce="1", oauth_consumer_key="1secret", oauth_version="1.0"'}
        assert "1secret" in client.http.post("/services/rest/", data=asked, headers=signed).json()["message"]


def windows(photos: pd.DataFrame) -> list[dict]:
    """Upload windows of several lengths, each with some shirts."""
    days = [(second(2018, month), second(2018, month + 3) - 1) for month in range(1, 10)]
    return [{"min_upload_date": first, "max_upload_date": last} for first, last in days]


def test_totals_lie_but_not_about_nothing(world: Path, photos: pd.DataFrame) -> None:
    with hostile(world) as client:
        true = [len(client.search(**window)["photo"]) for window in windows(photos)]
        seconds = sorted(int(photo["dateupload"]) for photo in client.photos().values())
    with hostile(world, wrong_total=1) as client:
        told = [client.search(**window) for window in windows(photos)]
        assert [len(answer["photo"]) for answer in told] == true
        ratios = [answer["total"] / count for answer, count in zip(told, true, strict=True)]
        assert min(ratios) < 1 < max(ratios)
        assert min(answer["total"] for answer in told) > 0
        again = [client.search(**window, per_page=2, page=2)["total"] for window in windows(photos)]
        assert again == [answer["total"] for answer in told]  # not a matter of the page
        nothing = {"min_upload_date": second(2030), "max_upload_date": second(2031)}
        assert client.search(**nothing)["total"] == 0
        for moment in seconds:  # which cannot be halved
            assert client.search(min_upload_date=moment, max_upload_date=moment)["total"] > 1


def test_the_order_changes_and_the_results_do_not(world: Path) -> None:
    with hostile(world, cap=CAP) as client:
        true = {photo["id"] for page in (1, 2, 3) for photo in client.search(per_page=5, page=page)["photo"]}
    with hostile(world, cap=CAP, unstable_order=1) as client:
        calls = [[photo["id"] for photo in client.search()["photo"]] for _ in range(4)]
        pages = [photo["id"] for page in (1, 2, 3) for photo in client.search(per_page=5, page=page)["photo"]]
    assert all(set(call) == true and len(call) == CAP for call in calls)
    assert len({tuple(call) for call in calls}) == 4
    assert set(pages) < true  # pages of one search do not add up
    with hostile(world, cap=CAP, unstable_order=1) as client:
        assert [[photo["id"] for photo in client.search()["photo"]] for _ in range(4)] == calls


def test_pages_past_the_cap_repeat_the_last_one(world: Path) -> None:
    with hostile(world, cap=CAP, repeated_pages=1) as client:
        pages = [[photo["id"] for photo in client.search(per_page=5, page=page)["photo"]] for page in (1, 2, 3, 4, 9)]
    assert [len(page) for page in pages] == [5, 5, CAP - 10, CAP - 10, CAP - 10]
    assert pages[2] == pages[3] == pages[4]
    assert len({photo for page in pages for photo in page}) == CAP


def test_rows_come_twice_and_push_others_off(world: Path) -> None:
    with hostile(world) as client:
        true = [photo["id"] for photo in client.search()["photo"]]
    with hostile(world, repeated_rows=1) as client:
        alone = [photo["id"] for photo in client.search()["photo"]]
        pages = [client.search(per_page=len(true), page=page)["photo"] for page in (1, 2)]
        one = {f"{end}_upload_date": client.photos()[true[0]]["dateupload"] for end in ("min", "max")}
        assert len(client.search(**one)["photo"]) == 1
    assert set(alone) == set(true)
    assert max(Counter(alone).values()) == 2
    assert {photo["id"] for page in pages for photo in page} < set(true)


def test_rows_stray_in_from_outside_the_window(world: Path, photos: pd.DataFrame) -> None:
    uploaded = dict(zip(photos["id"], photos["uploaded"], strict=True))
    with hostile(world) as client:
        shirts = sorted(client.photos(), key=uploaded.__getitem__)
    with hostile(world, stray_rows=1) as client:
        window = {"min_upload_date": uploaded[shirts[5]], "max_upload_date": uploaded[shirts[8]]}
        answer = client.search(**window)
        assert [photo["id"] for photo in answer["photo"]] == shirts[4:10]
        assert int(answer["photo"][0]["dateupload"]) < uploaded[shirts[5]]
        assert answer["total"] == 6
        between = {
            "min_upload_date": uploaded[shirts[5]] + 1,
            "max_upload_date": uploaded[shirts[6]] - 1,
        }
        assert client.search(**between)["photo"] == []  # else no halving would ever end
        one = {"min_upload_date": uploaded[shirts[5]], "max_upload_date": uploaded[shirts[5]]}
        assert [photo["id"] for photo in client.search(**one)["photo"]] == [shirts[5]]


@pytest.mark.parametrize("seed", range(3))
def test_a_client_that_trusts_only_pages_with_room_finds_every_photo(world: Path, seed: int) -> None:
    lies = ("wrong_total", "unstable_order", "repeated_rows", "stray_rows")
    with hostile(world) as client:
        true = set(client.photos())
    found, pending = set(), [(second(2018), second(2021) - 1)]
    with hostile(world, seed, cap=CAP, **dict.fromkeys(lies, 0.6)) as client:
        while pending:
            first, last = pending.pop()
            answer = client.search(min_upload_date=first, max_upload_date=last, per_page=5)
            rows, total = [photo["id"] for photo in answer["photo"]], answer["total"]
            if first < last and (total > 5 or len(rows) >= 5 or len(set(rows)) > total):
                pending += [(first, (first + last) // 2), ((first + last) // 2 + 1, last)]
            else:
                found |= set(rows)
    assert found == true


def test_missing_sizes_are_not_listed_but_served(large_world: Path) -> None:
    with hostile(large_world) as client:
        true = client.photos()
    left = set()
    with hostile(large_world, missing_sizes=1) as client:
        for photo_id, photo in client.photos().items():
            missing = missing_sizes(Faults({"missing_sizes": 1}), photo_id)
            assert "o" in missing
            gone = {f"{what}_{size}" for what in ("url", "width", "height") for size in missing}
            assert photo == {name: value for name, value in true[photo_id].items() if name not in gone}
            left |= {size for size in SIZES if f"url_{size}" in photo}
            assert client.get(true[photo_id]["url_o"]).status_code == 200
    assert left == set(LISTED) - {"o"}


def test_a_changed_photo_is_listed_as_it_was(large_world: Path) -> None:
    with hostile(large_world) as client:
        true = client.photos()
    sides = set()
    with hostile(large_world, changed=1) as client:
        assert client.photos() == true
        for photo in list(true.values())[:6]:
            served = {size: picture(client.get(photo[f"url_{size}"]).content) for size in ("o", "n")}
            assert served["o"].size != (photo["width_o"], photo["height_o"])
            assert max(served["n"].size) == min(320, max(served["o"].size))
            small = served["o"].resize(served["n"].size, Image.Resampling.LANCZOS)
            assert np.abs(np.asarray(small, int) - np.asarray(served["n"], int)).mean() < 3
            sides |= {served["o"].size}
            assert client.get(photo["url_o"]).content == client.get(photo["url_o"]).content
        broken, tiny = (true[str(100 + number)] for number in (LARGE - 1, LARGE - 2))
        assert picture(client.get(broken["url_o"]).content)
        assert picture(client.get(tiny["url_o"]).content).format == "PNG"
    assert len(sides) > 2


def picture(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.fixture(scope="module")
def files(large_world: Path) -> dict[str, bytes]:
    """The true files of three photos, the last one a small PNG, in two sizes where they exist: path -> bytes."""
    library = PhotoLibrary(open_set(large_world))
    addresses = [(row, size) for row in (0, 1, LARGE - 2) for size in ("o", "n") if library.lengths(row, size)]
    paths = [library.path(row, size) for row, size in addresses]
    return {path: library.content(library.at(path)) for path in paths}


@pytest.mark.parametrize(("fault", "status"), [("not_found", 404), ("removed", 410)])
def test_photos_that_are_gone_are_gone_in_every_size(large_world: Path, files: dict, fault: str, status: int) -> None:
    with hostile(large_world, **{fault: 1}) as client:
        assert {client.get(path).status_code for path in files} == {status}


def test_only_originals_with_other_sizes_are_gone_alone(large_world: Path, files: dict) -> None:
    with hostile(large_world, original_gone=1) as client:
        statuses = {path: client.get(path).status_code for path in files}
    assert {path for path, status in statuses.items() if status == 404} == {path for path in files if "_o.jpg" in path}


def test_the_picture_of_photos_that_are_gone(large_world: Path, files: dict) -> None:
    assert picture(spoiled.PLACEHOLDER).size == (240, 180)
    with hostile(large_world, placeholder=1) as client:
        assert {client.get(path).content for path in files} == {spoiled.PLACEHOLDER}
    with hostile(large_world, unavailable_redirect=1) as client:
        for path in files:
            answer = client.get(path)
            assert (answer.status_code, answer.headers["Location"]) == (302, "/images/photo_unavailable.png")
        assert client.get(answer.headers["Location"]).content == spoiled.PLACEHOLDER


def test_html_in_the_place_of_files(large_world: Path, files: dict) -> None:
    with hostile(large_world, html=1) as client:
        for answer in map(client.get, files):
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
            assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("fault", ["truncated", "corrupt"])
def test_spoiled_files_cannot_be_decoded_and_have_a_fitting_length(large_world: Path, files: dict, fault: str) -> None:
    with hostile(large_world, **{fault: 1}) as client:
        for path, content in files.items():
            answer = client.get(path)
            assert int(answer.headers["Content-Length"]) == len(answer.content)
            assert answer.content[:8] == content[:8]
            if fault == "truncated":
                assert answer.content == content[: len(content) // 2]
            else:
                assert len(answer.content) == len(content)
                assert answer.content[-2:] == content[-2:]
            with pytest.raises((OSError, SyntaxError)):
                picture(answer.content)


def test_files_that_go_on_announce_it_or_not(large_world: Path, files: dict, caplog: pytest.LogCaptureFixture) -> None:
    library = PhotoLibrary(open_set(large_world))
    announced = Counter()
    with hostile(large_world, huge_bytes=1, huge=10**6) as client:
        for row in range(LARGE):
            answer = client.get(library.path(row))
            announced[answer.headers.get("Content-Length")] += 1
            true = library.content(library.at(library.path(row)))
            assert answer.content == true + bytes(10**6 - len(true))
    assert set(announced) == {None, "1000000"}
    with hostile(large_world, huge_bytes=1, huge=10**12) as client:  # ends with the client, and holds nothing up
        for path in files:
            with client.http.stream("GET", path) as answer:
                assert next(answer.iter_bytes(2**20))
        assert client.photos()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_bomb_is_a_small_file_of_many_pixels(large_world: Path, files: dict) -> None:
    with hostile(large_world, huge_pixels=1) as client:
        (content,) = {client.get(path).content for path in files}
    assert len(content) < 100_000
    start = content.index(b"IDAT")
    size = int.from_bytes(content[start - 4 : start])
    rows = zlib.decompressobj().decompress(content[start + 4 : start + 4 + size])
    assert len(rows) == 20_000 * 2_501  # it holds what it claims
    assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (20_000, 20_000)


def test_wrong_types_and_opt_outs_leave_the_file_as_it_is(world: Path) -> None:
    library = PhotoLibrary(open_set(world))
    types, headers = set(), set()
    with hostile(world, wrong_type=1, opted_out=1) as client:
        for row in range(60):
            answer = client.get(library.path(row))
            assert answer.content == library.content(library.at(library.path(row)))
            types |= {answer.headers["Content-Type"].split(";")[0]}
            headers |= {answer.headers["X-Robots-Tag"]}
    assert len(types) == 4
    assert not types & {"image/png", "image/jpeg"}
    assert {"noai", "noimageai", "otherbot: noindex, debugset: noai"} < headers


def test_rotated_files_are_upright_by_their_exif(large_world: Path, files: dict) -> None:
    library = PhotoLibrary(open_set(large_world))
    orientations = set()
    with hostile(large_world, rotated=1) as client:
        for row in range(LARGE - 1):
            content = client.get(library.path(row)).content
            image, true = picture(content), picture(library.content(library.at(library.path(row)))).convert("RGB")
            assert image.format == "JPEG"
            assert image.getexif().get_ifd(0x8825)[1] == "N"
            orientations |= {image.getexif()[0x0112]}
            upright = ImageOps.exif_transpose(image)
            assert upright.size == true.size
            assert np.abs(np.asarray(upright, int) - np.asarray(true, int)).mean() < 4
        broken = library.path(LARGE - 1)
        assert client.get(broken).content == library.content(library.at(broken))
    assert len(orientations) > 3


def test_of_several_faults_the_first_answers_without_headers_of_the_others(world: Path) -> None:
    library = PhotoLibrary(open_set(world))
    library_path = library.path(0)
    rates = {**dict.fromkeys(EXCLUSIVE, 1.0), "opted_out": 1.0, "wrong_type": 1.0}
    with hostile(world, **rates) as client:
        assert client.get(library_path).status_code == 404
    for earlier in list(EXCLUSIVE)[: list(EXCLUSIVE).index("html")]:
        del rates[earlier]
    with hostile(world, **rates) as client:
        answer = client.get(library_path)
        assert answer.content == spoiled.PAGE
        assert answer.headers["Content-Type"] == "text/html"
        assert "X-Robots-Tag" not in answer.headers


def test_faults_hit_photos_at_their_rate_and_the_same_ones_again(world: Path) -> None:
    library = PhotoLibrary(open_set(world))
    ids = open_set(world).manifest["id"]
    expected = {photo for photo in ids if Faults({"removed": 0.25}, 3).hits("removed", photo)}
    assert expected
    for _ in range(2):
        with hostile(world, 3, removed=0.25) as client:
            gone = {photo for row, photo in enumerate(ids) if client.get(library.path(row)).status_code == 410}
        assert gone == expected


def test_without_faults_answers_are_as_ever(world: Path) -> None:
    zero = dict.fromkeys(FAULTS, 0.0)
    library = PhotoLibrary(open_set(world))
    with hostile(world) as plain, hostile(world, **zero) as client:
        assert plain.rest().content == client.rest().content
        for row in range(20):
            answers = [one.get(library.path(row)) for one in (plain, client)]
            assert answers[0].content == answers[1].content == library.content(library.at(library.path(row)))
            assert {answer.headers["Content-Type"] for answer in answers} == {"image/png"}
        assert json.loads(plain.rest().content)["photos"]["total"] == len(plain.photos())


def test_a_process_of_its_own_serves_a_world_with_faults(world: Path) -> None:
    path = PhotoLibrary(open_set(world)).path(0)
    options = ["--world", str(world), "--fault", "all=0", "--fault", "removed=1", "--fault-seed", "3"]
    command = [sys.executable, "-m", "tests.pool.simulator.faulty_server", *options]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src:."}, stdout=-1) as process:
        try:
            assert process.stdout
            assert httpx.get(json.loads(process.stdout.readline())["url"] + path).status_code == 410
        finally:
            process.terminate()


def test_a_fault_that_is_none_is_one_line(world: Path) -> None:
    options = ["--world", str(world), "--fault", "removed=2"]
    command = [sys.executable, "-m", "tests.pool.simulator.faulty_server", *options]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": "src:."}, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "error: fault removed: its rate must lie between 0 and 1 (got 2.0)\n"
