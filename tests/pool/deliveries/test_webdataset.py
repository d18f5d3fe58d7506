import bz2
import gzip
import io
import json
import lzma
import tarfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from debugset.images.sets import open_set
from debugset.pool.deliveries.webdataset import WebDataset
from debugset.pool.spool import Spool
from tests.pool.deliveries.samples import image, pack
from tests.pool.worlds import CLASSES, QUERIES, scrape_params

pytestmark = pytest.mark.usefixtures("own_spool")
QUERIES_ASKED = {name: QUERIES[name] for name in ("bag", "boot")}
LICENCES = [4, 9, "unknown"]


def described(key: str, caption: str, **more: object) -> bytes:
    """A sample's JSON as img2dataset 1.47 writes it."""
    facts = {
        "caption": caption,
        "url": f"https://photos.example/{key}.jpg",
        "key": key,
        "status": "success",
        "error_message": None,
        "width": 16,
        "height": 16,
        "original_width": 48,
        "original_height": 64,
        "exif": "{}",
        "sha256": "a785f6b68933b4f23377bd6548e63d6903506bb93c4319cfad655d5a9c3fecb1",
    }
    return json.dumps(facts | more, indent=4).encode()


def sample(number: int, caption: str, **more: object) -> dict[str, bytes]:
    key = f"{number:06d}"
    return {f"{key}.jpg": image(number), f"{key}.json": described(key, caption, **more), f"{key}.txt": caption.encode()}


def tar_of(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_700_000_000
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def put(root: Path, name: str, members: dict[str, bytes]) -> Path:
    path = root / "sources" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar_of(members))
    return root / "sources"


def open_webdataset(sources: Path, **changes: object) -> WebDataset:
    return WebDataset(sources, QUERIES_ASKED, CLASSES, scrape_params(**{"licences": LICENCES, **changes}))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    put(
        tmp_path,
        "laion/00000.tar",
        sample(1, "A red Handbag, new")
        | sample(0, "leather and a bag")  # no phrase
        | sample(2, "the LEATHER bag and a wellington")
        | sample(3, "boots")  # another word
        | sample(4, "Boot & wellington", license=4, owner_name="Ann")
        | sample(5, "Boot", license=0)
        | {"000006.json": described("000006", "boot", status="failed_to_download")},
    )
    (tmp_path / "sources" / "laion" / "00000_stats.json").write_text("{}")
    (tmp_path / "sources" / "laion" / "00000.parquet").write_bytes(b"not read")
    return put(
        tmp_path,
        "laion/00001.tar",
        sample(7, "no word of ours", label="bag")
        | sample(8, "boot", label=17)
        | sample(9, "a boot", **{"class": "shirt"})
        | {"./000010.webp": image(10, "WEBP"), "./000010.cls": b"boot\n"}
        | {"000011.jpg": image(11)[:200], "000011.txt": b"boot"}
        | {"000012.png": image(12, "PNG"), "000012.json": described("000012", "handbag")},
    )


def test_a_photo_is_labelled_by_what_names_its_class_else_by_its_caption(sources: Path, tmp_path: Path) -> None:
    photos = pack(open_webdataset(sources), tmp_path / "out", licences=LICENCES)
    assert photos["fault"].str.replace("undecodable", "truncated").to_dict() == {
        "laion-000001": "",
        "laion-000002": "cross_class",
        "laion-000004": "",
        "laion-000005": "licence",
        "laion-000007": "",
        "laion-000008": "",
        "laion-000010": "",
        "laion-000011": "truncated",
        "laion-000012": "",
    }
    pool = open_set(tmp_path / "out" / "pool")
    manifest = pool.manifest.set_index("id")
    assert {photo: CLASSES[label] for photo, label in manifest["label"].items()} == {
        "laion-000001": "bag",
        "laion-000004": "boot",
        "laion-000007": "bag",
        "laion-000008": "boot",
        "laion-000010": "boot",
        "laion-000012": "bag",
    }
    assert manifest["shard"].to_dict() == {photo: f"laion-0000{int(photo[-2:]) // 7}.tar" for photo in manifest.index}
    one = manifest.loc["laion-000004"]
    assert (one["url"], one["page"]) == ("laion/00000.tar/000004.jpg", "https://photos.example/000004.jpg")
    assert (one["title"], one["licence"], one["owner_name"]) == ("Boot & wellington", 4, "Ann")
    for number in (1, 4, 7, 8, 12):
        kind = "PNG" if number == 12 else "JPEG"
        row = int(pool.rows_of([f"laion-{number:06d}"])[0])
        assert np.array_equal(pool.pixels([row], 16)[0], pixels(image(number, kind)))


@pytest.mark.parametrize(
    ("stated", "fault"),
    [
        ({}, ""),
        ({"license": None}, ""),
        ({"license": " ", "licence": "?"}, ""),
        ({"LICENSE": "?"}, ""),  # as LAION writes it
        ({"license": float("nan")}, ""),
        ({"license": 4.0}, ""),
        ({"license": None, "licence": "9"}, ""),
        ({"license": "4", "licence": 4}, ""),
        ({"license": "All Rights Reserved"}, "licence"),
        ({"LICENSE": "https://creativecommons.org/licenses/by/4.0/"}, "licence"),
        ({"license": 0}, "licence"),
        ({"license": None, "licence": "0"}, "licence"),
        ({"license": 4, "licence": "All Rights Reserved"}, "licence"),
        ({"license": 4, "licence": 9}, "licence"),
        ({"license": False}, "licence"),
        ({"license": 99}, "licence"),
    ],
)
def test_only_a_photo_that_states_nothing_counts_as_unknown(
    tmp_path: Path, stated: dict[str, object], fault: str
) -> None:
    sources = put(tmp_path, "a/0.tar", sample(1, "boot", **stated))
    with Spool(tmp_path / "webdataset.sqlite") as spool:
        assert list(open_webdataset(sources).find(spool).hits["fault"]) == [fault]


def test_half_a_character_in_a_strangers_text_stops_nothing(tmp_path: Path) -> None:
    texts = {"owner": "\udc00", "owner_name": "Ann \ud83d", "url": "https://photos.example/\ud83d.jpg"}
    captioned = {"000001.jpg": image(1), "000001.json": described("000001", "a boot \ud83d", **texts)}
    with_text = sample(2, "boot", **texts) | {"000002.txt": b"a boot\0 \xff"}
    sources = put(tmp_path, "a/0.tar", captioned | with_text)
    pack(open_webdataset(sources), tmp_path / "out", licences=LICENCES)
    manifest = open_set(tmp_path / "out" / "pool").manifest
    assert list(manifest["title"]) == ["a boot ?", "a boot? \N{REPLACEMENT CHARACTER}"]
    told = manifest[["owner", "owner_name", "page"]].drop_duplicates().to_numpy().tolist()
    assert told == [["?", "Ann ?", "https://photos.example/?.jpg"]]


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_each_query_that_finds_a_photo_counts_it(sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with Spool(tmp_path / "webdataset.sqlite") as spool:
        photos = open_webdataset(sources).find(spool).hits
    own = photos[photos["id"].isin(["laion-000002", "laion-000004", "laion-000010"])]
    assert list(own[["id", "class_name", "query"]].itertuples(index=False, name=None)) == [
        ("laion-000002", "bag", '"leather bag"'),
        ("laion-000002", "boot", "wellington"),
        ("laion-000004", "boot", "boot"),
        ("laion-000004", "boot", "wellington"),
        ("laion-000010", "boot", ""),
    ]
    assert "sources/laion: photos without a debug class passed over: 3" in capsys.readouterr().out


def test_later_tars_add_shards_and_rewrite_none(sources: Path, tmp_path: Path) -> None:
    pack(open_webdataset(sources), tmp_path / "before", licences=LICENCES)
    put(tmp_path, "laion2/00000.tar", sample(1, "handbag again") | sample(20, "wellington"))
    photos = pack(open_webdataset(sources), tmp_path / "after", licences=LICENCES)
    assert photos.loc["laion2-000001", "fault"] == "duplicate"
    for shard in ("laion-00000.tar", "laion-00001.tar"):
        before, after = ((tmp_path / when / "pool" / shard).read_bytes() for when in ("before", "after"))
        assert before == after
    manifest = open_set(tmp_path / "after" / "pool").manifest
    assert list(manifest["id"][manifest["shard"] == "laion2-00000.tar"]) == ["laion2-000020"]


def refused(sources: Path, tmp_path: Path) -> str:
    with Spool(tmp_path / "webdataset.sqlite") as spool, pytest.raises(ValueError) as error:
        open_webdataset(sources).find(spool)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_broken_tar_is_named_with_its_member(tmp_path: Path) -> None:
    sources = put(tmp_path, "b/0.tar", {"a.txt": b"boot", "a.jpg": image(1), "c.txt": b"boot"})
    path = sources / "b" / "0.tar"
    whole = path.read_bytes()
    with tarfile.open(path) as tar:
        data = {member.name: (member.offset, member.offset_data) for member in tar}
    broken = {
        data["a.jpg"][1] + 100: "member a.jpg ",
        data["c.txt"][0] + 100: "member what follows a.jpg ",
        data["c.txt"][0]: "member what follows a.jpg ",
        data["c.txt"][1] + 512: "member what follows c.txt ",
        0: "member the first ",
    }
    for length, member in broken.items():
        path.write_bytes(whole[:length])
        assert refused(sources, tmp_path).startswith(f"sources/b/0.tar: broken tar at {member}")
    path.write_bytes(whole[: data["c.txt"][0]] + b"x" * 1024 + whole[data["c.txt"][0] + 1024 :])
    assert "broken tar at member what follows a.jpg" in refused(sources, tmp_path)
    for content in (b"no tar at all" * 100, b""):
        path.write_bytes(content)
        assert refused(sources, tmp_path).startswith("sources/b/0.tar: broken tar at member the first")


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path / "sources", tmp_path).startswith("sources: holds no folder of tars; put it there")
    sources = put(tmp_path, "a/0.tar", {"1.jpg": image(1), "1.json": b'{"caption": "boot"'})
    assert refused(sources, tmp_path).startswith("sources/a/0.tar: member 1.json is no JSON (Expecting")
    put(tmp_path, "a/0.tar", {"1.jpg": image(1), "1.json": b"[" * 100_000 + b"]" * 100_000})
    assert refused(sources, tmp_path).startswith("sources/a/0.tar: member 1.json is no JSON (maximum recursion")
    put(tmp_path, "a/0.tar", {"1.jpg": image(1), "1.txt": bytes(1_000_001)})
    assert refused(sources, tmp_path) == (
        "sources/a/0.tar: member 1.txt has 1,000,001 bytes, a text may have 1,000,000; write the tar again"
    )
    put(tmp_path, "a/0.tar", {"1.jpg": image(1), "1.json": b'["boot"]'})
    assert refused(sources, tmp_path).startswith("sources/a/0.tar: member 1.json is no JSON object")
    put(tmp_path, "a/0.tar", {"x y/1.jpg": image(1), "x y/1.txt": b"boot"})
    assert refused(sources, tmp_path).startswith("sources/a/0.tar/x y/1.jpg: 'a-x y-1' is no name; use 1 to 80")
    put(tmp_path, "a/0.tar", {"1.jpg": image(1), "1.txt": b"boot"})
    put(tmp_path, "a/1.tar", {"1.jpg": image(2), "1.txt": b"boot"})
    assert refused(sources, tmp_path).startswith("sources/a/1.tar/1.jpg: its id a-1 is that of a/0.tar/1.jpg too; put")
    (sources / "a" / "1.tar").unlink()
    put(tmp_path, "a-/0.tar", {"2.jpg": image(2), "2.txt": b"boot"})
    assert refused(sources, tmp_path) == (
        "sources/a-/0.tar: its shard a--0 would not come after a-0; rename the folder a-"
    )


def found(sources: Path, tmp_path: Path, **changes: object) -> pd.DataFrame:
    with Spool(tmp_path / "webdataset.sqlite") as spool:
        return open_webdataset(sources, **changes).find(spool).hits


def captioned(key: str, number: int, ending: str = "jpg") -> dict[str, bytes]:
    return {f"{key}.{ending}": image(number), f"{key}.txt": b"boot"}


def test_tars_that_were_joined_are_read_to_their_end(tmp_path: Path) -> None:
    sources = put(tmp_path, "a/0.tar", {})
    parts = [tar_of(captioned(str(number), number)) for number in range(3)]
    (sources / "a" / "0.tar").write_bytes(parts[0] + parts[1] + bytes(512 * 3000) + parts[2])
    photos = pack(open_webdataset(sources), tmp_path / "out", licences=LICENCES)
    assert photos["fault"].to_dict() == {"a-0": "", "a-1": "", "a-2": ""}
    pool = open_set(tmp_path / "out" / "pool")
    assert [pool.read(row) for row in range(3)] == [image(number) for number in range(3)]
    (sources / "a" / "0.tar").write_bytes(parts[0] + b"x" * 512)
    broken = "sources/a/0.tar: broken tar at member what follows 0.txt ("
    assert refused(sources, tmp_path).startswith(broken)
    (sources / "a" / "0.tar").write_bytes(parts[0] + parts[1][:600])
    assert refused(sources, tmp_path).startswith("sources/a/0.tar: broken tar at member ")


@pytest.mark.parametrize("key", ["photo.v1", "IMG_2024.05.01", "1.2.3.4"])
def test_a_key_ends_at_the_last_dot_of_its_name(tmp_path: Path, key: str) -> None:
    sources = put(tmp_path, "a/0.tar", captioned(key, 1))
    hits = found(sources, tmp_path)
    assert hits[["id", "title"]].to_numpy().tolist() == [[f"a-{key}", "boot"]]


def test_a_hard_link_is_the_file_that_it_names(tmp_path: Path) -> None:
    sources = put(tmp_path, "a/0.tar", captioned("1", 1))
    with tarfile.open(sources / "a" / "0.tar", "a") as tar:
        for name, target in {"2.jpg": "1.jpg", "2.txt": "1.txt"}.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.LNKTYPE, target
            tar.addfile(link)
    photos = pack(open_webdataset(sources), tmp_path / "out", licences=LICENCES)
    assert photos["fault"].to_dict() == {"a-1": "", "a-2": "duplicate"}


@pytest.mark.parametrize("name", ["a/0.TAR", "a/more/0.tar", "a/b/c/0.Tar"])
def test_tars_are_found_by_any_case_and_in_folders_within(tmp_path: Path, name: str) -> None:
    sources = put(tmp_path, name, captioned("1", 1))
    photos = pack(open_webdataset(sources), tmp_path / "out", licences=LICENCES)
    assert photos["fault"].to_dict() == {"a-1": ""}
    shard = name[:-4].replace("/", "-")
    assert photos.loc["a-1", ["shard", "url"]].tolist() == [shard, f"{name}/1.jpg"]


@pytest.mark.parametrize(("key", "id_"), [("photos/1", "a-photos-1"), ("./b/c/1", "a-b-c-1"), ("b/1.v2", "a-b-1.v2")])
def test_photos_in_folders_of_a_tar_are_read(tmp_path: Path, key: str, id_: str) -> None:
    sources = put(tmp_path, "a/0.tar", captioned(key, 1))
    photos = pack(open_webdataset(sources), tmp_path / "out", licences=LICENCES)
    assert photos["fault"].to_dict() == {id_: ""}


@pytest.mark.parametrize("ending", ["jfif", "JPE", "bmp"])
def test_pictures_of_every_ending_that_is_read_are_taken_up(tmp_path: Path, ending: str) -> None:
    sources = put(tmp_path, "a/0.tar", captioned("1", 1, ending))
    assert list(found(sources, tmp_path)["page"]) == [f"a/0.tar/1.{ending}"]


def test_what_is_passed_over_is_counted_by_its_kind(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    members = captioned("1", 1) | {"1.png": image(1, "PNG"), "2.txt": b"boot", "2.json": b"{}"}
    members |= {"3.avif": b"avif", "4.AVIF": b"avif", "5": b"no ending", "6.npy": b"numbers"}
    sources = put(tmp_path, "a/0.tar", members)
    with tarfile.open(sources / "a" / "0.tar", "a") as tar:
        for name, kind, target in (("7.jpg", tarfile.SYMTYPE, "1.jpg"), ("8.jpg", tarfile.LNKTYPE, "gone.jpg")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, target
            tar.addfile(link)
    (sources / "a" / "0.parquet").write_bytes(b"not read")
    (sources / "a" / "photos.zip").write_bytes(b"not read")
    (sources / "loose.csv").write_bytes(b"not read")
    assert list(found(sources, tmp_path)["id"]) == ["a-1"]
    assert capsys.readouterr().out.splitlines() == [
        "scrape: sources: what is no folder of tars passed over: 1 (loose.csv)",
        "scrape: sources/a: files that are no tars passed over: 2 (.parquet 1, .zip 1)",
        "scrape: sources/a: other members of tars passed over: 9 (.avif 2, link 2, .json without a photo 1, "
        ".npy 1, .png beside another 1, .txt without a photo 1, no ending 1)",
    ]


def test_a_sparse_member_whose_bytes_lie_apart_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    sources = put(tmp_path, "a/0.tar", captioned("1", 1))
    sparse = tarfile.TarInfo("2.jpg")
    sparse.type, sparse.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(sparse.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (4096, 512)  # one piece: its offset in the file, and its size
    header[483:495] = b"%011o\0" % 4608  # the file's size
    header[148:156] = b" " * 8  # what the check sum is of
    header[148:156] = b"%06o\0 " % sum(header)
    whole = (sources / "a" / "0.tar").read_bytes()
    (sources / "a" / "0.tar").write_bytes(bytes(header) + bytes(512) + whole)
    assert list(found(sources, tmp_path)["id"]) == ["a-1"]
    assert "other members of tars passed over: 1 (special file 1)" in capsys.readouterr().out


def test_what_macos_adds_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    members = {"./._1.jpg": b"attributes", "__MACOSX/._1.txt": b"attributes", ".DS_Store": b"places"}
    sources = put(tmp_path, "a/0.tar", members | captioned("1", 1))
    for name in ("a/._0.tar", "._a", "a/.DS_Store"):
        (sources / name).write_bytes(b"\0\5\x16\7")
    assert list(found(sources, tmp_path)["id"]) == ["a-1"]
    assert capsys.readouterr().out == ""


COMPRESSED = "is compressed, and photos are read where they lie; decompress it, as by `gunzip` or `zstd -d`"


@pytest.mark.parametrize("name", ["0.tar.gz", "0.tgz", "0.TAR.XZ", "0.tar.zst"])
def test_a_compressed_tar_is_refused_with_the_mend(tmp_path: Path, name: str) -> None:
    sources = put(tmp_path, "a/1.tar", captioned("1", 1))
    (sources / "a" / name).write_bytes(b"anything")
    assert refused(sources, tmp_path) == f"sources/a/{name}: {COMPRESSED}"


@pytest.mark.parametrize("squeeze", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_tar_is_refused_by_its_content_too(tmp_path: Path, squeeze: Callable[[bytes], bytes]) -> None:
    sources = put(tmp_path, "a/1.tar", {})
    (sources / "a" / "1.tar").write_bytes(squeeze(tar_of(captioned("1", 1))))
    assert refused(sources, tmp_path) == f"sources/a/1.tar: {COMPRESSED}"


@pytest.mark.parametrize("name", ["BZhang", "BZh9", "PK"])
def test_a_tar_is_not_taken_for_compressed_by_the_name_of_its_first_photo(tmp_path: Path, name: str) -> None:
    sources = put(tmp_path, "a/0.tar", captioned(name, 1))
    assert list(found(sources, tmp_path)["id"]) == [f"a-{name}"]


@pytest.mark.parametrize("ending", ["txt", "cls", "json"])
def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path, ending: str) -> None:
    text = b'{"label": "boot"}' if ending == "json" else b"boot"
    sources = put(tmp_path, "a/0.tar", {"1.jpg": image(1), f"1.{ending}": b"\xef\xbb\xbf" + text})
    hits = found(sources, tmp_path)
    assert hits[["class_name", "title"]].to_numpy().tolist() == [["boot", "boot" if ending == "txt" else ""]]


def test_no_photo_takes_another_s_place(tmp_path: Path) -> None:
    sources = put(tmp_path, "a/0.tar", {})
    first, second = tar_of(captioned("1", 1)), tar_of(captioned("1", 2))
    (sources / "a" / "0.tar").write_bytes(first + second)
    twice = "comes twice; give every photo a key of its own, or put the tars into deliveries of their own"
    assert refused(sources, tmp_path) == f"sources/a/0.tar: member 1.jpg {twice}"
    put(tmp_path, "a/0.tar", captioned("1", 1) | captioned("1", 2, "JPG"))
    assert refused(sources, tmp_path) == f"sources/a/0.tar: member 1.JPG {twice}"
    put(tmp_path, "a/0.tar", captioned("1", 1))
    put(tmp_path, "a/0.TAR", captioned("2", 2))
    assert refused(sources, tmp_path) == (
        "sources/a/0.tar: its shard a-0 is that of sources/a/0.TAR too; rename one of them"
    )


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        (5123456789, "5123456789"),
        (5123456789.0, "5123456789"),
        (12345678901234567, "12345678901234567"),
        ("5123456789.0", "5123456789.0"),  # a text is a text
        (0.5, "0.5"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_a_number_in_json_is_told_in_its_digits(tmp_path: Path, owner: object, told: str) -> None:
    sources = put(tmp_path, "a/0.tar", sample(1, "boot", owner=owner))
    assert list(found(sources, tmp_path)["owner"]) == [told]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"owner": 1.2345678901234568e18}, "owner 1.2345678901234568e+18 is a float, which has lost digits of a whole"),
        ({"url": ["https://photos.example"]}, "url is a list; write a text or a number"),
        ({"owner_name": {"first": "Ann"}}, "owner_name is a dict; write a text or a number"),
    ],
)
def test_a_value_that_is_no_text_is_named(tmp_path: Path, facts: dict[str, object], said: str) -> None:
    sources = put(tmp_path, "a/0.tar", sample(1, "boot", **facts))
    assert refused(sources, tmp_path).startswith(f"sources/a/0.tar: member 000001.json: {said}")


def test_a_caption_of_several_texts_is_named(tmp_path: Path) -> None:
    sources = put(tmp_path, "a/0.tar", {"1.jpg": image(1), "1.json": b'{"caption": ["boot", "wellington"]}'})
    assert refused(sources, tmp_path) == "sources/a/0.tar: member 1.json: caption is a list; write a text or a number"


@pytest.mark.parametrize("labels", [[1, 2], {"boxes": []}])
def test_labels_that_are_no_names_leave_the_word_to_the_caption(tmp_path: Path, labels: object) -> None:
    sources = put(tmp_path, "a/0.tar", sample(1, "boot", label=labels))
    assert list(found(sources, tmp_path)["query"]) == ["boot"]


@pytest.mark.parametrize("stated", [".0", "?.0", "nan.0", "4.00.0"])
def test_what_only_looks_like_a_number_is_no_licence(tmp_path: Path, stated: str) -> None:
    sources = put(tmp_path, "a/0.tar", sample(1, "boot", license=stated))
    assert list(found(sources, tmp_path)["fault"]) == ["licence"]


def test_tars_in_a_folder_that_links_reach_twice_are_read_once(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    sources = put(tmp_path, "a/0.tar", captioned("1", 1))
    put(tmp_path / "elsewhere", "part/1.tar", captioned("2", 2))
    (sources / "a" / "up").symlink_to("..")
    (sources / "a" / "part").symlink_to(tmp_path / "elsewhere" / "sources" / "part")
    (sources / "b").symlink_to("a")
    assert list(found(sources, tmp_path)["id"]) == ["a-1", "a-2"]
    said = capsys.readouterr().out
    assert "scrape: sources/a: links in a circle or to folders read already passed over: 1 (a/up)\n" in said
    assert "scrape: sources/b: links in a circle or to folders read already passed over: 1 (b)\n" in said


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_and_decomposed_names_are_one_name(tmp_path: Path, form: str) -> None:
    name, written = "caf\xe9", unicodedata.normalize(form, "caf\xe9")
    by_text = {"3.jpg": image(3), "3.cls": written.encode()}
    sources = put(tmp_path, "a/0.tar", sample(1, f"a {written}") | sample(2, "none", label=written) | by_text)
    source = WebDataset(sources, {name: [name]}, [name, "bag"], scrape_params(licences=LICENCES))
    with Spool(tmp_path / "webdataset.sqlite") as spool:
        hits = source.find(spool).hits
    assert hits[["class_name", "query"]].to_numpy().tolist() == [[name, name], [name, ""], [name, ""]]


def test_where_no_photo_has_a_class_the_mend_is_that_of_tars(tmp_path: Path) -> None:
    mend = "widen scrape.queries or errors.classes, or let `<key>.cls` hold the class's name"
    said = f"sources: no photo is of a debug class (bag, boot), by its label or its caption; {mend}"
    sources = put(tmp_path, "a/0.tar", sample(1, "a table"))
    assert refused(sources, tmp_path) == said
    put(tmp_path, "a/0.tar", sample(1, "a shirt", label="shirt"))
    assert refused(sources, tmp_path) == said
    put(tmp_path, "a/0.tar", {})
    assert refused(sources, tmp_path) == said


@pytest.mark.parametrize("name", ["a/1.jpg", "a/b/0.parquet", "a/._0.tar"])
def test_folders_without_a_tar_are_told_apart(tmp_path: Path, name: str) -> None:
    (tmp_path / "sources" / name).parent.mkdir(parents=True)
    (tmp_path / "sources" / name).write_bytes(b"")
    mend = "put some in, or choose another scrape.endpoint"
    assert refused(tmp_path / "sources", tmp_path) == f"sources: no folder there holds a tar; {mend}"
