import re
import shutil

import pandas as pd
import pytest

from debugset.report.inputs import Inputs
from debugset.report.page import SECTIONS, render
from debugset.report.sections import embedders, pool
from debugset.report.write import write_report
from tests.report.conftest import PARAMS
from tests.report.elements import Elements, credited
from tests.report.world import DEBUG_NAMES, XSS, write_evaluation


def test_page_needs_nothing_else(page):
    elements = Elements(page)
    loaded = elements.attributes("src") + elements.attributes("srcset") + elements.attributes("data")
    assert loaded
    assert all(source.startswith("data:image/") for source in loaded)
    links = elements.attributes("href") + elements.attributes("xlink:href")
    assert all(link.startswith("#") for link in links if link not in credited(page).attributes("href"))
    assert not {tag for tag, _ in elements.elements} & {"script", "link", "iframe", "object", "embed", "base"}
    assert "@import" not in page
    assert all(url.startswith("#") for url in re.findall(r"url\((.*?)\)", page))


def test_page_is_accessible(page):
    elements = Elements(page)
    assert all(attributes["alt"].strip() for tag, attributes in elements.elements if tag == "img")
    drawings = [attributes for tag, attributes in elements.elements if tag == "svg"]
    assert len(drawings) == 12
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)
    ids = elements.attributes("id")
    assert len(ids) == len(set(ids))
    assert set(link[1:] for link in elements.attributes("href") if link.startswith("#")) <= set(ids)


def test_every_section_is_shown_and_listed(page):
    ids = Elements(page).attributes("id")
    for section in SECTIONS:
        assert section.__name__.rpartition(".")[2] in ids
        assert section.SHORT in page
    assert 'class="missing"' not in page


def test_text_of_strangers_is_escaped(world, page):
    titles = pd.read_parquet(world / "data/pool/manifest.parquet")["title"]
    assert (titles == XSS).all()
    assert "onerror=alert(1)&gt;" in page
    elements = Elements(page).elements
    assert not [attributes for _, attributes in elements if "onerror" in attributes or attributes.get("src") == "x"]
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
    write_evaluation(tmp_path, pd.read_parquet(tmp_path / "data/evaluation/predictions.parquet"))
    write_report(tmp_path, params, DEBUG_NAMES)
    text = (tmp_path / "report/index.html").read_text()
    assert "NaN" not in "".join(path.read_text() for path in (tmp_path / "metrics").glob("*.json"))
    assert ("has no held-out failures" in text) == (role == "heldout")


def test_photographs_become_thumbnails_and_the_page_stays_small(photographs):
    as_many = {"seeds_shown": 12, "picks_shown": 6, "border_pairs": 12, "examples": 18}  # as in the profiles
    text = render(Inputs(photographs, PARAMS.model_copy(update=as_many), DEBUG_NAMES))
    assert text.count("data:image/jpeg") > 100
    assert len(text.encode()) < 5_000_000
