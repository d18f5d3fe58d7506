import re
import shutil
from html.parser import HTMLParser

import pandas as pd
import pytest

from debugset.report.inputs import Inputs
from debugset.report.page import SECTIONS, render
from debugset.report.params import ReportParams
from debugset.report.sections import embedders, picks, pool
from debugset.report.write import write_report
from tests.report.world import DEBUG_NAMES, RIGHT, XSS, write_world


class Elements(HTMLParser):
    """All elements of a page: (name, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def attributes(self, name):
        return [found[name] for _, found in self.found if name in found]


def test_page_needs_nothing_else(page):
    elements = Elements(page)
    loaded = elements.attributes("src") + elements.attributes("srcset") + elements.attributes("data")
    assert loaded
    assert all(source.startswith("data:image/") for source in loaded)
    links = elements.attributes("href") + elements.attributes("xlink:href")
    assert all(link.startswith("#") for link in links)
    assert not {tag for tag, _ in elements.found} & {"script", "link", "iframe", "object", "embed", "base"}
    assert "@import" not in page
    assert all(url.startswith("#") for url in re.findall(r"url\((.*?)\)", page))


def test_page_is_accessible(page):
    elements = Elements(page)
    assert all(found["alt"].strip() for tag, found in elements.found if tag == "img")
    drawings = [found for tag, found in elements.found if tag == "svg"]
    assert len(drawings) == 5
    assert all(found["role"] == "img" and found["aria-label"] for found in drawings)
    ids = elements.attributes("id")
    assert len(ids) == len(set(ids))
    assert set(link[1:] for link in elements.attributes("href")) <= set(ids)


def test_every_section_is_shown_and_listed(page):
    ids = Elements(page).attributes("id")
    for section in SECTIONS:
        assert section.__name__.rpartition(".")[2] in ids
        assert section.SHORT in page
    assert 'class="missing"' not in page


def test_page_tells_the_accuracy_that_the_predictions_have(world, page):
    predictions = pd.read_parquet(world / "data/predictions.parquet")
    failures = pd.read_parquet(world / "data/errors/failures.parquet")
    heldout = failures[failures["role"] == "heldout"]["image_id"]
    for variant in RIGHT:
        rows = predictions[(predictions["variant"] == variant) & predictions["image_id"].isin(heldout)]
        accuracy = 100 * (rows["label"] == rows["predicted"]).mean()
        cells = re.search(rf'<th scope="row">{variant}</th>(.*?)</tr>', page, re.DOTALL).group(1)
        assert re.findall(r"<td[^>]*>([\d.]+)<small>", cells)[1] == f"{accuracy:.1f}"


def test_text_of_strangers_is_escaped(world, page):
    titles = pd.read_parquet(world / "data/pool/manifest.parquet")["title"]
    assert (titles == XSS).all()
    assert "onerror=alert(1)&gt;" in page
    elements = Elements(page).found
    assert not [found for _, found in elements if "onerror" in found or found.get("src") == "x"]
    assert not [tag for tag, _ in elements if tag == "script"]


def test_a_section_without_its_data_says_so(world, tmp_path, params):
    shutil.copytree(world / "data", tmp_path / "data")
    (tmp_path / "data/retention.parquet").unlink()
    shutil.rmtree(tmp_path / "data/pool")
    text = render(Inputs(tmp_path, params, DEBUG_NAMES))
    for section, path in ((embedders, "data/retention.parquet"), (pool, "data/pool/manifest.parquet")):
        name = section.__name__.rpartition(".")[2]
        part = text[text.index(f'<section id="{name}">') :]
        assert section.TITLE in part[:400]
        assert f"Not in this report: <code>{path}</code>" in part[:600]
    assert "held-out failures right" in text  # what needs neither is still there


def test_nothing_but_a_list_of_what_is_missing_without_any_data(tmp_path, params):
    text = render(Inputs(tmp_path, params, DEBUG_NAMES))
    assert text.count('class="missing"') == len([section for section in SECTIONS if section.NEEDS])


@pytest.mark.parametrize("role", ["seed", "heldout"])
def test_a_model_without_failures_of_a_role_is_reported(world, tmp_path, params, role):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "data/errors/failures.parquet"
    failures = pd.read_parquet(path)
    failures[failures["role"] != role].to_parquet(path)
    write_report(tmp_path, params, DEBUG_NAMES)
    text = (tmp_path / "report/index.html").read_text()
    assert "NaN" not in "".join(path.read_text() for path in (tmp_path / "metrics").glob("*.json"))
    assert ("has no held-out failures" in text) == (role == "heldout")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A world of larger photos whose truth is not known, as from Flickr."""
    root = tmp_path_factory.mktemp("photographs")
    write_world(root, truth=False, photo_size=300)
    return root


def test_without_truth_nothing_is_called_right_or_wrong(photographs, params):
    inputs = Inputs(photographs, params, DEBUG_NAMES)
    shown = picks.context(inputs)
    tiles = [tile for row in shown["rows"] for lane in row["lanes"] for tile in lane["tiles"]]
    assert tiles
    assert {tile.mark for tile in tiles} == {""}
    assert pool.weak_label_precision(inputs) is None
    assert "right class" not in render(inputs)


def test_photographs_become_thumbnails_and_the_page_stays_small(photographs):
    text = render(Inputs(photographs, ReportParams(resamples=100), DEBUG_NAMES))
    assert text.count("data:image/jpeg") > 100
    assert len(text.encode()) < 5_000_000
