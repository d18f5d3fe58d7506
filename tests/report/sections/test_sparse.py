import re

from debugset.report.inputs import Inputs
from debugset.report.page import render
from debugset.report.sections import sparse
from tests.report.elements import section
from tests.report.sparse_world import CARDS, LAYERS
from tests.report.world import DEBUG_NAMES


def row_of(text, heading, layer):
    """The cells of a layer's row in the table below a heading, without intervals."""
    table = text[text.index(heading) :]
    row = re.search(rf'<th scope="row">{layer}</th>(.*?)</tr>', table, re.DOTALL).group(1)
    cells = re.findall(r"<td.*?>(.*?)</td>", re.sub("<small>.*?</small>", "", row))
    return [re.sub("<.*?>", "", cell) for cell in cells]


def test_every_layer_has_its_accuracies_and_an_own_one_none_on_validation(page):
    text = section(page, "sparse")
    table = text[text.index("<table>") : text.index("</table>")]
    rows = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in re.findall("<tr.*?</tr>", table)[1:]]
    assert [row[:2] for row in rows] == [
        ["original", "chosen"],
        ["original", "dense"],
        ["original", "its own"],
        ["robust", "chosen"],
        ["robust", "dense"],
    ]
    assert rows[0][2:] == ["2.0", "90.0", "88.0", "66.0"]
    assert rows[2][2:] == ["6.0", '<span class="none">\N{EN DASH}</span>', "89.0", "65.0"]
    assert len(rows) == len(LAYERS)


def test_classes_are_shown_with_the_features_that_they_rest_on_those_being_mended_first(page):
    text = section(page, "sparse")
    shown = text[text.index("What each class rests on") : text.index("Why it is wrong")]
    summaries = [" ".join(one.split()) for one in re.findall("<summary>(.*?)</summary>", shown)]
    assert summaries == [
        "tshirt: 0 (60 %), 1 (40 %)",
        "dress: 1 (100 %)",
        "sneaker: 2 (100 %), against 0 (100 %)",
        "trouser: no feature, its bias decides alone",  # bag is one class too many
    ]
    assert shown.count("<h4>") == 5
    assert shown.count("<img") == 5 * 4 * 3
    assert "Feature 0, against sneaker: 100 % of such weight" in shown


def test_cards_tell_what_corrects_an_error_and_that_it_is_no_mend(page):
    text = section(page, "sparse")
    cards = [" ".join(card.split()) for card in re.findall("<article.*?</article>", text, re.DOTALL)]
    assert len(cards) == len(CARDS)
    assert "<code>diagnosis-0-000</code>" in cards[0]
    assert '<p class="good">Without feature 1 it is tshirt.</p>' in cards[0]
    assert "For dress: 1 (+3.2)<br> For tshirt: 0 (+1.1), 1 (+0.5)<br>" in cards[0]
    assert '<p class="good">Without features 3, 5 it is sneaker.</p>' in cards[1]
    assert "For sneaker: 2 (+0.8), 0 (\N{MINUS SIGN}0.2)<br>" in cards[1]
    assert '<p class="bad">No ten features of tshirt correct it.</p>' in cards[2]
    assert "For trouser: no feature<br>" in cards[2]
    assert all("This explains the error; it does not mend the model." in card for card in cards)
    assert [card.count("<img") for card in cards] == [1 + 9, 1 + 6, 1 + 3]


def test_the_share_of_corrected_errors_stands_beside_random_features_and_the_dense_layer(page):
    text = section(page, "sparse")
    chosen = row_of(text, "removed to 0", "original, chosen: 2.0 features a class")
    assert chosen == ["200", "40.0", "10.0", "60.0", "20.0", "70.0", "30.0"]
    assert row_of(text, "removed to its mean", "original, dense: 6.0 features a class")[1:3] == ["30.0", "1.0"]


def test_deletions_are_those_that_no_blame_came_from(page):
    text = section(page, "sparse")
    table = text[text.index("Blame is no remedy") : text.index("Whether blame finds")]
    rows = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in re.findall("<tr.*?</tr>", table)[1:]]
    assert rows == [["feature 1 of dress", "20", "11", "21"], ["all of these", "1,030", "12", "1,040"]]


def test_blame_swaps_and_patches_have_their_controls(page):
    text = section(page, "sparse")
    blame = row_of(text, "Whether blame finds", "original, chosen: 2.0 features a class")
    assert blame == ["to 0", "50.0", "20.0", "2.50", "70.0", "12.5", "65.0", "45.0"]
    swaps = row_of(text, "the same garment elsewhere", "robust, chosen: 3.0 features a class")
    assert swaps == ["33.0", "2.0", "80.0", "35.0", "75.0", "33.0", "6.0", "1.0"]
    patches = row_of(text, "pasted patches", "original, dense: 6.0 features a class")
    assert patches == ["1,800", "15.0", "12.0", "5.0", "50.0"]


def test_without_planted_truth_nothing_is_said_of_causes_and_swaps(photographs, params):
    text = section(render(Inputs(photographs, params, DEBUG_NAMES), [sparse]), "sparse")
    assert "planted" not in text
    assert "the same garment elsewhere" not in text
    assert row_of(text, "pasted patches", "original, chosen: 2.0 features a class")[1:4] == ["15.0", "12.0", "5.0"]
