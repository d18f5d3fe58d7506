import logging
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from aiohttp import web

from debugset.base.command import run as run_stage
from debugset.base.files import read_json
from debugset.base.machine import spool_folder
from debugset.images.sets import open_set
from debugset.pool.flickr.client import Flickr
from debugset.pool.flickr.service import Service
from debugset.pool.scrape import scrape
from debugset.pool.spool import Spool
from debugset.pool.windows import Page
from stages.scrape import main, tell, unserved
from tests.pool import runs
from tests.pool.runs import TRUTH, files, outs
from tests.pool.simulator.test_library import naive_search
from tests.pool.worlds import CLASSES, QUERIES, Requests, scrape_params, scrape_section, second

pytestmark = pytest.mark.usefixtures("own_spool")


@pytest.fixture
def run_scrape(service: Service, world: Path) -> Callable:
    def run_scrape(folder: Path, **changes: object) -> dict[str, bytes]:
        return runs.run(service, world, folder, **changes)

    return run_scrape


def expected_labels(photos: pd.DataFrame, last: int, licences: tuple[int, ...] = (0, 4, 9)) -> dict[str, int]:
    """By looking at every photo: what the queries of exactly one class find, decodable and large enough."""
    classes: dict[str, set[str]] = {}
    for name, texts in QUERIES.items():
        for text in texts:
            for photo in naive_search(photos, [text.strip('"')], list(licences), second(2018), last):
                classes.setdefault(photo, set()).add(name)
    bad = set(photos["id"][photos["planted"].isin(["broken", "tiny"])])
    return {photo: CLASSES.index(*names) for photo, names in classes.items() if len(names) == 1 and photo not in bad}


def test_the_oldest_photos_of_each_query_are_taken(
    run_scrape: Callable, photos: pd.DataFrame, tmp_path: Path, requests: Requests
) -> None:
    run_scrape(tmp_path / "few", per_query=7)
    calls = len(requests.searches)
    report = read_json(tmp_path / "few" / "scrape.json")
    found = {text: n for one in report["by_class"].values() for text, n in one["queries"].items()}
    uploaded = photos.set_index("id")["uploaded"]
    taken = set()
    for texts in QUERIES.values():
        for text in texts:
            hits = naive_search(photos, [text.strip('"')], None, second(2018), second(2020) - 1)
            oldest = sorted(hits, key=lambda photo: (uploaded[photo], photo))[:7]
            assert found[text] == len(oldest)
            taken.update(oldest)
    assert set(open_set(tmp_path / "few" / "pool").ids) <= taken
    run_scrape(tmp_path / "all")
    assert len(requests.searches) - calls > 0  # windows that seven photos did not need


@pytest.mark.parametrize("licences", [(0, 4, 9), (4, 9)])
def test_the_pool_holds_every_photo_that_one_class_finds(
    run_scrape: Callable, photos: pd.DataFrame, world: Path, tmp_path: Path, licences: tuple[int, ...]
) -> None:
    run_scrape(tmp_path / "out", licences=list(licences))
    pool = open_set(tmp_path / "out" / "pool")
    expected = expected_labels(photos, second(2020) - 1, licences)
    assert dict(zip(pool.ids, pool.labels, strict=True)) == expected
    assert pool.classes == tuple(CLASSES)
    generated = open_set(world)
    rows = generated.rows_of(pool.ids).tolist()
    assert [pool.read(row) for row in range(len(pool))] == [generated.read(row) for row in rows]
    for name in ("title", "tags", "licence", "owner", "owner_name", "uploaded", *TRUTH):
        assert pool.manifest[name].tolist() == photos[name].iloc[rows].tolist(), name
    assert pool.manifest["url"].str.startswith("https://live.staticflickr.com/").all()
    years = pd.to_datetime(pool.manifest["uploaded"], unit="s").dt.year
    assert (pool.manifest["shard"] == years.astype(str) + ".tar").all()


def test_the_report_accounts_for_every_photo(run_scrape: Callable, photos: pd.DataFrame, tmp_path: Path) -> None:
    run_scrape(tmp_path)
    report = read_json(tmp_path / "scrape.json")
    assert report["found"] == report["packed"] + report["cross_class_dropped"] + sum(report["rejected"].values())
    assert report["packed"] == len(open_set(tmp_path / "pool")) == sum(report["shards"].values())
    assert report["cross_class_dropped"] > 0
    assert set(report["rejected"]) == {"truncated", "too_small"}
    assert report["lost_to_cap"] == 0
    assert report["repeated_files"] == {}
    assert report["asked"] == {"classes": 3, "queries": 5}
    for name, counts in report["by_class"].items():
        assert counts["bisections"] > 0, name  # no search gave all at once
        assert set(counts["queries"]) == set(QUERIES[name])
    shirts = naive_search(photos, ["shirt"], None, second(2018), second(2020) - 1)
    assert report["by_class"]["shirt"]["queries"] == {"shirt": len(shirts)}
    assert report["by_class"]["shirt"]["found"] == len(shirts)
    table = pd.read_parquet(tmp_path / "photos.parquet")
    assert len(table) == report["found"]
    assert table["fault"].value_counts().to_dict() == {
        "": report["packed"],
        "cross_class": report["cross_class_dropped"],
        **report["rejected"],
    }


def test_a_second_run_asks_nothing_and_gives_the_same_bytes(
    run_scrape: Callable, requests: Requests, tmp_path: Path
) -> None:
    first = run_scrape(tmp_path / "first")
    asked = len(requests.searches), len(requests.images)
    assert run_scrape(tmp_path / "second") == first
    assert (len(requests.searches), len(requests.images)) == asked


def test_a_later_snapshot_adds_shards_and_asks_only_for_them(
    run_scrape: Callable, requests: Requests, photos: pd.DataFrame, tmp_path: Path
) -> None:
    earlier = run_scrape(tmp_path / "earlier")
    searches, images = len(requests.searches), set(requests.images)
    later = run_scrape(tmp_path / "later", snapshot="2020-12-31")
    assert set(later) - set(earlier) == {"pool/2020.tar", "attribution/2020-1.html"}
    for shard in ("2018", "2019"):
        for name in (f"pool/{shard}.tar", f"attribution/{shard}-1.html"):
            assert later[name] == earlier[name]
    assert all(int(search["min_upload_date"]) >= second(2020) for search in requests.searches[searches:])
    assert not images & set(requests.images[len(images) :])
    pool, before = (open_set(tmp_path / name / "pool").manifest for name in ("later", "earlier"))
    pd.testing.assert_frame_equal(pool[pool["shard"] != "2020.tar"], before)
    assert dict(zip(pool["id"], pool["label"], strict=True)) == expected_labels(photos, second(2021) - 1)


def test_another_spool_without_history_gives_the_same_bytes(
    run_scrape: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_scrape(tmp_path / "earlier")
    grown = run_scrape(tmp_path / "grown", snapshot="2020-12-31")
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "elsewhere"))
    assert run_scrape(tmp_path / "fresh", snapshot="2020-12-31", connections=1) == grown


def test_a_forgotten_photo_is_not_fetched_nor_packed_nor_mentioned(
    run_scrape: Callable, photos: pd.DataFrame, requests: Requests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_scrape(tmp_path / "before")
    photo = open_set(tmp_path / "before" / "pool").ids[3]
    with Spool(next((spool_folder() / "scrape").glob("*.sqlite"))) as spool:
        assert spool.forget([photo])[photo] > 1
    requests.images.clear()
    after = run_scrape(tmp_path / "after", forgotten={photo})
    assert requests.images == []
    kept = set(open_set(tmp_path / "after" / "pool").ids)
    assert kept == set(open_set(tmp_path / "before" / "pool").ids) - {photo}
    assert read_json(tmp_path / "after" / "scrape.json")["forgotten"] == 1
    assert photo.encode() in b"".join(before.values())
    assert photo.encode() not in b"".join(after.values())
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "elsewhere"))  # the service still shows it
    assert run_scrape(tmp_path / "anew", forgotten={photo}) == after
    assert not any(photo in path for path in requests.images)
    assert spooled(photo) == {"id", "dateupload"}  # nor is what the searches said of it kept


def test_a_list_of_forgotten_photos_that_comes_from_elsewhere_cleans_the_spool(
    run_scrape: Callable, tmp_path: Path
) -> None:
    run_scrape(tmp_path / "before")
    photo = open_set(tmp_path / "before" / "pool").ids[3]
    assert "title" in spooled(photo)
    run_scrape(tmp_path / "after", forgotten={photo})
    assert spooled(photo) == {"id", "dateupload"}
    with Spool(next((spool_folder() / "scrape").glob("*.sqlite"))) as spool:
        assert photo not in {row[0] for row in spool.addresses()}


def spooled(photo: str) -> set[str]:
    """What the spool's search results tell of a photo."""
    told: set[str] = set()
    with Spool(next((spool_folder() / "scrape").glob("*.sqlite"))) as spool:
        for window in spool._rows("SELECT query, first, last FROM windows"):
            told.update(*(row.keys() for row in spool.photos(*window) or [] if row["id"] == photo))
    return told


def test_nothing_found_is_an_error(service: Service, world: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"scrape: found no photo; widen"):
        runs.run(service, world, tmp_path, since="2011-01-01", snapshot="2011-12-31")


def test_nothing_that_can_be_packed_is_an_error_that_counts_the_reasons(run_scrape: Callable, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of \d+ photos found can be packed \(.*too_small \d+"):
        run_scrape(tmp_path, min_side=300)
    assert not (tmp_path / "pool").exists()


def test_a_service_that_goes_down_leaves_a_spool_to_go_on_with(
    run_scrape: Callable, requests: Requests, tmp_path: Path
) -> None:
    def down(request: web.Request) -> web.Response | None:
        return web.Response(status=503) if len(requests.searches) > 30 else None

    requests.before = down
    with pytest.raises(OSError, match="run again"):
        run_scrape(tmp_path, connections=1)
    requests.before = None
    windows = [upload_window(search) for search in requests.searches]
    requests.searches.clear()
    run_scrape(tmp_path, connections=1)
    again = {upload_window(search) for search in requests.searches}
    assert again & set(windows[:31]) <= {windows[30]}  # only the window that was not whole


def upload_window(search: dict[str, str]) -> tuple[str, ...]:
    return search["text"], search["min_upload_date"], search["max_upload_date"]


def test_a_full_disk_while_packing_leaves_the_old_pool(
    run_scrape: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_scrape(tmp_path)

    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("debugset.pool.flickr.photo_service.PhotoService.content", full)
    with pytest.raises(OSError, match=r"pool: the disk is full; free some space, then run again"):
        run_scrape(tmp_path, snapshot="2020-12-31")
    assert files(tmp_path / "pool") == {
        name.removeprefix("pool/"): content for name, content in before.items() if name.startswith("pool/")
    }


@pytest.fixture
def checkout(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "world").symlink_to(world)
    sections = {"scrape": scrape_section(), "errors": {"classes": ["bag", "shirt"]}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(sections))
    (tmp_path / "forgotten.txt").write_text("# none\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_stage_asks_the_debug_classes_only(checkout: Path, capsys: pytest.CaptureFixture) -> None:
    main()
    pool = open_set("data/pool")
    assert set(pool.labels) == {CLASSES.index("bag"), CLASSES.index("shirt")}
    assert set(TRUTH) <= set(pool.manifest.columns)
    assert read_json(Path("data/scrape.json"))["asked"]["classes"] == 2
    assert len(pd.read_parquet("data/attribution/attribution.parquet")) == len(pool)
    assert not [name for name in files(Path("data")) if ".tmp" in name]
    told = capsys.readouterr().out
    assert f"{len(pool)} photos packed" in told
    assert "truncated: " in told


@pytest.mark.parametrize(
    ("queries", "lacking", "found"),
    [
        ({"shirt": QUERIES["shirt"]}, [], 0),
        ({"shirt": ["nowhere"]}, ["shirt"], 0),
        ({"boot": ["nowhere"], "shirt": ["at sea"]}, ["boot", "shirt"], 0),
        ({"boot": ["boot"], "shirt": ["boot -sea"]}, ["boot", "shirt"], None),
    ],
    ids=["all served", "a word that finds nothing", "two classes", "each finds the other's"],
)
def test_a_class_without_a_photo_is_told(
    checkout: Path, photos: pd.DataFrame, capsys: pytest.CaptureFixture, queries: dict, lacking: list, found: int | None
) -> None:
    queries = {"bag": QUERIES["bag"], **queries}
    sections = {"scrape": scrape_section(queries=queries), "errors": {"classes": list(queries)}}
    Path("params.yaml").write_text(yaml.safe_dump(sections))
    main()
    if found is None:
        found = len(naive_search(photos, ["boot"], [0, 4, 9], second(2018), second(2020) - 1))
        assert found
    told = [line for line in capsys.readouterr().out.splitlines() if "was packed" in line]
    assert told == [
        f"warning: no photo of {name} was packed, {found} were found, so nothing can be collected for it; widen "
        f"`scrape.queries.{name}`, or take it out of `errors.classes`"
        for name in lacking
    ]


@pytest.mark.parametrize(
    ("endpoint", "mend"),
    [
        ("flickr", "widen `scrape.queries.boot`"),
        ("table", "add rows of it to `sources`"),
        ("folder", "add photos of it to `sources`"),
        ("webdataset", "add photos of it to `sources`, widen `scrape.queries.boot`"),
    ],
)
def test_the_mend_of_a_class_without_a_photo_is_that_of_the_source(endpoint: str, mend: str) -> None:
    report = {"by_class": {"bag": {"found": 3, "packed": 3}, "boot": {"found": 2, "packed": 0}}}
    assert list(unserved(report, QUERIES | {"shirt": []}, endpoint))[:1] == [
        "warning: no photo of boot was packed, 2 were found, so nothing can be collected for it; "
        f"{mend}, or take it out of `errors.classes`"
    ]


def test_what_a_person_should_look_at_is_said(capsys: pytest.CaptureFixture) -> None:
    tell(
        {"packed": 9, "found": 12, "cross_class_dropped": 0, "rejected": {"gone": 1, "html": 2}, "lost_to_cap": 1500}
        | {"repeated_files": {"beef": 40}}
    )
    told = capsys.readouterr().out
    assert told.index("html: 2") < told.index("gone: 1")
    assert "warning: 1,500 photos are out of reach" in told
    assert "warning: 40 photos have the same file" in told
    assert "beef" in told


def test_a_class_that_does_not_exist_is_named(checkout: Path) -> None:
    params = {"scrape": scrape_section(queries={"hat": ["hat"]}), "errors": {"classes": ["hat"]}}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(SystemExit, match="'hat' is not a class; choose from bag, boot, shirt"):
        run_stage(main)


def test_flickr_without_a_key_is_one_line(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)
    params = checkout / "params.yaml"
    params.write_text(params.read_text().replace("endpoint: simulator", "endpoint: flickr"))
    with pytest.raises(SystemExit, match="error: FLICKR_API_KEY: not set"):
        run_stage(main)
    assert not (checkout / "data" / "pool").exists()


def test_the_key_is_in_no_out_no_spool_and_no_log(
    service: Service, world: Path, tmp_path: Path, capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    key, secret = "f00f00f00f00f00f", "5ec5ec5ec5ec"
    keyed = replace(service, key=key, secret=secret)
    caplog.set_level(logging.DEBUG)
    runs.run(keyed, world, tmp_path / "out")
    written = b"".join(files(tmp_path).values()) + "".join(capfd.readouterr()).encode() + caplog.text.encode()
    unpacked = "".join(pd.read_parquet(table).to_csv() for table in tmp_path.rglob("*.parquet"))
    (spool,) = tmp_path.rglob("*.sqlite")
    with closing(sqlite3.connect(spool)) as database:
        answers = database.execute("SELECT photos FROM windows WHERE photos IS NOT NULL").fetchall()
    unpacked += "".join(zlib.decompress(photos).decode() for (photos,) in answers)
    assert b"handbag" in written
    assert unpacked.count("Ann") > len(answers) > 0
    for hidden in (key, secret):
        assert hidden.encode() not in written
        assert hidden not in unpacked


def test_half_a_character_in_a_strangers_text_stops_nothing(
    service: Service, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, torn = Flickr.search, {"title": "a \ud83d", "tags": "\udc00", "owner": "1@\ud83d", "ownername": "An\0n"}

    def tear(self: Flickr, *arguments: Any) -> Page:
        page = search(self, *arguments)
        return page._replace(photos=[photo | torn for photo in page.photos])

    whole = runs.run(service, world, tmp_path / "whole")
    monkeypatch.setattr(Flickr, "search", tear)
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "torn"))
    written = runs.run(service, world, tmp_path / "out")
    assert written.keys() == whole.keys()
    manifest = open_set(tmp_path / "out" / "pool").manifest
    assert len(manifest) > 20
    for name, text in {"title": "a ?", "tags": "?", "owner": "1@?", "owner_name": "An?n"}.items():
        assert set(manifest[name]) == {text}


def test_scraping_a_source_of_ones_own_needs_only_its_three_methods(tmp_path: Path) -> None:
    from debugset.pool.source import Findings, Hit, hit_table
    from debugset.pool.spool import File
    from tests.pool.worlds import png

    class Two:
        name = "two"

        def find(self, spool: Spool) -> Findings:
            return Findings(hit_table(Hit(name, "bag", "", "a", licence=4, urls=(name,)) for name in "xy"))

        def fetch(self, downloads: object, spool: Spool) -> None:
            spool.save_file("x", "x", File("ok", 16, 16, 50, "png", "1"))
            spool.save_file("y", "y", File("gone"))

        def content(self, url: str, spool: Spool) -> bytes:
            return png(1)

    scrape(scrape_params(), Two(), CLASSES, outs(tmp_path))
    assert list(open_set(tmp_path / "pool").ids) == ["x"]
    assert read_json(tmp_path / "scrape.json")["rejected"] == {"gone": 1}
