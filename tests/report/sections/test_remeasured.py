import re

import pytest

from tests.report.elements import section
from tests.report.world import RIGHT


def test_the_modes_are_shown_before_and_after(page):
    text = section(page, "remeasured")
    assert "No mode was mended on purpose" in text
    row = re.search(r"<tr><th scope=\"row\">label-dress-1</th>.*?</tr>", text, re.DOTALL).group()
    assert [float(cell) for cell in re.findall(r"<td>([\d.]+)", row)] == pytest.approx(
        [60, 65, *(100 * (0.7 - share) for share in RIGHT.values())]
    )
