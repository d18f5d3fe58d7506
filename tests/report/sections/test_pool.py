import re
import shutil

from debugset.base.files import read_json, write_json
from debugset.pool.fault import Fault
from debugset.report.inputs import Inputs
from debugset.report.page import render
from debugset.report.sections import pool
from tests.report.world import DEBUG_NAMES


def test_reasons_of_rejection_are_words_and_photos_out_of_reach_a_warning(world, tmp_path, page, params):
    assert "out of reach" not in page
    assert "forgotten.txt" not in page
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "data/scrape.json"
    counts = {reason: number for number, reason in enumerate(Fault, start=101)}
    write_json(path, read_json(path) | {"rejected": counts, "lost_to_cap": 1234, "forgotten": 2})
    text = render(Inputs(tmp_path, params, DEBUG_NAMES), [pool])
    bars = dict(re.findall(r"<span>rejected: (.*?)</span>.*?<b>(\d+)</b>", text))
    assert [int(count) for count in bars.values()] == sorted(counts.values(), reverse=True)
    assert not set(bars) & set(counts)  # words, not names
    assert "Warning:</b> 1,234 more photos are out of reach" in text
    assert "2 ids are listed in <code>forgotten.txt</code>" in text
