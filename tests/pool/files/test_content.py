import io
import warnings
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

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
    assert inspect(content, MANY) == (
        "ok", 40, 24, len(content), name.split(",")[0], sha256(content).hexdigest(), content
    )  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_metadata_goes_and_pixels_and_profile_stay(name: str) -> None:
    content = TOLD[name]
    file = inspect(content, MANY)
    assert (file.status, file.size, file.extension) == ("ok", len(content), name.split(",")[0])
    assert SECRET not in file.content
    assert file.sha256 == sha256(file.content).hexdigest()
    np.testing.assert_array_equal(pixels(file.content), pixels(content))
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(file.content)) as after:
        assert after.format in ("JPEG", "PNG", "GIF", "WEBP")
        assert not after.getexif()
        assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert inspect(file.content, MANY).content == file.content


def test_a_webp_no_longer_promises_what_is_gone() -> None:
    flags = inspect(TOLD["webp"], MANY).content[20]
    assert flags & 0x0C == 0 and flags & 0x20  # EXIF, XMP; the profile


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("name", TURNED)
def test_orientation_is_applied_and_forgotten(name: str, turn: int) -> None:
    content = TURNED[name](turn)
    file = inspect(content, MANY)
    wanted = upright(content)
    assert (file.status, file.height, file.width) == ("ok", *wanted.shape[:2])
    loss = np.abs(pixels(file.content).astype(int) - wanted).max()
    assert loss <= (3 if name.startswith("jpg") else 0)
    assert inspect(file.content, MANY).content == file.content  # nothing is left to do
    assert inspect(content, MANY) == file
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(file.content)) as after:
        assert (after.mode, after.info.get("icc_profile")) == (before.mode, before.info.get("icc_profile"))


def test_a_turned_jpeg_is_compressed_as_it_was() -> None:
    tables = [list(range(1, 65)), list(range(64, 0, -1))]
    content = saved(picture(), "JPEG", exif=exif(6), qtables=tables, subsampling=2, progressive=True)
    with Image.open(io.BytesIO(inspect(content, MANY).content)) as image:
        transposed = {number: np.reshape(table, (8, 8)).T.ravel().tolist() for number, table in enumerate(tables)}
        assert image.quantization == transposed
        assert image.layer[0][1:3] == (2, 2)
        assert image.info["progressive"]


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    file = inspect(saved(picture(), "PNG", exif=exif(orientation)), MANY)
    assert file.content == saved(picture(), "PNG")


@pytest.mark.parametrize("content", [*PLAIN.values(), *TOLD.values()], ids=[*PLAIN, *(f"told {name}" for name in TOLD)])
def test_a_file_cut_anywhere_is_truncated(content: bytes) -> None:
    whole = len(inspect(content, MANY).content) if content in PLAIN.values() else len(content.removesuffix(SECRET))
    for length in {12, 40, whole // 4, whole // 2, whole - 30, whole - 4, whole - 1}:
        file = inspect(content[:length], MANY)
        if file.status == "ok":  # nothing but a trailer is missing
            np.testing.assert_array_equal(pixels(file.content), pixels(content))
            assert "two pictures" in str([name for name, one in TOLD.items() if one == content])
        else:
            assert file == ("truncated", 0, 0, length, "", "", b"")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", "undecodable"),
        (b"%PDF-1.4", "undecodable"),
        (b"<svg/>", "undecodable"),
        (b'{"stat": "fail"}', "undecodable"),
        (saved(picture(), "BMP"), "undecodable"),
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
    assert inspect(content, MANY) == (status, 0, 0, len(content), "", "", b"")


@pytest.mark.parametrize("name", PLAIN)
def test_too_many_pixels_are_not_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = PLAIN[name]
    assert inspect(content, 40 * 24).status == "ok"
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("decoded"))
    assert inspect(content, 40 * 24 - 1) == ("too_many_pixels", 40, 24, len(content), "", "", b"")


def test_a_bomb_takes_no_memory() -> None:
    webp = bytearray(PLAIN["webp, profile"])
    webp[24:30] = b"\xff\x3f\0" * 2  # 16,384 x 16,384: opening it would take two gigabytes
    assert inspect(bytes(webp), MANY)[:3] == ("too_many_pixels", 16384, 16384)


@pytest.mark.parametrize("name", PLAIN)
def test_pillows_own_limit_is_not_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inspect(PLAIN[name], MANY).status == "ok"
    assert Image.MAX_IMAGE_PIXELS == 10


def test_broken_metadata_does_not_lose_a_picture() -> None:
    jpeg = with_segments(JPEG, segment(0xE1, b"Exif\0\0MM\0*" + b"\xff" * 40), segment(0xE2, b"MPF\0broken"))
    assert inspect(jpeg, MANY).content == JPEG


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
    file = inspect(content, MANY)
    assert file.size == len(content)
    if file.status != "ok":
        assert (file.content, file.sha256, file.extension) == (b"", "", "")
        assert file.status in ("html", "truncated", "undecodable", "too_many_pixels")
        return
    kept = pixels(file.content)
    assert kept.shape[:2] == (file.height, file.width)
    try:
        original = upright(content)
    except Exception:  # only what was removed was broken
        return
    if file.extension == "jpg" and file.content[:64] not in content:  # encoded anew
        assert kept.shape == original.shape
    else:
        np.testing.assert_array_equal(kept, original)


def test_a_machine_without_memory_judges_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", full)
    with pytest.raises(OSError, match="no memory is left"):
        inspect(JPEG, MANY)
