import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from debugset.base.files import read_json, write_json
from debugset.images.sets import open_set, write_manifest
from debugset.report import mode_card, mode_figures
from debugset.report.drawing import drawing
from debugset.report.inputs import Inputs
from debugset.report.modes import modes
from debugset.report.numbers import weak_label_precision
from debugset.report.page import SECTIONS, render
from debugset.report.pictures import data_uri
from debugset.report.sections import credits, embedders, failure_modes, leaks, picks, pool
from debugset.report.write import write_report
from tests.report.conftest import PARAMS
from tests.report.world import DEBUG_NAMES, RIGHT, XSS, write_evaluation, write_world


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


def credited(page):
    """The section credits."""
    return Elements(re.search(r'<section id="credits">.*?</section>', page, re.DOTALL).group())


def test_page_needs_nothing_else(page):
    elements = Elements(page)
    loaded = elements.attributes("src") + elements.attributes("srcset") + elements.attributes("data")
    assert loaded
    assert all(source.startswith("data:image/") for source in loaded)
    links = elements.attributes("href") + elements.attributes("xlink:href")
    assert all(link.startswith("#") for link in links if link not in credited(page).attributes("href"))
    assert not {tag for tag, _ in elements.found} & {"script", "link", "iframe", "object", "embed", "base"}
    assert "@import" not in page
    assert all(url.startswith("#") for url in re.findall(r"url\((.*?)\)", page))


def test_page_is_accessible(page):
    elements = Elements(page)
    assert all(found["alt"].strip() for tag, found in elements.found if tag == "img")
    drawings = [found for tag, found in elements.found if tag == "svg"]
    assert len(drawings) == 10
    assert all(found["role"] == "img" and found["aria-label"] for found in drawings)
    ids = elements.attributes("id")
    assert len(ids) == len(set(ids))
    assert set(link[1:] for link in elements.attributes("href") if link.startswith("#")) <= set(ids)


def test_every_section_is_shown_and_listed(page):
    ids = Elements(page).attributes("id")
    for section in SECTIONS:
        assert section.__name__.rpartition(".")[2] in ids
        assert section.SHORT in page
    assert 'class="missing"' not in page


def test_page_tells_the_accuracy_that_the_predictions_have(world, page):
    predictions = pd.read_parquet(world / "data/evaluation/predictions.parquet")
    failures = pd.read_parquet(world / "data/errors/failures.parquet")
    heldout = failures[failures["role"] == "heldout"]["image_id"]
    for variant in RIGHT:
        rows = predictions[(predictions["model"] == variant) & predictions["image_id"].isin(heldout)]
        accuracy = 100 * (rows["label"] == rows["predicted"]).mean()
        cells = re.search(rf'<th scope="row">{variant}</th>(.*?)</tr>', page, re.DOTALL).group(1)
        assert re.findall(r"<td[^>]*>([\d.]+)<small>", cells)[1] == f"{accuracy:.1f}"


def section(page, name):
    return re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL).group()


def test_every_mode_is_shown_with_its_pictures_and_its_verdict(page):
    text = section(page, "failure_modes")
    cards = re.findall(r"<article.*?</article>", text, re.DOTALL)
    assert [re.search(r"<code>(.*?)</code>", card).group(1) for card in cards] == [
        "label-dress-1", "prediction-bag-1", "label-tshirt-1",
    ]  # fmt: skip
    assert [card.count("<img") for card in cards] == [20, 20, 0]
    assert "labelled dress, little of feature 41" in cards[0]
    assert "taken for bag, much of feature 41" in cards[1]
    assert ["it holds" in card for card in cards] == [True, False, True]
    assert "feature[41] &lt; 0.7326543807983398" in cards[0]
    assert "here 2 of 3" in text
    assert "label trouser: no failures" in text


def test_modes_beyond_the_limit_are_counted(world, params):
    page = render(Inputs(world, params.model_copy(update={"modes_shown": 1}), DEBUG_NAMES))
    assert page.count("<article") == 1
    assert "2 less important modes are left out here" in page


def test_the_modes_are_shown_before_and_after(page):
    text = section(page, "remeasured")
    assert "No mode was mended on purpose" in text
    row = re.search(r"<tr><th scope=\"row\">label-dress-1</th>.*?</tr>", text, re.DOTALL).group()
    assert [float(cell) for cell in re.findall(r"<td>([\d.]+)", row)] == pytest.approx(
        [60, 65, *(100 * (0.7 - share) for share in RIGHT.values())]
    )


def test_relations_are_shown_with_their_flaws_and_maps(page):
    text = section(page, "relations")
    unbiased, biased = text.split("<h3>")[1:]
    assert "unbiased</h3>" in unbiased
    assert "0 of them flawed" in unbiased
    assert "Masks keep 10.0 % of the units (median of the attributes; 10.0 to 10.0)" in unbiased
    assert "bag-sandal, tau 1</h3>" in biased
    row = re.search(r"<tr><th scope=\"row\">bag . sandal</th>.*?</tr>", biased, re.DOTALL).group()
    cells = re.findall(r"<td.*?>(.*?)</td>", row)
    assert cells == [
        "unrelated",
        "1",
        "9.50",
        "0.90",
        "0.01",
        "1.00",
        "failure mode",
        "with bag, without sandal",
        "35.0",
    ]
    assert biased.count("<img") == 9
    assert [alt for alt in re.findall(r'alt="(\w+)"', biased)][::3] == ["image", "bag", "sandal"]
    costs = re.findall(r"<tr><td>.*?</tr>", text)
    assert len(costs) == 2
    assert re.findall(r"<b>(.*?)</b>", costs[1]) == ["35.0"] * 3


def test_mended_modes_are_told(world, tmp_path, params):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    failures = pd.read_parquet(tmp_path / "data/errors/failures.parquet")
    mended = failures.head(3).assign(
        role="mode", set="diagnosis", image_id=["diagnosis-1", "diagnosis-2", "diagnosis-3"]
    )
    pd.concat([failures, mended]).to_parquet(tmp_path / "data/errors/failures.parquet")
    picks = pd.read_parquet(tmp_path / "data/picks/original.parquet")
    served = picks.head(4).assign(seed_set="diagnosis", seed_id="diagnosis-1")
    pd.concat([picks, served]).to_parquet(tmp_path / "data/picks/original.parquet")
    write_report(tmp_path, params, DEBUG_NAMES)
    page = (tmp_path / "report/index.html").read_text()
    assert "Images were collected for 3 failures of modes" in section(page, "failure_modes")
    assert "Images were collected for 3 failures from the other half" in section(page, "remeasured")


@pytest.mark.parametrize("missing", ["data/errors/failures.parquet", "data/barlow/groups.parquet"])
def test_modes_without_their_files_say_so(world, tmp_path, params, missing):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    (tmp_path / missing).unlink()
    page = render(Inputs(tmp_path, params, DEBUG_NAMES), [failure_modes])
    assert f"<code>{missing}</code>" in page


@pytest.mark.parametrize("others", ["none", "robust"])
def test_a_grouping_that_explains_less_keeps_the_rows_of_the_other(world, others):
    groups = pd.read_parquet(world / "data/barlow/groups.parquet").query("reason == ''")
    fewer = groups[(groups["grouping"] == "label") | (groups["analysed"] == others)]
    with drawing(1, 2, (9.6, 3.6), sharey=True) as (_, axes):
        mode_figures.gains(axes, fewer)
        for panel in axes:
            assert len(panel.get_yticks()) == 6
            assert panel.get_ylim() == (5.6, -0.6)
        assert axes[0].get_yticklabels()[0].get_text() == "original by robust, depth 1"


@pytest.mark.parametrize("conditions", [1, 2, 3])
def test_the_pictures_of_a_card_keep_their_size_however_long_the_rule(world, params, conditions):
    (mode, *_) = modes(Inputs(world, params, DEBUG_NAMES))
    rule = [f"feature[{place}] >= 0.7326543807983398" for place in range(conditions)]
    title = "labelled dress, " + " and ".join(f"much of feature {place}" for place in range(conditions))
    mode = replace(mode, row=mode.row | {"words": " and ".join(rule)}, title=title)
    with drawing(1, 1, (mode_card.WIDTH, mode_card.height(mode))) as (figure, axes):
        mode_card.draw(axes[0], mode)
        figure.draw_without_rendering()
        (left, top), (right, bottom) = axes[0].transData.transform([(0, 0), (1, 1)])
        assert right - left > 90  # of the 960 pixels that the card is wide
        assert top - bottom > 90
        assert set(rule) <= {text.get_text() for text in axes[0].texts}
        for text in axes[0].texts:
            box = text.get_window_extent()
            assert box.x0 >= 0 <= box.y0
            assert box.x1 <= 960
            assert box.y1 <= 100 * mode_card.height(mode)


def test_a_run_without_modes_says_so(world, tmp_path, params):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    for name in ("barlow/modes", "barlow/pictures", "remeasured"):
        path = tmp_path / f"data/{name}.parquet"
        pd.read_parquet(path).head(0).to_parquet(path)
    write_report(tmp_path, params, DEBUG_NAMES)
    page = (tmp_path / "report/index.html").read_text()
    assert "No leaf fails clearly more often than its group" in section(page, "failure_modes")
    assert "There are no failure modes to measure again" in section(page, "remeasured")
    assert list((tmp_path / "report/cards").iterdir()) == []


def test_text_of_strangers_is_escaped(world, page):
    titles = pd.read_parquet(world / "data/pool/manifest.parquet")["title"]
    assert (titles == XSS).all()
    assert "onerror=alert(1)&gt;" in page
    elements = Elements(page).found
    assert not [found for _, found in elements if "onerror" in found or found.get("src") == "x"]
    assert not [tag for tag, _ in elements if tag == "script"]


def test_every_photo_of_the_pool_that_is_shown_is_credited_once(world, page, params):
    inputs = Inputs(world, params, DEBUG_NAMES)
    pictures = {data_uri(inputs.pool.image(row))[0]: row for row in range(len(inputs.pool))}
    shown = {pictures[source] for source in Elements(page).attributes("src") if source in pictures}
    assert 20 < len(shown) < len(inputs.pool)
    lines = re.findall(r'<li><span class="soft">(\d+)</span>', page)
    assert lines == list(inputs.pool.ids[sorted(shown)])
    photos = inputs.pool.manifest.iloc[sorted(shown)]
    of_web, licensed = photos["page"].str.startswith("https:"), photos["licence"] == 4
    links = credited(page).attributes("href")
    assert [link for link in links if "flickr" in link] == photos.loc[of_web, "page"].tolist()
    assert links.count("https://creativecommons.org/licenses/by/2.0/") == licensed.sum()
    assert len(links) == of_web.sum() + licensed.sum()  # no `javascript:`, no empty ones
    assert page.count("licence: none stated") == (~licensed).sum() > 0
    assert page.count("by <bdi>O&#39;Hara &amp; &lt;b&gt;sons&lt;/b&gt;</bdi>") == len(photos)


def test_rendering_again_credits_only_what_is_shown_then(world, params):
    inputs = Inputs(world, params, DEBUG_NAMES)
    assert render(inputs, [leaks, pool, credits]).count("<bdi>") > render(inputs, [leaks, credits]).count("<bdi>") > 0


def test_without_known_authors_there_are_no_credits(world, tmp_path, params):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    images = open_set(tmp_path / "data/pool")
    write_manifest(tmp_path / "data/pool", images.manifest.drop(columns="owner_name"), images.classes)
    text = render(Inputs(tmp_path, params, DEBUG_NAMES))
    assert "credits" not in Elements(text).attributes("id")
    assert "#credits" not in Elements(text).attributes("href")
    assert "data/attribution" not in text


def test_reasons_of_rejection_are_words_and_photos_out_of_reach_a_warning(world, tmp_path, page, params):
    assert "out of reach" not in page
    assert "forgotten.txt" not in page
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "data/scrape.json"
    counts = {reason: number for number, reason in enumerate(pool.REJECTED, start=101)}
    write_json(path, read_json(path) | {"rejected": counts, "lost_to_cap": 1234, "forgotten": 2})
    text = render(Inputs(tmp_path, params, DEBUG_NAMES), [pool])
    bars = dict(re.findall(r"<span>rejected: (.*?)</span>.*?<b>(\d+)</b>", text))
    assert [int(count) for count in bars.values()] == sorted(counts.values(), reverse=True)
    assert not set(bars) & set(counts)  # words, not names
    assert "Warning:</b> 1,234 more photos are out of reach" in text
    assert "2 ids are listed in <code>forgotten.txt</code>" in text


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
    assert weak_label_precision(inputs) is None
    assert "right class" not in render(inputs)


def test_photographs_become_thumbnails_and_the_page_stays_small(photographs):
    as_many = {"seeds_shown": 12, "picks_shown": 6, "border_pairs": 12, "examples": 18}  # as in the profiles
    text = render(Inputs(photographs, PARAMS.model_copy(update=as_many), DEBUG_NAMES))
    assert text.count("data:image/jpeg") > 100
    assert len(text.encode()) < 5_000_000
