"""Scraping: photos a second from one machine, without any delay on the other side.

What: 8,000 JPEGs of 256 x 256 pixels, about 30 kB each, that the simulator serves without delays or faults;
    (search) the whole stage: searches by the API, licence allow-list, download with its checks (opt-out headers,
    limits of bytes and pixels, a whole decode), the resumable spool, rate limits (on, but too high to be felt),
    shards with sha256, credits;
    (table) the same, given the list of the addresses (`scrape.endpoint: table`) instead of searching.
Against: img2dataset in its own environment, given the same list: no resizing or re-encoding, WebDataset shards,
    sha256, its opt-out headers on; of several counts of processes and threads the fastest is taken.
On: two cores that they share with the simulator, which is a process of its own. Each runs as a whole process,
    in turn, three times; figures are medians of the wall clock. Before a time counts, all images must be there.
    `again` is a second run over the finished first one: everything is whole, nothing is fetched.

Run it as `PYTHONPATH=src python -m benchmarks.scrape`; it builds img2dataset's environment with pip in a temporary
folder, or takes the program that `--img2dataset PATH` names. Its last output is committed beside it.
"""

import argparse
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from debugset.base.files import read_json
from debugset.base.machine import connections
from debugset.datasets.fashion_mnist import read_photographs
from debugset.images.sets import open_set, write_set
from debugset.pool.endpoint import open_source
from debugset.pool.flickr.photo_service import PhotoService
from debugset.pool.limits import Clock
from debugset.pool.params import ScrapeParams
from debugset.pool.scrape import Outs, scrape
from debugset.pool.simulator.library import IMAGE_HOST, PhotoLibrary
from debugset.pool.simulator.process import run_simulator, simulator_service

PHOTOS, SIDE, QUALITY, ROUNDS = 8_000, 256, 95, 3
CLASSES = ["beach", "city", "forest", "garden"]
YEARS = (2020, 2023)
LICENCE = 4  # CC BY 2.0
COUNTS = [(1, 8), (1, 16), (1, 64), (2, 8), (2, 16), (2, 64), (4, 16)]  # processes and threads of img2dataset


class Contender(NamedTuple):
    """A program that is timed: its command for a folder to write into, and how many images are there then."""

    name: str
    command: Callable[[Path], list[str]]
    images: Callable[[Path], int]


class Cost(NamedTuple):
    """What a run took: seconds of the wall clock, and of processors, children included."""

    wall: float
    processors: float


def main() -> None:
    """Time the contenders in turn and print the table; or be one of debugset's runs that it starts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--img2dataset", type=Path, help="its program; without, it is installed for the run")
    parser.add_argument("--photos", type=int, default=PHOTOS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--run", nargs=4, metavar=("SOURCE", "URL", "SCRATCH", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        source, url, *folders = arguments.run
        run_debugset(source, url, *map(Path, folders))
        return
    with tempfile.TemporaryDirectory() as scratch:
        compare(Path(scratch), arguments)


def compare(scratch: Path, arguments: argparse.Namespace) -> None:
    world = scratch / "world"
    write_world(world, arguments.photos)
    mean = open_set(world).manifest["size"].mean() / 1000
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {platform.machine()}, load average {load:.1f} at the start; "
          f"Python {platform.python_version()}; {arguments.photos:,} photos of {mean:.0f} kB")  # fmt: skip
    with run_simulator(world, result_cap=4000) as service:
        url = service.hosts.stand_ins[IMAGE_HOST]
        write_table(scratch, url)
        contenders = [debugset("search", url, scratch), debugset("table", url, scratch)]
        program = arguments.img2dataset or installed(scratch / "environment")
        if program is None:
            print("img2dataset could not be installed here; debugset alone")
        else:
            contenders.append(fastest_img2dataset(program, scratch, arguments.photos))
        run(contenders[0], scratch / "out", arguments.photos, new=True)  # the first search builds the simulator's index
        costs = {one.name: ([], []) for one in contenders}
        for _ in range(arguments.rounds):
            for one in contenders:
                for runs, new in zip(costs[one.name], (True, False), strict=True):
                    runs.append(run(one, scratch / "out", arguments.photos, new))
    tell(costs, arguments.photos)


def write_world(folder: Path, photos: int) -> None:
    """Distinct crops of scikit-image's photographs, mirrored and in varied light, with what Flickr says of photos."""
    random = np.random.default_rng(0)
    shown = list(read_photographs().values())
    first, last = (int(pd.Timestamp(year, 1, 1).timestamp()) for year in (YEARS[0], YEARS[1] + 1))
    uploaded = np.sort(random.integers(first, last, photos))

    def records() -> Iterator[tuple[dict, bytes]]:
        for number in range(photos):
            label = int(random.integers(len(CLASSES)))
            about = {"id": str(5_000_000_000 + number), "label": label, "shard": "world.tar", "extension": "jpg"}
            about |= {"width": SIDE, "height": SIDE, "uploaded": int(uploaded[number]), "licence": LICENCE}
            about |= {"owner": f"{number % 500}@N00", "owner_name": f"Owner {number % 500}"}
            about |= {"title": f"{CLASSES[label]} {number}", "tags": "travel", "secret": f"{number:06x}"}
            yield about | {"server": "65535"}, _crop(shown[int(random.integers(len(shown)))], random)

    folder.mkdir(parents=True)
    write_set(folder, records(), CLASSES)


def _crop(photograph: np.ndarray, random: np.random.Generator) -> bytes:
    height, width = photograph.shape[:2]
    side = int(random.integers(SIDE * 3 // 4, min(height, width)))
    top, left = int(random.integers(height - side)), int(random.integers(width - side))
    crop = photograph[top : top + side, left : left + side, :: random.choice([-1, 1])]
    light = np.clip(crop * random.uniform(0.7, 1.2, 3), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(light).resize((SIDE, SIDE)).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def write_table(scratch: Path, url: str) -> None:
    """The addresses of all photos at the simulator, for debugset's table and for img2dataset."""
    world = open_set(scratch / "world")
    library, photos = PhotoLibrary(world), world.manifest
    addresses = [f"{url}{library.path(row)}" for row in range(len(photos))]
    table = pd.DataFrame({"id": photos["id"], "url": addresses, "class": [CLASSES[label] for label in photos["label"]]})
    (scratch / "sources").mkdir()
    table.assign(licence=photos["licence"]).to_csv(scratch / "sources" / "photos.csv", index=False)
    table[["url"]].to_parquet(scratch / "addresses.parquet", index=False)


def debugset(source: str, url: str, scratch: Path) -> Contender:
    """This project's scrape of a source."""

    def command(out: Path) -> list[str]:
        return [sys.executable, "-m", "benchmarks.scrape", "--run", source, url, str(scratch), str(out)]

    return Contender(f"debugset, {source}", command, lambda out: read_json(out / "scrape.json")["packed"])


def run_debugset(source: str, url: str, scratch: Path, out: Path) -> None:
    """One scrape, as the stage does it, at a simulator that runs already."""
    os.environ |= {"DEBUGSET_SPOOL": str(out / "spool"), "DEBUGSET_FILES_PER_SECOND": "1000000"}
    params = ScrapeParams.model_validate({
        "endpoint": "simulator" if source == "search" else source, "shard": "year", "since": f"{YEARS[0]}-01-01",
        "snapshot": f"{YEARS[1]}-12-31", "queries": {name: [name] for name in CLASSES}, "result_cap": 4000,
        "per_query": None, "per_page": 500, "sizes": ["o", "k", "h", "l", "c", "z", "n"], "side": SIDE,
        "min_side": SIDE // 2, "max_bytes": 30_000_000, "max_pixels": 100_000_000, "licences": [LICENCE],
        "placeholders": [],
    })  # fmt: skip
    outs = Outs(out / "pool", out / "attribution", out / "scrape.json", out / "photos.parquet")
    if source == "search":
        service = simulator_service(url, scratch / "world")
        photos = PhotoService(params.queries, service, params, connections(), Clock())
        scrape(params, photos, CLASSES, outs)
        return
    with open_source(params, params.queries, CLASSES, scratch / "world", scratch / "sources") as photos:
        scrape(params, photos, CLASSES, outs)


def installed(environment: Path) -> Path | None:
    """img2dataset's program in an environment of its own, or None if that cannot be built."""
    try:
        subprocess.run([sys.executable, "-m", "venv", environment], check=True, capture_output=True)
        pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "img2dataset"]
        subprocess.run(pip, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"img2dataset: {error}; {getattr(error, 'stderr', b'')[-300:]!r}")
        return None
    return environment / "bin" / "img2dataset"


def fastest_img2dataset(program: Path, scratch: Path, photos: int) -> Contender:
    """img2dataset with the counts of processes and threads that are the fastest here."""
    version = subprocess.run(
        [program.with_name("python"), "-c", "from importlib.metadata import version as v; print(v('img2dataset'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    tried = {}
    for processes, threads in COUNTS:
        one = img2dataset(program, version, scratch, photos, processes, threads)
        tried[one] = run(one, scratch / "out", photos, new=True).wall
        print(f"  {one.name}: {photos / tried[one]:.0f} photos/s")
    return min(tried, key=lambda one: tried[one])


def img2dataset(program: Path, version: str, scratch: Path, photos: int, processes: int, threads: int) -> Contender:
    def command(out: Path) -> list[str]:
        options = {
            "url_list": scratch / "addresses.parquet", "input_format": "parquet", "url_col": "url",
            "output_folder": out / "shards", "output_format": "webdataset", "resize_mode": "no",
            "skip_reencode": True, "compute_hash": "sha256", "processes_count": processes, "thread_count": threads,
            "number_sample_per_shard": -(-photos // processes), "enable_wandb": False,
        }  # fmt: skip
        return [str(program), *(f"--{name}={value}" for name, value in options.items())]

    def images(out: Path) -> int:
        return sum(json.loads(path.read_text())["successes"] for path in (out / "shards").glob("*_stats.json"))

    return Contender(f"img2dataset {version}, {processes} x {threads} threads", command, images)


def run(one: Contender, out: Path, photos: int, new: bool) -> Cost:
    """What a run costs: a new one into an empty folder, or another one over what lies there."""
    if new:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
    cost = timed(one.command(out), out.with_suffix(".log"))
    if (images := one.images(out)) != photos:
        raise SystemExit(f"{one.name}: {images} of {photos} images; {out.with_suffix('.log').read_text()[-2000:]}")
    return cost


def timed(command: list[str], log: Path) -> Cost:
    with log.open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}; {log.read_text()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def tell(costs: dict[str, tuple[list[Cost], list[Cost]]], photos: int) -> None:
    """Print medians; ratios to the last contender, as it is and as if its start and end had cost nothing."""
    medians = {name: [statistics.median(cost.wall for cost in run) for run in runs] for name, runs in costs.items()}
    *_, (base, base_again) = medians.values()
    for name, (wall, again) in medians.items():
        spread = ", ".join(f"{cost.wall:.1f}" for cost in costs[name][0])
        processors = statistics.median(cost.processors for cost in costs[name][0])
        print(f"{name:40} {photos / wall:6.0f} photos/s  ({spread} s; {processors:.1f} s of processors; again "
              f"{again:.1f} s)  {base / wall:.2f} x; {(base - base_again) / wall:.2f} x")  # fmt: skip
    print(f"x: of {name}, as a whole; then as if what its second run takes had cost it nothing")


if __name__ == "__main__":
    main()
