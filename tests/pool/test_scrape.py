import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from aiohttp import web

from debugset.files import read_json
from debugset.images.sets import open_set
from debugset.machine import spool_folder
from debugset.pool.scrape import Outs, scrape
from debugset.pool.service import Service
from debugset.pool.spool import Spool
from stages import run
from stages.scrape import main
from tests.pool.test_library import naive_search
from tests.pool.worlds import CLASSES, QUERIES, Requests, scrape_params, scrape_section, second

TRUTH = ["true_label", "context", "planted", "copy_of"]


def outs(folder: Path) -> Outs:
    return Outs(folder / "pool", folder / "attribution.parquet", folder / "scrape.json")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _own_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "spool"))


@pytest.fixture
def run_scrape(service: Service, photos: pd.DataFrame) -> Callable:
    def run_scrape(folder: Path, **changes: object) -> dict[str, bytes]:
        truth = photos.set_index("id")[TRUTH]
        scrape(scrape_params(**changes), QUERIES, CLASSES, service, outs(folder), truth)
        return files(folder)

    return run_scrape


def expected_labels(photos: pd.DataFrame, last: int, licences: list[int] | None = None) -> dict[str, int]:
    """By looking at every photo: what the queries of exactly one class find, decodable and large enough."""
    classes: dict[str, set[str]] = {}
    for name, texts in QUERIES.items():
        for text in texts:
            for photo in naive_search(photos, [text.strip('"')], licences, second(2018), last):
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


@pytest.mark.parametrize("licences", [None, [4, 9]])
def test_the_pool_holds_every_photo_that_one_class_finds(
    run_scrape: Callable, photos: pd.DataFrame, world: Path, tmp_path: Path, licences: list[int] | None
) -> None:
    run_scrape(tmp_path / "out", licences=licences)
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
    assert set(report["rejected"]) == {"undecodable", "too_small"}
    assert report["downloaded"] == report["packed"] + report["rejected"]["undecodable"]
    assert report["lost_to_cap"] == 0
    assert report["asked"] == {"classes": 3, "queries": 5}
    for name, counts in report["by_class"].items():
        assert counts["bisections"] > 0, name  # no search gave all at once
        assert set(counts["queries"]) == set(QUERIES[name])
    shirts = naive_search(photos, ["shirt"], None, second(2018), second(2020) - 1)
    assert report["by_class"]["shirt"]["queries"] == {"shirt": len(shirts)}
    assert report["by_class"]["shirt"]["found"] == len(shirts)


def test_attribution_names_maker_and_licence_of_every_photo(run_scrape: Callable, tmp_path: Path) -> None:
    run_scrape(tmp_path)
    attribution = pd.read_parquet(tmp_path / "attribution.parquet")
    pool = open_set(tmp_path / "pool").manifest
    for name in ("id", "sha256", "owner", "owner_name", "title", "url", "uploaded"):
        assert attribution[name].tolist() == pool[name].tolist()
    photo = attribution[attribution["licence"] == 4].iloc[0]
    assert photo["page"] == f"https://www.flickr.com/photos/{photo['owner']}/{photo['id']}"
    assert (photo["licence_name"], photo["licence_link"]) == (
        "CC BY 2.0",
        "https://creativecommons.org/licenses/by/2.0/",
    )


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
    assert set(later) - set(earlier) == {"pool/2020.tar"}
    for shard in ("pool/2018.tar", "pool/2019.tar"):
        assert later[shard] == earlier[shard]
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
    monkeypatch.setenv("DEBUGSET_CONNECTIONS", "1")
    assert run_scrape(tmp_path / "fresh", snapshot="2020-12-31") == grown


KILLED = """
import json, os, signal, sys
from pathlib import Path
import pandas as pd
from debugset.images.sets import open_set
from debugset.pool import scrape as module
from debugset.pool.params import ScrapeParams
from debugset.pool.service import simulated_service
from debugset.pool.spool import Spool

url, world, folder, section, pack_limit = sys.argv[1:]
section, folder = json.loads(section), Path(folder)
given, content = [], Spool.content
def limited(self, url):
    given.append(url)
    if len(given) > int(pack_limit):
        os.kill(os.getpid(), signal.SIGKILL)
    return content(self, url)
Spool.content = limited
truth = open_set(world).manifest.set_index("id")[["true_label", "context", "planted", "copy_of"]]
outs = module.Outs(folder / "pool", folder / "attribution.parquet", folder / "scrape.json")
print("ready", flush=True)
module.scrape(ScrapeParams.model_validate(section), section["queries"], ["bag", "boot", "shirt"],
              simulated_service(url, Path(world)), outs, truth)
"""


def test_a_run_killed_while_searching_downloading_or_packing_goes_on_where_it_was(
    run_scrape: Callable,
    service: Service,
    requests: Requests,
    world: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturbed = run_scrape(tmp_path / "undisturbed")
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "second spool"))
    folder = tmp_path / "out"
    url = service.hosts["live.staticflickr.com"]
    command = [sys.executable, "-c", KILLED, url, str(world), str(folder), json.dumps(scrape_section()), "30"]

    def killed_at(enough: Callable[[], bool]) -> None:
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src"})

        def kill(request: web.Request) -> None:
            if enough():
                process.kill()

        requests.before = kill
        assert process.wait(60) == -signal.SIGKILL
        requests.before = None

    requests.searches.clear(), requests.images.clear()
    whole: set[str] = set()
    for enough in (lambda: len(requests.searches) >= 20, lambda: len(requests.images) >= 50, lambda: False):
        killed_at(enough)
        assert not whole & set(requests.images)  # nothing that was whole is fetched again
        whole |= spooled(service, requests.images)
        requests.images.clear()
    searches = len(requests.searches)
    run_scrape(folder)
    assert len(requests.searches) == searches
    assert requests.images == []  # the last kill was while packing
    assert {name: content for name, content in files(folder).items() if ".tmp" not in name} == undisturbed


def spooled(service: Service, paths: list[str]) -> set[str]:
    with Spool(spool_folder() / "scrape" / f"{service.name}.sqlite") as spool:
        return {path for path in paths if spool.file(f"https://live.staticflickr.com{path}")}


def test_a_class_that_does_not_exist_is_named(service: Service, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'hat' is not a class"):
        scrape(scrape_params(), {"hat": ["hat"]}, CLASSES, service, outs(tmp_path))


def test_nothing_found_is_an_error(service: Service, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found no photo"):
        scrape(scrape_params(), {"bag": ["unheard"]}, CLASSES, service, outs(tmp_path))


def test_a_service_that_goes_down_leaves_a_spool_to_go_on_with(
    run_scrape: Callable, requests: Requests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGSET_CONNECTIONS", "1")

    def down(request: web.Request) -> web.Response | None:
        return web.Response(status=503) if len(requests.searches) > 30 else None

    requests.before = down
    with pytest.raises(OSError, match="run again"):
        run_scrape(tmp_path)
    requests.before = None
    windows = [upload_window(search) for search in requests.searches]
    requests.searches.clear()
    run_scrape(tmp_path)
    again = {upload_window(search) for search in requests.searches}
    assert again & set(windows[:31]) <= {windows[30]}  # only the window that was not whole


def upload_window(search: dict[str, str]) -> tuple[str, ...]:
    return search["text"], search["min_upload_date"], search["max_upload_date"]


@pytest.fixture
def checkout(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "world").symlink_to(world)
    sections = {"scrape": scrape_section(), "errors": {"classes": ["bag", "shirt"]}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(sections))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_stage_asks_the_debug_classes_only(checkout: Path) -> None:
    main()
    pool = open_set("data/pool")
    assert set(pool.labels) == {CLASSES.index("bag"), CLASSES.index("shirt")}
    assert set(TRUTH) <= set(pool.manifest.columns)
    assert read_json(Path("data/scrape.json"))["asked"]["classes"] == 2
    assert len(pd.read_parquet("data/attribution.parquet")) == len(pool)
    assert not [name for name in files(Path("data")) if ".tmp" in name]


def test_flickr_without_a_key_is_one_line(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)
    params = checkout / "params.yaml"
    params.write_text(params.read_text().replace("endpoint: simulator", "endpoint: flickr"))
    with pytest.raises(SystemExit, match="error: FLICKR_API_KEY: not set"):
        run(main)
    assert not (checkout / "data" / "pool").exists()


def test_the_key_is_in_no_out_and_not_in_the_spool(
    service: Service, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    key, secret = "f00f00f00f00f00f", "5ec5ec5ec5ec"
    keyed = Service(service.name, service.rest_url, service.hosts, key, secret)
    scrape(scrape_params(), QUERIES, CLASSES, keyed, outs(tmp_path / "out"))
    written = b"".join(files(tmp_path).values()) + "".join(capfd.readouterr()).encode()
    assert b"handbag" in written
    assert key.encode() not in written
    assert secret.encode() not in written
