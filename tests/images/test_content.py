import io
import warnings
import zlib
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from debugset.images.content import FAULT_TEXTS, decode_image, image_size, inspect_file
from debugset.pool.files.content import inspect

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about broken metadata
MANY = 1_000_000
SECRET = b"Jane Doe, 47.3769 N"  # stands for all that metadata tells of a person
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"


def picture(mode: str = "RGB", width: int = 40, height: int = 24) -> Image.Image:
    """Smooth and not symmetric, so that a wrong turn or wrong tables show."""
    y, x = np.mgrid[:height, :width]
    channels = [6 * x, 10 * y, 3 * x + 5 * y, 255 - 2 * x - y]
    pixels = np.stack(channels, axis=2).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels, "RGBA").convert("RGB").convert(mode) if mode != "RGBA" else Image.fromarray(pixels)


def exif(orientation: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[0x0112], data[0x013B] = orientation, SECRET.decode()
    return data


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def png_text() -> PngInfo:
    info = PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=False)
    return info


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2) + payload


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def pixels(content: bytes) -> np.ndarray:
    with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as image:
        warnings.simplefilter("ignore")
        return np.asarray(image.convert("RGBA"))


def upright(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGBA"))


PLAIN = {
    "jpg": saved(picture(), "JPEG"),
    "jpg, progressive": saved(picture(), "JPEG", progressive=True, icc_profile=PROFILE),
    "jpg, grey": saved(picture("L"), "JPEG"),
    "jpg, CMYK": saved(picture("CMYK"), "JPEG"),
    "png": saved(picture(), "PNG", icc_profile=PROFILE),
    "png, palette": saved(picture("P"), "PNG", transparency=3),
    "png, 16 bits": saved(picture("L").convert("I;16"), "PNG"),
    "png, alpha": saved(picture("RGBA"), "PNG", dpi=(300, 300)),
    "gif": saved(picture("P"), "GIF"),
    "gif, animated": saved(picture(), "GIF", save_all=True, append_images=[picture().rotate(180)], loop=0),
    "webp": saved(picture(), "WEBP"),
    "webp, lossless": saved(picture("RGBA"), "WEBP", lossless=True, exact=True),
    "webp, profile": saved(picture(), "WEBP", icc_profile=PROFILE),
    "webp, animated": saved(picture(), "WEBP", save_all=True, append_images=[picture().rotate(180)]),
    "bmp": saved(picture(), "BMP"),
}
JPEG = PLAIN["jpg"]
TOLD = {
    "jpg": with_segments(
        saved(picture(), "JPEG", exif=exif(), icc_profile=PROFILE, comment=SECRET),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        segment(0xED, b"Photoshop 3.0\0" + SECRET),
        segment(0xE0, b"JFXX\0" + SECRET),
        segment(0xE2, b"MPF\0" + SECRET),
        b"junk" + SECRET,
    ),
    "jpg, with an end of its own": saved(picture(), "JPEG", progressive=True) + SECRET,
    "jpg, two pictures": saved(picture(), "MPO", save_all=True, append_images=[picture("L")], exif=exif()) + SECRET,
    "png": saved(picture(), "PNG", exif=exif(), pnginfo=png_text(), icc_profile=PROFILE) + SECRET,
    "gif": saved(picture("P"), "GIF", comment=SECRET) + SECRET,
    "webp": saved(picture(), "WEBP", exif=exif(), xmp=XMP, icc_profile=PROFILE) + SECRET,
    "webp, animated": saved(picture(), "WEBP", xmp=XMP, save_all=True, append_images=[picture().rotate(180)]),
}
TURNED = {
    "jpg": lambda turn: saved(picture(), "JPEG", exif=exif(turn), quality=97, subsampling=0, icc_profile=PROFILE),
    "jpg, grey": lambda turn: saved(picture("L"), "JPEG", exif=exif(turn), quality=97),
    "jpg, CMYK": lambda turn: saved(picture("CMYK"), "JPEG", exif=exif(turn), quality=97),
    "png": lambda turn: saved(picture(), "PNG", exif=exif(turn), icc_profile=PROFILE),
    "png, palette": lambda turn: saved(picture("P"), "PNG", exif=exif(turn), transparency=3),
    "png, 16 bits": lambda turn: saved(picture("L").convert("I;16"), "PNG", exif=exif(turn)),
    "webp": lambda turn: saved(picture(), "WEBP", exif=exif(turn), icc_profile=PROFILE),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_picture_with_nothing_to_remove_stays_as_it_is(name: str) -> None:
    content = PLAIN[name]
    assert inspect_file(content, MANY) == (
        "", 40, 24, name.split(",")[0], sha256(content).hexdigest(), content
    )  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_metadata_goes_and_pixels_and_profile_stay(name: str) -> None:
    content = TOLD[name]
    file = inspect_file(content, MANY)
    assert (file.fault, file.extension) == ("", name.split(",")[0])
    assert SECRET not in file.content
    assert file.sha256 == sha256(file.content).hexdigest()
    np.testing.assert_array_equal(pixels(file.content), pixels(content))
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(file.content)) as after:
        assert after.format in ("JPEG", "PNG", "GIF", "WEBP")
        assert not after.getexif()
        assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert inspect_file(file.content, MANY).content == file.content


def test_a_webp_no_longer_promises_what_is_gone() -> None:
    flags = inspect_file(TOLD["webp"], MANY).content[20]
    assert flags & 0x0C == 0 and flags & 0x20  # EXIF, XMP; the profile


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("name", TURNED)
def test_orientation_is_all_that_is_kept_of_metadata_and_no_pixel_is_encoded_anew(name: str, turn: int) -> None:
    content = TURNED[name](turn)
    file = inspect_file(content, MANY)
    wanted = upright(content)
    assert (file.fault, file.height, file.width) == ("", *wanted.shape[:2])
    np.testing.assert_array_equal(upright(file.content), wanted)
    assert SECRET not in file.content
    assert inspect_file(file.content, MANY) == file  # nothing is left to do
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(file.content)) as after:
        assert dict(after.getexif()) == ({0x0112: turn} if turn > 1 else {})
        assert (after.mode, after.info.get("icc_profile")) == (before.mode, before.info.get("icc_profile"))


@pytest.mark.parametrize("turn", [1, 3, 6])
@pytest.mark.parametrize("name", TURNED)
def test_a_copy_has_the_picture_of_the_file_as_it_came(name: str, turn: int) -> None:
    content = TURNED[name](turn)
    copy = inspect_file(content, MANY).content
    image = decode_image(content)
    assert image.mode == "RGB"
    assert image_size(content) == image_size(copy) == image.size
    assert np.array_equal(np.asarray(decode_image(copy)), np.asarray(image))


@pytest.mark.parametrize("form", ["XMP of a JPEG", "text of a PNG", "EXIF at the end of a PNG"])
def test_an_orientation_is_found_wherever_it_stands(form: str) -> None:
    if form == "XMP of a JPEG":
        xmp = XMP.replace(SECRET, b'<rdf:Description tiff:Orientation="6"/>')
        content = with_segments(saved(picture(), "JPEG"), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp))
    elif form == "text of a PNG":
        data = exif(6).tobytes()
        info = PngInfo()
        info.add_text("Raw profile type exif", f"\nexif\n{len(data):8}\n{data.hex()}\n")
        content = saved(picture(), "PNG", pnginfo=info)
    else:
        png = saved(picture(), "PNG", exif=exif(6))
        start = png.index(b"eXIf") - 4
        chunk = png[start : start + 12 + int.from_bytes(png[start : start + 4])]
        content = png.replace(chunk, b"")[:-12] + chunk + png[-12:]
    file = inspect_file(content, MANY)
    assert (file.width, file.height) == (24, 40)
    assert decode_image(content).size == decode_image(file.content).size == (24, 40)
    assert np.array_equal(np.asarray(decode_image(content)), np.asarray(decode_image(file.content)))


def grey(levels: int) -> Image.Image:
    """16-bit grey values that rise from black to white."""
    return Image.fromarray(np.linspace(0, 65535, levels, dtype=np.uint16)[None].repeat(2, 0))


def hidden(alpha: int) -> Image.Image:
    """A red square under one alpha."""
    return Image.new("RGBA", (4, 4), (255, 0, 0, alpha))


@pytest.mark.parametrize(
    ("content", "first", "last"),
    [
        (saved(grey(256), "PNG"), (0, 0, 0), (255, 255, 255)),
        (saved(Image.new("I;16", (3, 3), 0x8040), "PNG"), (0x80,) * 3, (0x80,) * 3),
        (saved(grey(256), "PNG", transparency=0), (255, 255, 255), (255, 255, 255)),
        (saved(hidden(0), "PNG"), (255, 255, 255), (255, 255, 255)),
        (saved(hidden(255), "PNG"), (255, 0, 0), (255, 0, 0)),
        (saved(hidden(51), "PNG"), (255, 204, 204), (255, 204, 204)),
        (saved(hidden(0), "WEBP", lossless=True, exact=True), (255, 255, 255), (255, 255, 255)),
        (saved(Image.new("LA", (2, 2), (0, 0)), "PNG"), (255, 255, 255), (255, 255, 255)),
        (saved(Image.new("P", (2, 2), 0), "PNG", transparency=0), (255, 255, 255), (255, 255, 255)),
        (saved(Image.new("P", (2, 2), 0), "GIF", transparency=0), (255, 255, 255), (255, 255, 255)),
        (saved(Image.new("RGB", (2, 2), (9, 8, 7)), "PNG", transparency=(9, 8, 7)), (255,) * 3, (255,) * 3),
        (saved(Image.new("1", (2, 2), 1), "PNG"), (255, 255, 255), (255, 255, 255)),
        (saved(Image.new("RGB", (3, 5), (9, 8, 7)), "BMP"), (9, 8, 7), (9, 8, 7)),
    ],
)
def test_every_kind_of_pixels_is_decoded_to_the_colours_that_people_see(
    content: bytes, first: tuple[int, ...], last: tuple[int, ...]
) -> None:
    found = np.asarray(decode_image(content))
    assert (tuple(found[0, 0].tolist()), tuple(found[-1, -1].tolist())) == (first, last)
    assert decode_image(content).info == {}  # a transparent colour would be so again in a copy
    assert np.array_equal(np.asarray(decode_image(inspect_file(content, MANY).content)), found)


def test_16_bits_of_grey_keep_every_level() -> None:
    assert np.array_equal(np.asarray(decode_image(saved(grey(256), "PNG")))[0, :, 0], np.arange(256))


@pytest.mark.parametrize("content", [b"", b"<html>", b"BM", JPEG[: len(JPEG) // 2]])
def test_what_is_no_image_is_not_decoded(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a"):
        decode_image(content)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    file = inspect_file(saved(picture(), "PNG", exif=exif(orientation)), MANY)
    assert file.content == saved(picture(), "PNG")


@pytest.mark.parametrize("content", [*PLAIN.values(), *TOLD.values()], ids=[*PLAIN, *(f"told {name}" for name in TOLD)])
def test_a_file_cut_anywhere_is_truncated(content: bytes) -> None:
    whole = len(inspect_file(content, MANY).content) if content in PLAIN.values() else len(content.removesuffix(SECRET))
    for length in {12, 40, whole // 4, whole // 2, whole - 30, whole - 4, whole - 1}:
        file = inspect_file(content[:length], MANY)
        if not file.fault:  # nothing but a trailer is missing
            np.testing.assert_array_equal(pixels(file.content), pixels(content))
            assert "two pictures" in str([name for name, one in TOLD.items() if one == content])
        else:
            assert file == ("truncated", 0, 0, "", "", b"")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", "undecodable"),
        (b"%PDF-1.4", "undecodable"),
        (b"<svg/>", "undecodable"),
        (b'{"stat": "fail"}', "undecodable"),
        (b"BM" + bytes(60), "undecodable"),
        (b"<!DOCTYPE html><p>sorry", "html"),
        (b"\xef\xbb\xbf \r\n<HTML lang=en>", "html"),
        (b"<!-- a comment -->", "html"),
        (PLAIN["png"].replace(b"IHDR", b"IHDX"), "undecodable"),
        (PLAIN["png"][:60] + bytes(40) + PLAIN["png"][100:], "undecodable"),
        (JPEG.replace(b"\xff\xc0", b"\xff\xcf"), "undecodable"),
        (b"\xff\xd8\xff\xe0\0\0\xff\xd9", "undecodable"),
        (b"\xff\xd8\xff\xd9", "undecodable"),
    ],
)
def test_what_is_no_picture_says_why(content: bytes, status: str) -> None:
    assert inspect_file(content, MANY) == (status, 0, 0, "", "", b"")


@pytest.mark.parametrize("name", PLAIN)
def test_too_many_pixels_are_not_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = PLAIN[name]
    assert inspect_file(content, 40 * 24).fault == ""
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("decoded"))
    assert inspect_file(content, 40 * 24 - 1) == ("too_many_pixels", 40, 24, "", "", b"")


def test_a_bomb_takes_no_memory() -> None:
    webp = bytearray(PLAIN["webp, profile"])
    webp[24:30] = b"\xff\x3f\0" * 2  # 16,384 x 16,384: opening it would take two gigabytes
    assert inspect_file(bytes(webp), MANY)[:3] == ("too_many_pixels", 16384, 16384)


@pytest.mark.parametrize("name", PLAIN)
def test_pillows_own_limit_is_not_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inspect_file(PLAIN[name], MANY).fault == ""
    assert Image.MAX_IMAGE_PIXELS == 10


def test_broken_metadata_does_not_lose_a_picture() -> None:
    jpeg = with_segments(JPEG, segment(0xE1, b"Exif\0\0MM\0*" + b"\xff" * 40), segment(0xE2, b"MPF\0broken"))
    assert inspect_file(jpeg, MANY).content == JPEG


def with_chunk(png: bytes, kind: bytes, data: bytes, *, check: int | None = None, last: bool = False) -> bytes:
    """A PNG with one more chunk behind its header, or before its end; ``check`` is a wrong check sum."""
    check = zlib.crc32(kind + data) if check is None else check
    place = len(png) - 12 if last else 33
    return png[:place] + len(data).to_bytes(4) + kind + data + check.to_bytes(4) + png[place:]


LONG = zlib.compress(bytes(2_000_000))  # more than Pillow takes


@pytest.mark.parametrize("last", [False, True], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize(
    ("kind", "data", "check"),
    [
        (b"zTXt", b"history\0\0" + LONG, None),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG, None),
        (b"tEXt", b"Author\0" + SECRET, 5),
        (b"eXIf", b"MM\0*", 5),
    ],
    ids=["a long text", "a long XMP", "a wrong check sum", "a broken EXIF"],
)
def test_metadata_that_cannot_be_read_lose_no_picture(kind: bytes, data: bytes, check: int | None, last: bool) -> None:
    content = with_chunk(PLAIN["png"], kind, data, check=check, last=last)
    assert inspect_file(content, MANY).content == PLAIN["png"]
    assert image_size(content) == (40, 24)
    assert np.array_equal(np.asarray(decode_image(content)), np.asarray(picture()))


FILES = [*PLAIN.values(), *TOLD.values(), *(make(6) for make in TURNED.values())]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)) | st.integers(0, min(60, len(content))))
        removed = draw(st.sampled_from([0, 1, 1, 1, 2, 8, 5000]))
        content[place : place + removed] = draw(
            st.binary(max_size=4) | st.sampled_from([b"\xff", b"\xff\xd9", b"\0\0"])
        )
    return bytes(content)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations() | st.binary(max_size=300))
@example(b"RIFF\x04\0\0\0WEBP")
def test_strangers_bytes_never_raise_and_ok_means_a_picture_like_the_original(content: bytes) -> None:
    file = inspect_file(content, MANY)
    if file.fault:
        assert (file.content, file.sha256, file.extension) == (b"", "", "")
        assert file.fault in FAULT_TEXTS
        return
    kept = np.asarray(decode_image(file.content))
    assert kept.shape[:2] == (file.height, file.width)
    assert inspect_file(file.content, MANY).sha256 == file.sha256
    np.testing.assert_array_equal(kept, np.asarray(decode_image(content)))  # though what was removed be broken


def test_a_machine_without_memory_judges_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", full)
    with pytest.raises(MemoryError):
        inspect_file(JPEG, MANY)
    with pytest.raises(MemoryError):
        decode_image(JPEG)
    with pytest.raises(OSError, match="no memory is left to decode a picture; lower scrape"):
        inspect(JPEG, MANY)
