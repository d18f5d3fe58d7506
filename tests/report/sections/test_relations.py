import re

from tests.report.elements import section


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
