"""A photo in a set whose files stay where they are, and its copy in the pool: one digest, the same pixels."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from debugset.datasets.imagenet import describe_files
from debugset.dcd.dedup import Leaks, decide_fates
from debugset.images.sets import open_set, write_manifest
from debugset.pool.deliveries.folder import Folder
from tests.pool.deliveries.samples import pack
from tests.pool.worlds import CLASSES, scrape_params

pytestmark = pytest.mark.usefixtures("own_spool")
ORIENTATION, MAKER, DESCRIPTION = 0x0112, 0x010F, 0x010E
FORMS = {
    "photo.jpg": ("JPEG", {"quality": 90}),
    "scan.png": ("PNG", {}),
    "phone.webp": ("WEBP", {"quality": 90}),
    "two pictures.jpeg": ("MPO", {"save_all": True}),
}


def camera_file(number: int, orientation: int, form: str) -> bytes:
    """A photo as a camera writes it: 48 x 32 px, metadata with it."""
    noise = np.random.default_rng(number).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER], exif[DESCRIPTION] = orientation, "Camera", f"number {number}"
    format_name, options = FORMS[form]
    stream = io.BytesIO()
    Image.fromarray(noise).resize((48, 32)).save(stream, format_name, exif=exif, **options)
    return stream.getvalue()


def described(root: Path, monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes]) -> Path:
    """The files as a set that stays where it is; its folder."""
    for name, content in contents.items():
        path = root / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    rows = [(Path(name).as_posix().replace("/", "_"), 0, f"set/{name}") for name in contents]
    files = pd.DataFrame(rows, columns=["id", "label", "shard"])
    monkeypatch.setenv("IMAGENET_ROOT", str(root))
    (root / "manifest").mkdir()
    write_manifest(root / "manifest", describe_files(root, files, "set"), ["bag"], root_variable="IMAGENET_ROOT")
    return root / "manifest"


def packed(root: Path, contents: dict[str, bytes]) -> Path:
    """The files as a pool; its folder."""
    for name, content in contents.items():
        path = root / "sources" / "delivery" / "bag" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    source = Folder(root / "sources", ["bag"], CLASSES, scrape_params(licences=["unknown"]))
    pack(source, root / "out", licences=["unknown"])
    return root / "out" / "pool"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_copy_has_the_digest_and_the_pixels_of_its_original(
    form: str, orientation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {f"{number}/{form}": camera_file(number, orientation, form) for number in range(5)}
    images = open_set(described(tmp_path, monkeypatch, contents))
    pool = open_set(packed(tmp_path, contents))
    assert len(pool) == len(images) == 5
    original_row = {digest: row for row, digest in enumerate(images.manifest["sha256"])}
    rows = [original_row[digest] for digest in pool.manifest["sha256"]]
    assert np.array_equal(pool.pixels(range(5), 32), images.pixels(rows, 32))
    for name in ("width", "height"):
        assert pool.manifest[name].tolist() == images.manifest[name].tolist()
    assert images.image(0).size == ((32, 48) if orientation == 6 else (48, 32))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_images_stand_upright_where_they_lie(orientation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a camera held another way writes is the picture that it saw: no model is fed one that lies on its side."""
    straight, turned = camera_file(0, 1, "scan.png"), camera_file(0, orientation, "scan.png")
    images = open_set(described(tmp_path, monkeypatch, {"a.png": straight, "b.png": turned}))
    turns = {2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (1, 1), 6: (-1, 0), 7: (-1, 1), 8: (1, 0)}
    quarters, is_mirrored = turns[orientation]
    expected = np.rot90(np.asarray(images.image(0)), quarters)
    if is_mirrored:
        expected = expected[:, ::-1] if orientation in (2, 4) else expected[::-1]
    assert np.array_equal(np.asarray(images.image(1)), expected)
    assert images.image(1).size == (images.manifest["width"][1], images.manifest["height"][1])


def test_every_copy_of_a_test_image_leaves_the_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {f"{number}.jpg": camera_file(number, 6, "photo.jpg") for number in range(60)}
    tests, pool = open_set(described(tmp_path, monkeypatch, contents)), open_set(packed(tmp_path, contents))
    none_near = Leaks(np.ones(60, bool), np.zeros(60, np.int64), np.full(60, np.inf))
    named = tests.manifest.assign(set="test")
    fates = decide_fates(pool.manifest, named, named.iloc[:0], none_near, {0: 1.0})
    assert (~fates["keep"]).sum() == 60
    assert set(fates["reason"]) == {"leak"}


@pytest.mark.parametrize("mode", ["I;16", "RGBA", "LA"])
def test_pool_and_sets_see_the_same_colours(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32)
    if mode == "I;16":
        image, first = Image.fromarray(levels * 64), (0, 0, 0)
    else:
        image = Image.fromarray((levels // 4).astype(np.uint8)).convert(mode)
        image.putalpha(Image.new("L", image.size, 0))
        first = (255, 255, 255)  # nothing of the hidden colours shows
    stream = io.BytesIO()
    image.save(stream, "PNG")
    contents = {"one.png": stream.getvalue()}
    images, pool = open_set(described(tmp_path, monkeypatch, contents)), open_set(packed(tmp_path, contents))
    assert np.array_equal(np.asarray(images.image(0)), np.asarray(pool.image(0)))
    assert images.image(0).getpixel((31, 31)) == (255, 255, 255)
    assert images.image(0).getpixel((0, 0)) == first
    if mode == "I;16":
        assert np.array_equal(np.asarray(images.image(0))[..., 0], levels * 64 >> 8)
