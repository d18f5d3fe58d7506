import os
import select
import subprocess
import sys
from pathlib import Path

import httpx
import pandas as pd
import pytest

from debugset.images.sets import open_set
from debugset.pool.flickr.service import Service
from debugset.pool.simulator.process import run_simulator
from tests.pool.worlds import CAP


def call(service: Service, **arguments: object) -> dict:
    asked = {
        "method": "flickr.photos.search",
        "format": "json",
        "nojsoncallback": 1,
        "api_key": "k",
        **arguments,
    }
    answer = httpx.post(service.rest_url, data={name: value for name, value in asked.items() if value is not None})
    assert answer.status_code == 200
    return answer.json()


def test_a_search_has_flickrs_wire_format(service: Service, photos: pd.DataFrame) -> None:
    extras = "date_upload,license,owner_name,tags,url_o,url_z"
    answer = call(service, text="shirt", sort="date-posted-asc", extras=extras, per_page=5, page=2)
    total = len(photos[photos["title"].str.contains("shirt") | photos["tags"].str.contains("shirt")])
    assert answer["stat"] == "ok"
    found = answer["photos"]
    assert (found["page"], found["perpage"], found["total"], found["pages"]) == (2, 5, total, -(-total // 5))
    photo = found["photo"][0]
    row = photos.set_index("id").loc[photo["id"]]
    assert photo["url_o"].startswith(f"https://live.staticflickr.com/65535/{photo['id']}_{row['secret']}_o.")
    assert (photo["width_o"], photo["height_o"]) == (row["width"], row["height"])
    assert (photo["license"], photo["dateupload"]) == (str(row["licence"]), str(row["uploaded"]))
    assert (photo["owner"], photo["ownername"], photo["tags"]) == (
        row["owner"],
        row["owner_name"],
        row["tags"],
    )
    assert not any(name.endswith("_z") for name in photo)  # only sizes that exist are listed


def test_fields_come_only_when_asked_for(service: Service) -> None:
    photo = call(service, text="shirt")["photos"]["photo"][0]
    assert set(photo) == {
        *("id", "owner", "secret", "server", "farm"),
        *("title", "ispublic", "isfriend", "isfamily"),
    }


def test_results_end_with_the_cap(service: Service) -> None:
    pages = [
        [photo["id"] for photo in call(service, text="shirt", per_page=5, page=page)["photos"]["photo"]]
        for page in (1, 2, 3, 4, 9)
    ]
    assert [len(page) for page in pages] == [5, 5, CAP - 10, 0, 0]
    assert len({photo for page in pages for photo in page}) == CAP


def test_order_and_upload_window(service: Service, photos: pd.DataFrame) -> None:
    uploaded = dict(zip(photos["id"], photos["uploaded"], strict=True))
    newest = [uploaded[photo["id"]] for photo in call(service, text="shirt")["photos"]["photo"]]
    oldest = [uploaded[photo["id"]] for photo in call(service, text="shirt", sort="date-posted-asc")["photos"]["photo"]]
    assert newest == sorted(newest, reverse=True)  # Flickr's default
    assert oldest == sorted(oldest)
    window = {"min_upload_date": oldest[2], "max_upload_date": oldest[4]}
    assert call(service, text="shirt", **window)["photos"]["total"] == 3  # both ends inclusive


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"api_key": None, "text": "shirt"}, 100),
        ({"text": ""}, 3),
        ({"text": "shirt", "format": "rest"}, 111),
        ({"text": "shirt", "method": "flickr.nothing"}, 112),
        ({"text": "shirt", "min_upload_date": "soon"}, 18),
    ],
)
def test_refusals_have_flickrs_fail_codes(service: Service, arguments: dict, code: int) -> None:
    answer = call(service, **arguments)
    assert (answer["stat"], answer["code"]) == ("fail", code)
    assert answer["message"]


def test_get_callback_and_licences(service: Service) -> None:
    asked = {"method": "flickr.photos.licenses.getInfo", "api_key": "k", "format": "json"}
    answer = httpx.get(service.rest_url, params=asked)
    assert answer.text.startswith("jsonFlickrApi({")
    named = httpx.get(service.rest_url, params={**asked, "nojsoncallback": "1"}).json()["licenses"]["license"]
    assert {"id": 4, "name": "CC BY 2.0", "url": "https://creativecommons.org/licenses/by/2.0/"} in named


def test_the_image_host_serves_files_as_they_are(service: Service, world: Path) -> None:
    host = service.hosts.stand_ins["live.staticflickr.com"]
    opened = open_set(world)
    broken = int((opened.manifest["planted"] == "broken").to_numpy().argmax())
    photo = opened.manifest.loc[broken]
    path = f"/{photo['server']}/{photo['id']}_{photo['secret']}_o.png"
    assert httpx.get(host + path).content == opened.read(broken)
    for wrong in (path.replace("_o.", "_z."), path.replace(photo["secret"], "beef"), "/1/2_3_o.png"):
        assert httpx.get(host + wrong).status_code == 404


PARENT = """
import os, signal, sys
from pathlib import Path
from debugset.pool.simulator import process
started = []
Popen = process.subprocess.Popen
process.subprocess.Popen = lambda *args, **options: started.append(Popen(*args, **options)) or started[0]
with process.run_simulator(Path(sys.argv[1]), 10):
    print(started[0].pid, flush=True)
    sys.stdin.read()
"""


def test_the_simulator_goes_with_a_parent_that_is_killed(world: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": "src:."}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(world)], stdin=-1, stdout=-1, env=environment)
    assert parent.stdin and parent.stdout
    simulator = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    gone, _, _ = select.select([simulator], [], [], 20)  # readable when the process has ended
    os.close(simulator)
    assert gone


def test_a_simulator_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="did not start"), run_simulator(tmp_path, 10):
        pass
