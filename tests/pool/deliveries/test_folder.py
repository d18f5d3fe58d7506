import hashlib
import os
import unicodedata
from pathlib import Path

import pytest

from debugset.images.sets import open_set
from debugset.pool.deliveries import local_files
from debugset.pool.deliveries.folder import Folder
from debugset.pool.files.verdict import verdict
from debugset.pool.scrape import scrape
from debugset.pool.spool import Spool
from tests.pool.deliveries.samples import image, pack
from tests.pool.runs import files, outs
from tests.pool.worlds import CLASSES, scrape_params

pytestmark = pytest.mark.usefixtures("own_spool")
TAKES_ALL = {"licences": ["unknown"]}


def put(root: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        path = root / "sources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root / "sources"


def photo_id(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def open_folder(sources: Path, **changes: object) -> Folder:
    return Folder(sources, ["bag", "boot"], CLASSES, scrape_params(**{**TAKES_ALL, **changes}))


def scraped(sources: Path, out: Path, **changes: object):
    return pack(open_folder(sources, **changes), out, **{**TAKES_ALL, **changes})


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    delivered = {
        "first/bag/a.jpg": image(1),
        "first/bag/deep/er/b.JPEG": image(2),
        "first/boot/c.png": image(3, "PNG"),
        "first/boot/d.webp": image(4, "WEBP"),
        "first/boot/e.gif": image(5, "GIF"),
        "first/boot/copy of a.jpg": image(1),
        "first/boot/broken.jpg": image(6)[:200],
        "first/boot/tiny.png": image(7, "PNG", size=4),
        "first/boot/notes.txt": b"no photo",
        "first/shirt/left out.jpg": image(8),
        "first/.cache/bag/hidden.jpg": image(9),
        "first/loose.jpg": image(9),
        "second.dvc": b"outs:",
        "README.md": b"# sources",
    }
    return put(tmp_path, delivered)


def test_every_readable_photo_of_a_debug_class_is_packed_with_its_folders_label(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    photos = scraped(sources, tmp_path / "out")
    pool = open_set(tmp_path / "out" / "pool")
    labels = {row.url: CLASSES[row.label] for row in pool.manifest.itertuples()}
    assert labels == {
        "first/bag/deep/er/b.JPEG": "bag",
        "first/boot/c.png": "boot",
        "first/boot/d.webp": "boot",
        "first/boot/e.gif": "boot",
    } | {min("first/bag/a.jpg", "first/boot/copy of a.jpg", key=photo_id): labels_of_copy()}
    assert list(pool.manifest["shard"].unique()) == ["first.tar"]
    assert set(pool.manifest["licence"]) == {-1}
    assert set(pool.ids) == {photo_id(address) for address in labels}
    row = int((pool.manifest["url"] == "first/boot/c.png").argmax())
    assert pool.image(row).getpixel((0, 0)) == (120, 14, 200)
    faults = photos.set_index("page")["fault"]
    assert faults["first/boot/broken.jpg"] in ("truncated", "undecodable")
    assert faults["first/boot/tiny.png"] == "too_small"
    assert sorted(faults.drop(["first/boot/broken.jpg", "first/boot/tiny.png"]).unique()) == ["", "duplicate"]
    said = capsys.readouterr().out
    assert "sources/first: other files passed over: 1 (.txt 1)" in said
    assert "sources/first: files outside a class's folder passed over: 1 (.jpg 1)" in said
    assert "sources/first: photos of classes that are not debugged passed over: 1" in said


def labels_of_copy() -> str:
    return min([("first/bag/a.jpg", "bag"), ("first/boot/copy of a.jpg", "boot")], key=lambda one: photo_id(one[0]))[1]


def test_a_later_delivery_adds_a_shard_and_rewrites_none(sources: Path, tmp_path: Path) -> None:
    scraped(sources, tmp_path / "before")
    put(tmp_path, {"second/bag/new.jpg": image(10), "second/bag/again.jpg": image(2)})
    photos = scraped(sources, tmp_path / "after").set_index("page")
    assert photos.loc["second/bag/again.jpg", "fault"] == "duplicate"
    shards = [(tmp_path / when / "pool" / "first.tar").read_bytes() for when in ("before", "after")]
    assert shards[0] == shards[1]
    manifest = open_set(tmp_path / "after" / "pool").manifest
    assert list(manifest["url"][manifest["shard"] == "second.tar"]) == ["second/bag/new.jpg"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    seen: list[bytes] = []
    inspect = local_files.inspect

    def noted(content: bytes, max_pixels: int):
        seen.append(content)
        return inspect(content, max_pixels)

    monkeypatch.setattr(local_files, "inspect", noted)
    return seen


def look(sources: Path, spool: Spool, **changes: object) -> dict[str, str]:
    """Statuses by file name, after a find and a fetch."""
    source = open_folder(sources, **changes)
    photos = source.find(spool).hits
    source.fetch([local_files.Download(row.id, row.urls) for row in photos.itertuples()], spool)
    known = spool.files({url for urls in photos["urls"] for url in urls})
    decided = [verdict(urls, known, scrape_params(**changes)) for urls in photos["urls"]]
    return {Path(url).name: file.status for url, file in decided if file}


def test_only_new_and_changed_files_are_decoded_again(tmp_path: Path, decoded: list[bytes]) -> None:
    sources = put(tmp_path, {f"one/bag/{number}.jpg": image(number) for number in range(3)})
    with Spool(tmp_path / "folder.sqlite") as spool:
        assert look(sources, spool) == {"0.jpg": "ok", "1.jpg": "ok", "2.jpg": "ok"}
        assert sorted(decoded) == sorted(image(number) for number in range(3))
        decoded.clear()
        changed = image(5)
        times = (sources / "one/bag/1.jpg").stat()
        put(tmp_path, {"one/bag/1.jpg": changed, "one/bag/3.jpg": b"<html>"})
        os.utime(sources / "one/bag/1.jpg", ns=(times.st_atime_ns, times.st_mtime_ns))
        assert look(sources, spool)["3.jpg"] != "ok"
        assert sorted(decoded) == sorted([changed, b"<html>"])


def test_limits_of_bytes_and_pixels_hold_both_ways(tmp_path: Path) -> None:
    sources = put(tmp_path, {"one/bag/wide.png": image(1, "PNG", 40), "one/bag/small.png": image(2, "PNG", 10)})
    size = (sources / "one/bag/wide.png").stat().st_size
    with Spool(tmp_path / "folder.sqlite") as spool:
        assert look(sources, spool)["wide.png"] == "ok"
        assert look(sources, spool, max_pixels=1599) == {"wide.png": "too_many_pixels", "small.png": "ok"}
        assert look(sources, spool, max_pixels=1600)["wide.png"] == "ok"
        assert look(sources, spool, max_bytes=size - 1) == {"wide.png": "too_large", "small.png": "ok"}
        assert look(sources, spool, max_bytes=size)["wide.png"] == "ok"


@pytest.mark.parametrize(("size", "said"), [(64, "changed"), (8, "became shorter")])
def test_a_file_that_changes_before_it_is_packed_is_named_and_looked_at_anew(
    tmp_path: Path, size: int, said: str
) -> None:
    sources = put(tmp_path, {"one/bag/a.jpg": image(1)})
    with Spool(tmp_path / "folder.sqlite") as spool:
        look(sources, spool)
        source = open_folder(sources)
        source.find(spool)
        put(tmp_path, {"one/bag/a.jpg": image(2, size=size)})
        with pytest.raises(OSError, match=rf"^one/bag/a\.jpg: the file {said} while it was used; run again$"):
            source.content("one/bag/a.jpg", spool)
        look(sources, spool)
        source.find(spool)
        assert source.content("one/bag/a.jpg", spool)


def test_photos_without_a_licence_need_leave(sources: Path, tmp_path: Path) -> None:
    with Spool(tmp_path / "folder.sqlite") as spool:
        assert set(open_folder(sources, licences=[4]).find(spool).hits["fault"]) == {"licence"}
        assert set(open_folder(sources, licences=[4, "unknown"]).find(spool).hits["fault"]) == {""}


def refused(sources: Path, spool: Spool) -> str:
    with pytest.raises(ValueError) as error:
        open_folder(sources).find(spool)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    with Spool(tmp_path / "folder.sqlite") as spool:
        nothing = "sources: holds no folder of photos; put it there, or choose another scrape.endpoint"
        assert refused(tmp_path / "sources", spool) == nothing
        sources = put(tmp_path, {"README.md": b"", ".gitignore": b""})
        assert refused(sources, spool) == nothing
        put(tmp_path, {"one/bags/a.jpg": image(1)})
        assert refused(sources, spool) == "sources/one/bags: 'bags' is not a class; choose from bag, boot, shirt"
        (sources / "one").rename(sources / "one & two")
        assert "'one & two' is no name" in refused(sources, spool)


def test_a_linked_folder_is_read_and_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    put(tmp_path / "elsewhere", {"bag/a.jpg": image(1)})
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "one").symlink_to(tmp_path / "elsewhere" / "sources")
    with Spool(tmp_path / "folder.sqlite") as spool:
        assert list(open_folder(tmp_path / "sources").find(spool).hits["page"]) == ["one/bag/a.jpg"]
    assert "warning: sources/one links to a folder" in capsys.readouterr().out
    put(tmp_path, {"two/bag/b.jpg": image(2)})
    (tmp_path / "sources" / "one").unlink()
    (tmp_path / "sources" / "two" / "boot").symlink_to(tmp_path / "elsewhere" / "sources" / "bag")
    with Spool(tmp_path / "folder.sqlite") as spool:
        pages = list(open_folder(tmp_path / "sources").find(spool).hits["page"])
    assert pages == ["two/bag/b.jpg", "two/boot/a.jpg"]
    assert "warning: two/boot links to a folder" in capsys.readouterr().out


def test_no_path_of_the_machine_reaches_the_outs(sources: Path, tmp_path: Path) -> None:
    scraped(sources, tmp_path / "out")
    assert not [name for name, text in files(tmp_path / "out").items() if str(tmp_path).encode() in text]


def find(sources: Path, tmp_path: Path) -> dict[str, str]:
    """The class of every photo found, by its page."""
    with Spool(tmp_path / "folder.sqlite") as spool:
        hits = open_folder(sources).find(spool).hits
    return dict(zip(hits["page"], hits["class_name"], strict=True))


def test_what_is_passed_over_is_counted_by_its_ending(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    kinds = {"a.jfif": "JPEG", "b.JPE": "JPEG", "c.bmp": "BMP", "d.BMP": "BMP"}
    taken = {f"one/bag/{name}": image(1, kind) for name, kind in kinds.items()}
    others = [*(f"bag/{number}.avif" for number in range(7)), "bag/8.heic", "bag/9.AVIF", "bag/10", "bag/a.tar.gz"]
    hidden = ["bag/._a.jpg", "._bag/a.jpg", "bag/.DS_Store"]
    sources = put(tmp_path, taken | {f"one/{name}": b"" for name in [*others, *hidden]})
    (sources / "list.csv").write_bytes(b"")
    (sources / "._one").write_bytes(b"")
    assert find(sources, tmp_path) == dict.fromkeys(taken, "bag")
    assert capsys.readouterr().out.splitlines() == [
        "scrape: sources: what is no folder of photos passed over: 1 (list.csv)",
        "scrape: sources/one: other files passed over: 11 (.avif 8, .gz 1, .heic 1, no ending 1)",
    ]


def test_of_very_many_endings_the_most_frequent_are_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    names = {f"one/bag/a.x{number:02d}": b"" for number in range(14)} | {"one/bag/b.x13": b"", "one/bag/a.jpg": b""}
    find(put(tmp_path, names), tmp_path)
    endings = ", ".join(f".x{number:02d} 1" for number in range(11))
    told = f"15 (.x13 2, {endings}, ... (14 in all))"
    assert capsys.readouterr().out == f"scrape: sources/one: other files passed over: {told}\n"


def told_of_links(capsys: pytest.CaptureFixture) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("scrape: ")]


@pytest.mark.parametrize("target", [".", "..", "../..", "../../.."])
def test_a_circle_of_links_is_cut(tmp_path: Path, target: str, capsys: pytest.CaptureFixture) -> None:
    sources = put(tmp_path, {"one/bag/a.jpg": image(1), "two/boot/b.jpg": image(2)})
    (sources / "one" / "bag" / "up").symlink_to(target)
    assert find(sources, tmp_path) == {"one/bag/a.jpg": "bag", "two/boot/b.jpg": "boot"}
    assert told_of_links(capsys) == [
        "scrape: sources/one: links in a circle or to folders read already passed over: 1 (one/bag/up)"
    ]


def test_a_folder_behind_several_links_is_read_once_and_under_its_own_name(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    sources = put(tmp_path, {"one/boot/b.jpg": image(1), "two/bag/c.jpg": image(2)})
    put(tmp_path / "elsewhere", {"deep/d.jpg": image(3)})
    outside = tmp_path / "elsewhere" / "sources"
    (sources / "one" / "bag").symlink_to("boot")  # comes before it
    (sources / "one" / "shirt").symlink_to(sources / "two" / "bag")
    (sources / "two" / "boot").symlink_to(outside)
    (sources / "two" / "bag" / "again").symlink_to(outside / "deep")
    (outside / "round").symlink_to(".")
    expected = {"one/boot/b.jpg": "boot", "two/bag/c.jpg": "bag", "two/boot/deep/d.jpg": "boot"}
    assert find(sources, tmp_path) == expected
    said = "links in a circle or to folders read already passed over"
    assert told_of_links(capsys) == [
        f"scrape: sources/one: {said}: 2 (one/bag, one/shirt)",
        f"scrape: sources/two: {said}: 2 (two/bag/again, two/boot/round)",
    ]


def test_a_delivery_that_links_to_another_adds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    sources = put(tmp_path, {"two/bag/a.jpg": image(1)})
    (sources / "one").symlink_to("two")
    (sources / "three").symlink_to(tmp_path / "sources")
    assert find(sources, tmp_path) == {"two/bag/a.jpg": "bag"}
    assert told_of_links(capsys) == [
        "scrape: sources/one: links in a circle or to folders read already passed over: 1 (one)",
        "scrape: sources/three: links in a circle or to folders read already passed over: 1 (three)",
    ]


def test_a_link_with_a_name_in_another_encoding_is_told(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    sources = put(tmp_path, {"one/bag/a.jpg": image(1)})
    (tmp_path / "empty").mkdir()
    (sources / "one" / "bag" / os.fsdecode(b"caf\xe9")).symlink_to(tmp_path / "empty")
    assert find(sources, tmp_path) == {"one/bag/a.jpg": "bag"}
    assert "warning: bag/caf? links to a folder" in capsys.readouterr().out


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    sources = put(tmp_path, {"one/bag/a.jpg": image(1)})
    (sources / "one" / "bag" / "b.jpg").symlink_to("gone.jpg")
    with Spool(tmp_path / "folder.sqlite") as spool:
        mend = "restore what it names, or remove it"
        assert refused(sources, spool) == f"sources/one/bag/b.jpg: is no file or links to none; {mend}"


@pytest.mark.parametrize("name", ["café", "Ünïcode bag", "\u1e69hoe"])
def test_a_class_folder_that_macos_named_is_of_the_class(tmp_path: Path, name: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert composed != decomposed
    sources = put(tmp_path, {f"one/{decomposed}/a.jpg": image(1), f"one/{composed}/b.jpg": image(2)})
    params, classes = scrape_params(**TAKES_ALL), ["bag", composed]
    scrape(params, Folder(sources, [composed], classes, params), classes, outs(tmp_path / "out"))
    assert list(open_set(tmp_path / "out" / "pool").labels) == [1, 1]


def test_where_no_photo_has_a_debug_class_the_mend_is_that_of_folders(tmp_path: Path) -> None:
    mend = "put photos into sources/<delivery>/<class name>/, or name their classes in errors.classes"
    said = f"sources: holds no photo of a debug class (bag, boot); {mend}"
    for name in ("one/shirt/a.jpg", "two/b.jpg", "two/bag/c.avif"):
        sources = put(tmp_path, {name: image(1)})
        with Spool(tmp_path / "folder.sqlite") as spool:
            assert refused(sources, spool) == said


def test_what_lies_there_instead_is_named(tmp_path: Path) -> None:
    sources = put(tmp_path, {"laion.csv": b"", "photos.zip": b"", "README.md": b""})
    with Spool(tmp_path / "folder.sqlite") as spool:
        assert refused(sources, spool) == (
            "sources: holds no folder of photos, but laion.csv, photos.zip; "
            "put it there, or choose another scrape.endpoint"
        )


def test_when_every_photo_found_is_forgotten_that_is_said(tmp_path: Path) -> None:
    sources = put(tmp_path, {"one/bag/a.jpg": image(1)})
    listed = {photo_id("one/bag/a.jpg")}
    with pytest.raises(ValueError) as error:
        scrape(scrape_params(**TAKES_ALL), open_folder(sources), CLASSES, outs(tmp_path / "out"), listed)
    assert str(error.value) == "scrape: forgotten.txt lists every photo that was found (1); find others"
