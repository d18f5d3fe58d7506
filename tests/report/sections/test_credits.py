import re
import shutil

from debugset.images.sets import open_set, write_manifest
from debugset.report.inputs import Inputs
from debugset.report.page import render
from debugset.report.pictures import data_uri
from debugset.report.sections import credits, leaks, pool
from tests.report.elements import Elements, credited
from tests.report.world import DEBUG_NAMES


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
