"""Tables in the pages that are written by `make results`, between two comments that name them."""

from collections.abc import Iterator
from pathlib import Path

from debugset.base.files import replacing_file
from tools.results.shared import MEND

BLOCKS = (  # page, name
    (Path("README.md"), "table"),
    (Path("docs/barlow.md"), "mending"),
    (Path("docs/barlow.md"), "rules"),
    (Path("docs/barlow.md"), "planted"),
    (Path("docs/relations.md"), "levels"),
    (Path("docs/relations.md"), "costs"),
    (Path("docs/sparse.md"), "layers"),
    (Path("docs/sparse.md"), "removals"),
    (Path("docs/sparse.md"), "blame"),
    (Path("docs/sparse.md"), "swaps"),
    (Path("docs/sparse.md"), "patches"),
)


def write_block(page: Path, name: str, text: str) -> None:
    """Replace what stands between a page's two comments for ``name``.

    Raises:
        ValueError: the page has no such comments.
    """
    before, _, after = _parts(page, name)
    with replacing_file(page) as temporary:
        temporary.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def read_block(page: Path, name: str) -> str:
    """What stands there."""
    return _parts(page, name)[1].strip("\n")


def block_problems(root: Path, page: Path, name: str, text: str, source: str) -> Iterator[str]:
    """A line if a page's block is not the text that its source gives."""
    if read_block(root / page, name) != text:
        yield f"{page}: table `{name}` is not what {source} say; {MEND}"


def _parts(page: Path, name: str) -> tuple[str, str, str]:
    """A page's text up to the end of the first comment, between the two, and from the second on."""
    begin, end = f"<!-- {name}: written by `make results` -->", f"<!-- end of {name} -->"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"{page}: expected the comments {begin} and {end}, in this order; restore them from git")
    before, rest = text.split(begin)
    between, after = rest.split(end)
    return before + begin, between, end + after
