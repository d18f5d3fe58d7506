import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
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
from debugset.pool.rights.forgotten import read_forgotten
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


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (f"{HOST}/1.jpg,bag,1\n", ["rows whose id an earlier table has passed over: 1 (1)"]),
        (
            f"{HOST}/8.jpg,boot,1\n{HOST}/9.jpg,bag,2\n",
            ["rows whose id stands for another address in an earlier table passed over: 2 (1, 2)"],
        ),
        (
            f"{HOST}/1.jpg,bag,1\n{HOST}/9.jpg,bag,2\n{HOST}/3.jpg,bag,3\n",
            [
                "rows whose id an earlier table has passed over: 1 (1)",
                "rows whose id stands for another address in an earlier table passed over: 1 (2)",
            ],
        ),
    ],
)
def test_ids_that_come_back_in_a_later_table_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture, later: str, told: list[str]
) -> None:
    put(tmp_path, "a.csv", f"url,class,id\n{HOST}/1.jpg,bag,1\n{HOST}/2.jpg,bag,2\n")
    sources = put(tmp_path, "b.csv", f"url,class,id\n{later}")
    found(sources, tmp_path)
    assert capsys.readouterr().out.splitlines() == [f"scrape: sources/b.csv: {line}" for line in told]


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
    assert refused(sources, tmp_path) == "sources/one.csv: the column `class` is missing beside url, label; add it"
    put(tmp_path, "one.csv", "")
    assert refused(sources, tmp_path) == "sources/one.csv: is empty; write a header and rows"
    put(tmp_path, "one.csv", f"url,class,id,class\n{HOST}/1.jpg,bag,1,boot\n")
    assert refused(sources, tmp_path) == "sources/one.csv: the column `class` is there twice; keep one"
    put(tmp_path, "one.csv", f"url,class,uploaded\n{HOST}/1.jpg,bag,{'1' * 5000}\n")
    assert refused(sources, tmp_path).startswith("sources/one.csv: row 1: uploaded '111")
    put(tmp_path, "one.csv", f"url,class,uploaded\n{HOST}/1.jpg,bag,last week\n")
    assert "row 1: uploaded 'last week' is no time; write unix seconds or an ISO date" in refused(sources, tmp_path)
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


@pytest.mark.parametrize("name", ["one.csv", "two.CSV", "three.Csv"])
def test_tables_are_found_by_any_case_and_others_are_named(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture
) -> None:
    for other in ("a.tsv", "b.csv.gz", "._c.csv"):
        put(tmp_path, other, "")
    sources = put(tmp_path, name, f"url,class\n{HOST}/1.jpg,bag\n")
    assert list(found(sources, tmp_path)["shard"]) == [name[:-4]]
    said = "scrape: sources: what is no table (.csv or .parquet) passed over: 2 (a.tsv, b.csv.gz)\n"
    assert capsys.readouterr().out == said


def write_parquet(root: Path, **columns: pa.Array) -> Path:
    """A table of bags with these columns, at ``sources/one.parquet``."""
    rows = len(next(iter(columns.values())))
    addresses = pa.array([f"{HOST}/{row}.jpg" for row in range(rows)])
    (root / "sources").mkdir(exist_ok=True)
    table = pa.table({"url": addresses, "class": pa.array(["bag"] * rows), **columns})
    pq.write_table(table, root / "sources" / "one.parquet")
    return root / "sources"


HEX = sha256(f"{HOST}/1.jpg".encode()).hexdigest()[:16]  # the id of the row that states none


@pytest.mark.parametrize(
    ("ids", "read"),
    [
        (pa.array([5123456789, None]), ["5123456789", HEX]),
        (pa.array([5123456789.0, None]), ["5123456789", HEX]),  # what pandas makes of a gap
        (pa.array([5123456789.0, float("nan")]), ["5123456789", HEX]),
        (pa.array([9007199254740993, 9007199254740992, None]), ["9007199254740993", "9007199254740992", None]),
        (pa.array([2**64 - 1, 2**64 - 2, None], pa.uint64()), [str(2**64 - 1), str(2**64 - 2), None]),
        (pa.array([Decimal("12345678901234567890"), None], pa.decimal128(20)), ["12345678901234567890", HEX]),
        (pa.array([Decimal("5123456789.00"), None], pa.decimal128(12, 2)), ["5123456789", HEX]),
        (pa.array(["007", None]).dictionary_encode(), ["007", HEX]),
        (pa.array(["1.10", "5123456789.0"]), ["1.10", "5123456789"]),
        (pa.array([16777215.0, None], pa.float32()), ["16777215", HEX]),
    ],
)
def test_ids_keep_their_digits(tmp_path: Path, ids: pa.Array, read: list[str | None]) -> None:
    photos = list(found(write_parquet(tmp_path, id=ids), tmp_path)["id"])
    assert photos[: len(read) - read.count(None)] == [one for one in read if one is not None]
    assert len(set(photos)) == len(ids)


def test_a_csv_that_pandas_wrote_with_a_gap_says_the_same(tmp_path: Path) -> None:
    table = pd.DataFrame({"url": [f"{HOST}/0.jpg", f"{HOST}/1.jpg"], "class": "bag", "id": [5123456789, None]})
    table = table.assign(owner=[77, None], licence=[4, None], uploaded=[second(2018), None])
    (tmp_path / "sources").mkdir()
    table.to_csv(tmp_path / "sources" / "one.csv", index=False)
    rows = found(tmp_path / "sources", tmp_path)[["id", "owner", "licence", "uploaded"]].to_numpy().tolist()
    assert rows == [["5123456789", "77", 4, second(2018)], [HEX, "", -1, 0]]


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("listed", ["5123456789", "5123456789.0"])
def test_a_forgotten_id_stays_out_however_the_table_writes_it(tmp_path: Path, form: str, listed: str) -> None:
    sources = write_parquet(tmp_path, id=pa.array([5123456789.0, None, 7.0]))
    if form == "csv":
        pd.read_parquet(sources / "one.parquet").to_csv(sources / "one.csv", index=False)
        (sources / "one.parquet").unlink()
    (tmp_path / "forgotten.txt").write_text(f"{listed}\n")
    forgotten = read_forgotten(tmp_path / "forgotten.txt")
    hits = found(sources, tmp_path)
    assert list(hits.loc[~hits["id"].isin(forgotten), "id"]) == [HEX, "7"]


LOST = "is a float, which has lost digits of a whole number; write whole numbers as integers or text"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"id": pa.array([1.0, 1234567890123456789.0])}, f"row 2: id 1.2345678901234568e+18 {LOST}"),
        ({"id": pa.array([1.0, 2.0**53])}, f"row 2: id 9007199254740992.0 {LOST}"),
        ({"id": pa.array([1.0, 5123456789.0], pa.float32())}, f"row 2: id 5123457024.0 {LOST}"),
        ({"uploaded": pa.array([1.0, 1519862400.0], pa.float32())}, f"row 2: uploaded 1519862400.0 {LOST}"),
        ({"id": pa.array(["1", "12345678901234567.0"])}, f"row 2: id 12345678901234567.0 {LOST}"),
        ({"title": pa.array([["a"], ["b"]])}, "row 1: title is a list; write a text or a number"),
        ({"tags": pa.array([None, {"a": 1}])}, "row 2: tags is a dict; write a text or a number"),
        ({"owner": pa.array(["a", "b"]).cast(pa.binary())}, "row 1: owner is bytes; write a text or a number"),
        ({"id": pa.array([None, b"12"], pa.large_binary())}, "row 2: id is bytes; write a text or a number"),
    ],
)
def test_a_cell_that_is_no_text_or_number_is_named(tmp_path: Path, columns: dict[str, pa.Array], said: str) -> None:
    assert refused(write_parquet(tmp_path, **columns), tmp_path) == f"sources/one.parquet: {said}"


@pytest.mark.parametrize("written", ["1.23457E+09", "1.2345678901234568e+18", "5E+12"])
def test_an_id_that_a_spreadsheet_rounded_is_named(tmp_path: Path, written: str) -> None:
    sources = put(tmp_path, "one.csv", f"url,class,id\n{HOST}/1.jpg,bag,{written}\n")
    assert refused(sources, tmp_path) == f"sources/one.csv: row 1: id {written} {LOST}"


@pytest.mark.parametrize("stated", [".0", "?.0", "nan.0", "4.0.0"])
def test_what_only_looks_like_a_number_is_no_licence(tmp_path: Path, stated: str) -> None:
    sources = put(tmp_path, "one.csv", f"url,class,licence\n{HOST}/1.jpg,bag,{stated}\n")
    assert refused(sources, tmp_path).startswith(f"sources/one.csv: row 1: licence {stated!r} is no id of Flickr's")


@pytest.mark.parametrize("times", [pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date32()])
def test_dates_of_every_arrow_type_are_read(tmp_path: Path, times: pa.DataType) -> None:
    moment = datetime(2018, 3, 1, tzinfo=UTC)
    column = pa.array([moment.date() if pa.types.is_date(times) else moment, None], times)
    assert list(found(write_parquet(tmp_path, uploaded=column), tmp_path)["uploaded"]) == [second(2018, 3), 0]


@pytest.mark.parametrize("year", [10_000, -1, 200_000])
def test_a_date_that_no_calendar_has_is_told_in_one_line(tmp_path: Path, year: int) -> None:
    milliseconds = pa.array([(year - 1970) * 31_557_600_000, None], pa.timestamp("ms"))
    said = refused(write_parquet(tmp_path, uploaded=milliseconds), tmp_path)
    assert said.startswith("sources/one.parquet: no table can be read (") and said.endswith("); write it again")


SAVE = "save it as CSV in UTF-8 with commas"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"url;class\nhttps://a/1.jpg;bag\n", f"its cells are parted by semicolons; {SAVE}"),
        (b"\xef\xbb\xbfURL;Class;title, or not\nhttps://a/1.jpg;bag;\n", f"its cells are parted by semicolons; {SAVE}"),
        (b"url\tclass\nhttps://a/1.jpg\tbag\n", f"its cells are parted by tabs; {SAVE}"),
        (b'"url"|"class"\n"https://a/1.jpg"|"bag"\n', f"its cells are parted by bars; {SAVE}"),
        (b"url;label\nhttps://a/1.jpg;bag\n", f"its cells are parted by semicolons; {SAVE}"),
        (b"url,label\nhttps://a/1.jpg,bag\n", "the column `class` is missing beside url, label; add it"),
        (b"url,a;class\nhttps://a/1.jpg,bag\n", "the column `class` is missing beside url, a;class; add it"),
        ("url,class\nhttps://a/1.jpg,bag\n".encode("utf-16"), f"is UTF-16; {SAVE}"),
        ("url,class\nhttps://a/1.jpg,bag\n".encode("utf-16-le"), f"is UTF-16; {SAVE}"),
        ("url,class\nhttps://a/1.jpg,bäg\n".encode("latin-1"), f"line 2 is no UTF-8, perhaps Latin-1; {SAVE}"),
        (b"link,label\nhttps://a/1.jpg,bag\n", "the column `url` is missing beside link, label; add it"),
        (b"link;label\nhttps://a/1.jpg;bag\n", "the column `url` is missing beside link;label; add it"),
    ],
)
def test_a_file_that_another_program_wrote_is_told_apart(tmp_path: Path, content: bytes, said: str) -> None:
    sources = put(tmp_path, "one.csv", "")
    (sources / "one.csv").write_bytes(content)
    assert refused(sources, tmp_path) == f"sources/one.csv: {said}"


@pytest.mark.parametrize("header", ["URL,Class,ID", " url , class , id ", "\ufeffUrl,CLASS,Id\r"])
def test_case_and_spaces_of_column_names_do_not_matter(tmp_path: Path, header: str) -> None:
    sources = put(tmp_path, "one.csv", f"{header}\n{HOST}/1.jpg,bag,7\n")
    assert list(found(sources, tmp_path)["id"]) == ["7"]
    names = header.strip("\ufeff\r").split(",")
    pq.write_table(pa.table([[f"{HOST}/1.jpg"], ["bag"], [7]], names=names), sources / "one.parquet")
    (sources / "one.csv").unlink()
    assert list(found(sources, tmp_path)["id"]) == ["7"]


def test_columns_that_differ_in_case_alone_are_one_column_twice(tmp_path: Path) -> None:
    sources = put(tmp_path, "one.csv", f"url,class,URL\n{HOST}/1.jpg,bag,{HOST}/2.jpg\n")
    assert refused(sources, tmp_path) == "sources/one.csv: the column `url` is there twice; keep one"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_composed_and_decomposed_class_names_are_one_name(tmp_path: Path, form: str, kind: str) -> None:
    name = "caf\xe9"
    table = pd.DataFrame({"url": [f"{HOST}/1.jpg"], "class": [unicodedata.normalize(form, name)]})
    (tmp_path / "sources").mkdir()
    path = tmp_path / "sources" / f"one.{kind}"
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    params = scrape_params(licences=["unknown"])
    source = Table(tmp_path / "sources", [name], ["bag", name], params, open_web(), 2, Rushed())
    with Spool(tmp_path / "table.sqlite") as spool:
        assert list(source.find(spool).hits["class_name"]) == [name]


def test_where_no_row_is_of_a_debug_class_the_mend_is_that_of_tables(tmp_path: Path) -> None:
    said = (
        "sources: no row is of a debug class (bag, boot) and of the time asked for; "
        "add rows, name their classes in errors.classes, or widen scrape.since and scrape.snapshot"
    )
    for row in (f"{HOST}/1.jpg,shirt,", f"{HOST}/1.jpg,bag,2011-01-01", ""):
        sources = put(tmp_path, "one.csv", f"url,class,uploaded\n{row}\n")
        assert refused(sources, tmp_path) == said
