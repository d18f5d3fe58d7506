"""The table and the pages that say who made a pool's photos."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from debugset.images.sets import write_manifest
from debugset.pool.rights import attribution
from debugset.pool.rights.attribution import write_attribution

XSS = '<script>alert("x")</script>'


class Html(HTMLParser):
    """Elements and texts of a page, and its table's cells: (text, link) each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[tuple[str, str]]] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        link = dict(attributes).get("href")
        if link is not None:
            self.links.append(link)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self._in_cell = True
            self.rows[-1].append(("", ""))
        if tag == "a" and self._in_cell:
            self.rows[-1][-1] = ("", link or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag != "td"

    def handle_data(self, text: str) -> None:
        if self._in_cell:
            before, link = self.rows[-1][-1]
            self.rows[-1][-1] = (before + text, link)


def photo(number: int, year: int = 2019, **known: object) -> dict[str, object]:
    row: dict[str, object] = {"id": str(number), "label": 0, "sha256": f"{number:064x}", "width": 9, "height": 8}
    row |= {"shard": f"{year}.tar", "offset": 512, "size": 100, "title": f"photo {number}", "tags": "", "licence": 4}
    row |= {
        "owner": "7@N01",
        "owner_name": "Ann",
        "uploaded": number,
        "url": f"https://live/{number}.jpg",
        "query": "q",
    }
    return row | {"page": f"https://www.flickr.com/photos/7@N01/{number}"} | known


def written(folder: Path, *photos: dict[str, object]) -> dict[str, str]:
    """The files that are written for a pool of photos, by name."""
    pool = folder / "pool"
    pool.mkdir(parents=True, exist_ok=True)
    write_manifest(pool, pd.DataFrame(list(photos)), ["bag"])
    write_attribution(folder / "attribution", pool)
    return {path.name: path.read_bytes().decode(errors="replace") for path in (folder / "attribution").iterdir()}


def cells(*photos: dict[str, object], folder: Path) -> list[list[tuple[str, str]]]:
    return Html(written(folder, *photos)["2019-1.html"]).rows[1:]


CC_BY = ("CC BY 2.0", "https://creativecommons.org/licenses/by/2.0/")


def test_a_photo_s_line_links_page_author_and_licence(tmp_path: Path) -> None:
    (line,) = cells(photo(5), folder=tmp_path)
    author = ("Ann", "https://www.flickr.com/photos/7@N01/")
    assert line == [("5", ""), ("photo 5", "https://www.flickr.com/photos/7@N01/5"), author, CC_BY]


def test_what_a_source_does_not_state_is_said_and_not_linked(tmp_path: Path) -> None:
    bare = {"title": "", "owner": "", "owner_name": "", "licence": -1, "page": "batch/a b.jpg"}
    elsewhere = {"owner_name": "", "owner": "someone", "page": "http://example.org/a?b=1&c=2"}
    bare_line, line = cells(photo(5, **bare), photo(6, **elsewhere), folder=tmp_path)
    assert bare_line == [("5", ""), ("untitled", ""), ("not stated", ""), ("none stated", "")]
    assert line[1:] == [("photo 6", "http://example.org/a?b=1&c=2"), ("someone", ""), CC_BY]


@pytest.mark.parametrize(
    "page",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JavaScript://www.flickr.com/photos/7@N01/5",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org",
        "http://",
        "http:javascript",
    ],
)
def test_only_addresses_of_the_web_are_linked(tmp_path: Path, page: str) -> None:
    (line,) = cells(photo(5, page=page), folder=tmp_path)
    assert line == [("5", ""), ("photo 5", ""), ("Ann", ""), CC_BY]


def test_texts_of_strangers_are_escaped(tmp_path: Path) -> None:
    page = f'https://example.org/"{XSS.replace(" ", "")}'
    files = written(tmp_path, photo(5, title=XSS, owner_name=f'"{XSS}', page=page))
    html = Html(files["2019-1.html"])
    assert html.rows[1][1:3] == [(XSS, page), (f'"{XSS}', "")]
    assert "script" not in html.tags + Html(files["attribution.html"]).tags


def test_pages_hold_so_many_photos_of_one_shard_each_and_lead_to_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attribution.PHOTOS_A_PAGE == 2000
    monkeypatch.setattr(attribution, "PHOTOS_A_PAGE", 2)
    files = written(tmp_path, *(photo(number, 2018) for number in range(5)), photo(5), photo(6))
    pages = ["2018-1.html", "2018-2.html", "2018-3.html", "2019-1.html"]
    assert set(files) == {"attribution.html", "attribution.parquet", *pages}
    ids = [[row[0][0] for row in Html(files[page]).rows[1:]] for page in pages]
    assert ids == [["0", "1"], ["2", "3"], ["4"], ["5", "6"]]
    index = Html(files["attribution.html"])
    assert [link for link in index.links if link in files] == pages
    near = [[link for link in Html(files[page]).links if link in files] for page in pages]
    home = "attribution.html"
    assert near == [[home, "2018-2.html"], [home, "2018-1.html", "2018-3.html"], [home, "2018-2.html"], [home]]
    assert "page 2 of 3" in files["2018-2.html"]


def test_the_index_counts_photos_by_licence(tmp_path: Path) -> None:
    photos = [photo(number, licence=licence) for number, licence in enumerate([9, 4, 4, -1, 4, 9])]
    rows = Html(written(tmp_path, *photos)["attribution.html"]).rows
    cc0 = ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/")
    assert rows[1:4] == [[CC_BY, ("3", "")], [cc0, ("2", "")], [("none stated", ""), ("1", "")]]
    assert rows[-1][:2] == [("2019", ""), ("6", "")]


def test_a_pool_that_grows_rewrites_no_page(tmp_path: Path) -> None:
    before = written(tmp_path / "a", photo(1, 2018), photo(2, 2018))
    after = written(tmp_path / "b", photo(1, 2018), photo(2, 2018), photo(3, 2019))
    assert after["2018-1.html"] == before["2018-1.html"]
    assert set(after) - set(before) == {"2019-1.html"}
    written(tmp_path / "b", photo(1, 2018), photo(2, 2018))
    for name in before:
        one, other = (tmp_path / folder / "attribution" / name for folder in "ab")
        assert one.read_bytes() == other.read_bytes()
    assert not (tmp_path / "b" / "attribution" / "2019-1.html").exists()


def test_pages_load_nothing_and_have_a_dark_mode(tmp_path: Path) -> None:
    for name, text in written(tmp_path, photo(1)).items():
        if name.endswith(".html"):
            html = Html(text)
            assert not {"script", "link", "img", "iframe", "base"} & set(html.tags)
            assert not re.search(r"@import|url\(", text)
            assert "default-src 'none'" in text
            assert "prefers-color-scheme: dark" in text


def test_the_table_says_the_same(tmp_path: Path) -> None:
    written(tmp_path, photo(1), photo(2, licence=-1))
    table = pd.read_parquet(tmp_path / "attribution" / "attribution.parquet")
    assert list(table) == [
        "id", "title", "owner", "owner_name", "licence", "licence_name", "licence_link",
        "page", "url", "uploaded", "sha256",
    ]  # fmt: skip
    assert table["licence_name"].tolist() == [CC_BY[0], "none stated"]
    assert table["licence_link"].tolist() == [CC_BY[1], ""]
    assert table["id"].tolist() == ["1", "2"]


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written(tmp_path, photo(1))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(attribution, "_write_pages", fail)
    with pytest.raises(OSError, match="disk full"):
        written(tmp_path, photo(1), photo(2))
    assert {path.name for path in (tmp_path / "attribution").iterdir()} == set(before)
    assert (tmp_path / "attribution" / "2019-1.html").read_text() == before["2019-1.html"]
    assert {path.name for path in tmp_path.iterdir()} == {"pool", "attribution"}
