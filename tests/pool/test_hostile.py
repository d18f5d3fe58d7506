"""Against every fault alone, and all together, the pool is exactly what it should be."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import stamina
from PIL import ExifTags, Image

from debugset.base.files import read_json
from debugset.images.sets import open_set, write_set
from debugset.pool.files import fetch
from debugset.pool.files.content import inspect
from debugset.pool.flickr import client
from debugset.pool.flickr.service import Service
from debugset.pool.params import ScrapeParams
from debugset.pool.simulator.library import Address, PhotoLibrary
from debugset.pool.simulator.process import simulator_service
from tests.pool import runs
from tests.pool.simulator.faults import FAULTS, MOST_FAILURES, Faults
from tests.pool.simulator.faulty_server import FaultySimulator, faulty_application, missing_sizes
from tests.pool.simulator.spoiled import PLACEHOLDER_SHA256
from tests.pool.simulator.test_library import naive_search
from tests.pool.worlds import CLASSES, QUERIES, TITLES, Requests, png, scrape_params, second, serving

SEEDS = range(5)
ALONE = [name for name in FAULTS if name != "invalid_key"]
RATES = dict.fromkeys(ALONE, 0.35) | {"slow": 0.08}
SLOW, PATIENCE = 1.0, 0.3  # seconds: a slow answer takes longer than the client waits
SIDE = 330  # the originals have a smaller size besides them, n
WINDOW = second(2018), second(2019) - 1
CAP = 12
SIZES = {"sizes": ["o", "n"], "side": 300, "min_side": 200}
KNOWN = {"licences": [4, 9], "placeholders": [PLACEHOLDER_SHA256]}
PARAMS = scrape_params(per_page=6, result_cap=CAP, snapshot="2018-12-31", **KNOWN, **SIZES)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 photos of two years, every other one with another size; some upload seconds are crowded."""
    random = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("hostile") / "world"
    folder.mkdir()

    def records() -> Iterator[tuple[dict, bytes]]:
        for number in range(90):
            label = int(random.integers(3))
            side = SIDE if number % 2 else 240
            crowded = second(2018, 5) + int(random.integers(2))
            yield (
                {"id": str(1000 + 7 * number), "label": label, "shard": "world.tar", "width": side, "height": side}
                | {"title": TITLES[CLASSES[label]][int(random.integers(3))], "tags": "shirt" * (number % 31 == 0)}
                | {"uploaded": crowded if number % 4 == 0 else int(random.integers(second(2018), second(2020)))}
                | {"owner": f"{number % 9}@N00", "owner_name": "Ann", "licence": (0, 4, 9)[number % 3]}
                | {"true_label": label, "context": "grass", "planted": "", "copy_of": ""}
                | {"secret": f"{number:06x}", "server": "65535"},
                png(number * 40, side) if number % 17 else png(number * 40, side)[:90],
            )

    write_set(folder, records(), CLASSES)
    return folder


def listed(library: PhotoLibrary, faults: Faults, address: Address) -> list[Address]:
    """The sizes a search lists of a photo, in the order in which they are wished."""
    gone = missing_sizes(faults, address.photo)
    lengths = {size: library.lengths(address.row, size) for size in PARAMS.sizes if size not in gone}
    sides = {size: min(sides) for size, sides in lengths.items() if sides and min(sides) >= PARAMS.min_side}
    enough = sorted((size for size in sides if sides[size] >= PARAMS.side), key=lambda size: sides[size])
    smaller = sorted((size for size in sides if sides[size] < PARAMS.side), key=lambda size: -sides[size])
    return [address._replace(size=size) for size in (*enough, *smaller)]


def expected(world: Path, faults: Faults, params: ScrapeParams) -> dict[str, tuple[int, str]]:
    """Photo -> label and SHA-256 of what is to be packed, by looking at every photo of the world."""
    photos = open_set(world).manifest
    library = PhotoLibrary(open_set(world))
    simulator = FaultySimulator(library, faults=faults)
    found = {
        name: {photo for text in texts for photo in naive_search(photos, [text.strip('"')], [4, 9], *WINDOW)}
        for name, texts in QUERIES.items()
    }
    packed: dict[str, tuple[int, str]] = {}
    digests = set()
    for photo in photos.sort_values(["uploaded", "id"]).itertuples():
        classes = [name for name in QUERIES if photo.id in found[name]]
        if len(classes) != 1 or faults.hits("opted_out", photo.id):
            continue
        for address in listed(library, faults, Address(photo.Index, photo.id, "o")):
            fault = simulator.fault(address)
            file = inspect(simulator.picture(address), params.max_pixels)
            if fault in ("", "original_gone") and file.status == "ok":
                if fault == "original_gone":
                    continue
                if min(file.width, file.height) >= params.min_side and file.sha256 not in digests:
                    digests.add(file.sha256)
                    packed[photo.id] = (CLASSES.index(*classes), file.sha256)
                break
    return packed


def scraped(service: Service, world: Path, folder: Path) -> dict[str, tuple[int, str]]:
    changes = PARAMS.model_dump(mode="json")
    runs.run(service, world, folder, **changes)
    pool = open_set(folder / "pool")
    manifest = pool.manifest
    for row in range(len(pool)):
        content = pool.read(row)
        assert hashlib.sha256(content).hexdigest() == manifest["sha256"][row]
        assert pool.image(row).size == (manifest["width"][row], manifest["height"][row])
        assert set(Image.open(io.BytesIO(content)).getexif()) <= {ExifTags.Base.Orientation}
    return {row.id: (row.label, row.sha256) for row in manifest.itertuples()}


@pytest.fixture(scope="module")
def clean(world: Path) -> dict[str, tuple[int, str]]:
    packed = expected(world, Faults({}), PARAMS)
    assert len(packed) > 15
    return packed


@pytest.fixture(autouse=True)
def _six_tries() -> None:
    assert MOST_FAILURES < 6
    stamina.set_testing(True, attempts=6)


@pytest.mark.parametrize("name", [*ALONE, "all together"])
def test_the_pool_is_exactly_what_it_should_be(
    name: str, world: Path, clean: dict[str, tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = dict.fromkeys(ALONE, 0.06) if name == "all together" else {name: RATES[name]}
    changed = given_up = 0
    if name == "slow":
        monkeypatch.setattr(fetch, "_TIMEOUT", aiohttp.ClientTimeout(sock_read=PATIENCE))
        monkeypatch.setattr(client, "_TIMEOUT", PATIENCE)
    for seed in SEEDS:
        faults = Faults(rates, seed)
        slow = SLOW if name == "slow" else 0.0
        folder = tmp_path / str(seed)
        monkeypatch.setenv("DEBUGSET_SPOOL", str(folder / "spool"))
        app = faulty_application(PhotoLibrary(open_set(world)), CAP, faults, slow=slow, huge=2 * PARAMS.max_bytes)
        requests = Requests()
        app.middlewares.append(requests.note)
        with serving(app) as url:
            right = expected(world, faults, PARAMS)
            assert scraped(simulator_service(url, world), world, folder) == right, f"seed {seed}"
        changed += right != clean
        given_up += len(requests.images) - len(set(requests.images))
        report = read_json(folder / "scrape.json")
        assert report["found"] == report["packed"] + report["cross_class_dropped"] + sum(report["rejected"].values())
    assert given_up > 0 or name != "slow"
    harmless = name in ("throttled", "retry_after", "server_error", "service_unavailable", "dropped", "slow")
    harmless |= name in ("wrong_total", "unstable_order", "repeated_rows", "stray_rows", "repeated_pages", "wrong_type")
    assert changed == 0 if harmless else changed == len(SEEDS)


def test_a_refused_key_ends_the_run_in_one_line_without_the_key(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "spool"))
    app = faulty_application(PhotoLibrary(open_set(world)), CAP, Faults({"invalid_key": 1.0}))
    with serving(app) as url:
        known = simulator_service(url, world)
        service = Service(known.name, known.rest_url, known.hosts, "k3y-k3y-k3y", "s3cret")
        with pytest.raises(ValueError, match="FLICKR_API_KEY: the service refused the key") as error:
            runs.run(service, world, tmp_path / "out")
    assert "k3y" not in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
