import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from debugset.images.sets import open_set
from debugset.pool.deliveries.table import Table
from debugset.pool.hosts import Hosts, open_web
from debugset.pool.spool import Spool
from tests.pool.deliveries.samples import image, pack
from tests.pool.runs import Rushed
from tests.pool.worlds import CLASSES, Requests, scrape_params, second, serving

pytestmark = pytest.mark.usefixtures("own_spool")
HOST = "https://photos.example"
HEADER = "url,class,id,title,tags,licence,owner,owner_name,page,uploaded,query\n"


def put(root: Path, name: str, text: str) -> Path:
    (root / "sources").mkdir(exist_ok=True)
    (root / "sources" / name).write_text(text, encoding="utf-8")
    return root / "sources"


def open_table(sources: Path, hosts: Hosts | None = None, **changes: object) -> Table:
    params = scrape_params(**{"licences": [4, 9, "unknown"], **changes})
    return Table(sources, ["bag", "boot"], CLASSES, params, hosts or open_web(), 2, Rushed())


def found(sources: Path, root: Path, **changes: object) -> pd.DataFrame:
    with Spool(root / "table.sqlite") as spool:
        return open_table(sources, **changes).find(spool).hits


@pytest.fixture
def network(requests: Requests) -> Iterator[Hosts]:
    """A host of images ``/<number>.jpg``, with 404 for numbers from 90."""

    async def answer(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        return web.Response(body=image(number), content_type="image/jpeg", status=404 if number >= 90 else 200)

    app = web.Application(middlewares=[requests.note])
    app.router.add_get(r"/{number:\d+}.jpg", answer)
    with serving(app) as url:
        yield open_web()._replace(stand_ins={"photos.example": url})


def test_each_row_is_a_photo_with_what_it_states(tmp_path: Path) -> None:
    sources = put(
        tmp_path,
        "first.csv",
        "\ufeff" + HEADER
        + f'{HOST}/1.jpg,bag,one.1,"Ann\'s bag, new",leather,4,a@N00,Ann,https://photos.example/page,2018-03-01,handbag\n'
        + f" {HOST}/2.jpg , boot ,,,,,,,,,\n"
        + "\n"
        + f"{HOST}/3.jpg,boot,three,,,0,,,,{second(2019)},\n",
    )  # fmt: skip
    photos = found(sources, tmp_path)
    assert photos.to_dict("records") == [
        {
            "id": "one.1",
            "class_name": "bag",
            "query": "handbag",
            "shard": "first",
            "title": "Ann's bag, new",
            "tags": "leather",
            "licence": 4,
            "owner": "a@N00",
            "owner_name": "Ann",
            "uploaded": second(2018, 3),
            "page": "https://photos.example/page",
            "urls": (f"{HOST}/1.jpg",),
            "fault": "",
        },
        {
            "id": sha256(f"{HOST}/2.jpg".encode()).hexdigest()[:16],
            "class_name": "boot",
            "query": "",
            "shard": "first",
            "title": "",
            "tags": "",
            "licence": -1,
            "owner": "",
            "owner_name": "",
            "uploaded": 0,
            "page": f"{HOST}/2.jpg",
            "urls": (f"{HOST}/2.jpg",),
            "fault": "",
        },
        {**photos.iloc[2].to_dict(), "id": "three", "uploaded": second(2019), "fault": "licence"},
    ]
    assert list(found(sources, tmp_path, licences=[0])["fault"]) == ["licence", "licence", ""]


def test_a_parquet_table_says_the_same_as_its_csv(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "url": [f"{HOST}/1.jpg", f"{HOST}/2.jpg", f"{HOST}/3.jpg"],
            "class": ["bag", "boot", "bag"],
            "id": [7, 8, 9],
            "licence": [4, None, 9],  # a gap makes pandas write 4.0
            "uploaded": [datetime(2018, 3, 1, tzinfo=UTC), None, datetime(2019, 5, 1, 12, tzinfo=UTC)],
            "embedding": [[1.0], [2.0], [3.0]],
        }
    )
    for folder in ("a", "b"):
        (tmp_path / folder / "sources").mkdir(parents=True)
    table.to_parquet(tmp_path / "a" / "sources" / "one.parquet")
    table.drop(columns="embedding").to_csv(tmp_path / "b" / "sources" / "one.csv", index=False)
    tables = [found(tmp_path / folder / "sources", tmp_path) for folder in ("a", "b")]
    pd.testing.assert_frame_equal(*tables)
    assert list(tables[0]["licence"]) == [4, -1, 9]
    assert list(tables[0]["uploaded"]) == [second(2018, 3), 0, second(2019, 5) + 12 * 3600]
    assert list(tables[0]["id"]) == ["7", "8", "9"]


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_from_greenwich")
def test_other_classes_and_other_dates_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    dates = ["2017-12-31T23:59:59Z", "2018-01-01", "2019-12-31T23:59:59", "2020-01-01T00:00:00+00:00", ""]
    rows = [f"{HOST}/{number}.jpg,bag,{number},{day}\n" for number, day in enumerate(dates)]
    sources = put(tmp_path, "one.csv", "url,class,id,uploaded\n" + "".join(rows) + f"{HOST}/9.jpg,shirt,9,\n")
    assert list(found(sources, tmp_path)["id"]) == ["1", "2", "4"]
    said = capsys.readouterr().out
    assert "sources/one.csv: rows of classes that are not debugged passed over: 1" in said
    assert "sources/one.csv: rows uploaded before scrape.since or after scrape.snapshot passed over: 2" in said
    assert list(found(sources, tmp_path, since=date(2017, 1, 1), snapshot=date(2020, 12, 31))["id"]) == list("01234")


def test_tables_are_fetched_packed_and_grow_by_deliveries(tmp_path: Path, network: Hosts, requests: Requests) -> None:
    licences = {"licences": [4, 9, "unknown"]}
    rows = [f"{HOST}/{number}.jpg,{'bag' if number % 2 else 'boot'},{number}\n" for number in (1, 2, 3, 95)]
    sources = put(tmp_path, "2024-05.csv", "url,class,id\n" + "".join(rows) + f"{HOST}/2.jpg,bag,2\n")
    photos = pack(open_table(sources, network), tmp_path / "before", **licences)
    assert photos["fault"].to_dict() == {"1": "", "2": "cross_class", "3": "", "95": "gone"}
    assert sorted(requests.images) == ["/1.jpg", "/3.jpg", "/95.jpg"]
    assert open_set(tmp_path / "before" / "pool").read(0)[:3] == b"\xff\xd8\xff"

    requests.images.clear()
    put(tmp_path, "2024-06.csv", f"url,class,id\n{HOST}/7.jpg,boot,3\n{HOST}/4.jpg,boot,4\n{HOST}/1.jpg,bag,again\n")
    photos = pack(open_table(sources, network), tmp_path / "after", **licences)
    assert photos["fault"].to_dict() == {
        "1": "",
        "2": "cross_class",
        "3": "",
        "95": "gone",
        "4": "",
        "again": "duplicate",
    }
    assert requests.images == ["/4.jpg"]
    shards = [(tmp_path / when / "pool" / "2024-05.tar").read_bytes() for when in ("before", "after")]
    assert shards[0] == shards[1]
    manifest = open_set(tmp_path / "after" / "pool").manifest
    assert dict(zip(manifest["id"], manifest["shard"], strict=True)) == {
        "1": "2024-05.tar",
        "3": "2024-05.tar",
        "4": "2024-06.tar",
    }
    assert set(manifest["url"]) == {f"{HOST}/{number}.jpg" for number in (1, 3, 4)}


def refused(sources: Path, root: Path) -> str:
    with pytest.raises(ValueError) as error:
        found(sources, root)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("bag,,", "row 2: url '' is no web address; begin it with https:// or http://"),
        ("http://[bad,bag,,", "row 2: url 'http://[bad' is no web address"),
        ("https:///2.jpg,bag,,", "row 2: url 'https:///2.jpg' is no web address"),
        ("file:///etc/passwd,bag,,", "row 2: url 'file:///etc/passwd' is no web address"),
        (f"{HOST}/2.jpg,bags,,", "row 2: 'bags' is not a class; choose from bag, boot, shirt"),
        (f"{HOST}/2.jpg,,,", "row 2: '' is not a class"),
        (f"{HOST}/2.jpg,bag,a/b,", "row 2: id: 'a/b' is no name; use 1 to 80 of the characters A-Z a-z 0-9 . _ -"),
        (f"{HOST}/2.jpg,bag,1,", f"row 2: the id '1' stands for {HOST}/1.jpg too; keep one address"),
        (f"{HOST}/2.jpg,bag,2,CC-BY", "row 2: licence 'CC-BY' is no id of Flickr's"),
        (f"{HOST}/2.jpg,bag,2,99", "row 2: licence '99' is no id of Flickr's"),
        (f"{HOST}/2.jpg,bag,2,{'9' * 5000}", "' is no id of Flickr's"),  # more digits than int() takes
        (f"{HOST}/2.jpg,bag", "no table can be read (row 2 has 2 cells, the header 4); write it again"),
        (f'{HOST}/2.jpg,bag,2,"', "no table can be read (unexpected end of data); write it again"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_in_one_line(tmp_path: Path, rows: str, said: str) -> None:
    rows = f",{rows}" if rows.startswith("bag") else rows
    sources = put(tmp_path, "one.csv", f"url,class,id,licence\n{HOST}/1.jpg,bag,1,4\n{rows}\n")
    assert said in refused(sources, tmp_path)
    assert refused(sources, tmp_path).startswith("sources/one.csv: ")


def test_what_is_wrong_with_a_table_is_said_in_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path / "sources", tmp_path) == (
        "sources: holds no table (.csv or .parquet); put it there, or choose another scrape.endpoint"
    )
    sources = put(tmp_path, "one.csv", f"url,label\n{HOST}/1.jpg,bag\n")
    assert refused(sources, tmp_path) == "sources/one.csv: the column `class` is missing; add it"
    put(tmp_path, "one.csv", "")
    assert refused(sources, tmp_path) == "sources/one.csv: the column `url` is missing; add it"
    put(tmp_path, "one.csv", f"url,class,id,class\n{HOST}/1.jpg,bag,1,boot\n")
    assert refused(sources, tmp_path) == "sources/one.csv: the column `class` is there twice; keep one"
    put(tmp_path, "one.csv", f"url,class,uploaded\n{HOST}/1.jpg,bag,{'1' * 5000}\n")
    assert refused(sources, tmp_path).startswith("sources/one.csv: row 1: uploaded '111")
    put(tmp_path, "one.csv", f"url,class,uploaded\n{HOST}/1.jpg,bag,last week\n")
    assert "row 1: uploaded 'last week' is no time; write unix seconds or an ISO date" in refused(sources, tmp_path)
    (sources / "one.csv").write_bytes(f"url,class\n{HOST}/1.jpg,b\xe4g\n".encode("latin-1"))
    assert refused(sources, tmp_path).startswith("sources/one.csv: no table can be read ('utf-8' codec")
    put(tmp_path, "one.parquet", "no parquet")
    assert refused(sources, tmp_path) == "sources: one.csv and one.parquet are one name; rename the later delivery"
    (sources / "one.csv").unlink()
    assert refused(sources, tmp_path).startswith("sources/one.parquet: no table can be read (Parquet magic bytes")
    columns = [[f"{HOST}/1.jpg"], ["bag"], [f"{HOST}/2.jpg"]]
    pq.write_table(pa.table(columns, names=["url", "class", "url"]), sources / "one.parquet")
    assert refused(sources, tmp_path) == "sources/one.parquet: the column `url` is there twice; keep one"


def test_no_cell_holds_what_a_page_cannot(tmp_path: Path) -> None:
    sources = put(tmp_path, "one.csv", f"url,class,title\n{HOST}/1.jpg,bag,my\0 bag\n")
    assert list(found(sources, tmp_path)["title"]) == ["my? bag"]
