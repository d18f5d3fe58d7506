import re
import shutil

import pandas as pd
import pytest

from debugset.report.inputs import Inputs
from debugset.report.page import render
from debugset.report.sections import failure_modes
from debugset.report.write import write_report
from tests.report.elements import section
from tests.report.world import DEBUG_NAMES


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
    page = render(Inputs(world, params.model_copy(update={"modes_shown": 1}), DEBUG_NAMES), [failure_modes])
    assert page.count("<article") == 1
    assert "2 less important modes are left out here" in page


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


def test_a_run_without_modes_says_so(world, tmp_path, params):
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    for name in ("barlow/modes", "barlow/pictures", "remeasured"):
        path = tmp_path / f"data/{name}.parquet"
        pd.read_parquet(path).head(0).to_parquet(path)
    write_report(tmp_path, params, DEBUG_NAMES)
    page = (tmp_path / "report/index.html").read_text()
    assert "No leaf fails clearly more often than its group" in section(page, "failure_modes")
    assert "There are no failure modes to measure again" in section(page, "remeasured")
    assert all(path.name.startswith("error-") for path in (tmp_path / "report/cards").iterdir())
