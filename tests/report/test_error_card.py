from dataclasses import replace

import pandas as pd
import pytest

from debugset.base.paths import SPARSE
from debugset.report import card, error_card
from debugset.report.drawing import BAD, GOOD, drawing
from debugset.report.explanations import read_explanations
from debugset.report.inputs import Inputs
from tests.report.world import DEBUG_NAMES

CARDS = SPARSE / "cards.parquet"


@pytest.fixture
def errors(world, params):
    return list(read_explanations(Inputs(world, params, DEBUG_NAMES)))


def test_an_error_shows_what_is_removed_and_what_speaks_for_the_true_class(errors):
    one, two, none = errors
    assert (one.image_id, one.label, one.predicted, one.removed) == ("diagnosis-0-000", "tshirt", "dress", [1])
    assert [lane.title for lane in one.lanes] == [
        "feature 1, for dress: strongest of all",
        "where: its gradient",
        "feature 0, for tshirt: strongest of all",
    ]
    assert [lane.title for lane in two.lanes] == [
        "feature 3, for bag: strongest of all",  # no picture was made of feature 5
        "feature 2, for sneaker: strongest of all",
    ]
    assert [lane.title for lane in none.lanes] == ["feature 0, for tshirt: strongest of all"]  # none is removed
    assert [error.verdict for error in errors] == [
        "Without feature 1 it is tshirt.",
        "Without features 3, 5 it is sneaker.",
        "No ten features of tshirt correct it.",
    ]


def test_a_contribution_below_zero_is_against_the_class(world, params):
    inputs = Inputs(world, params, DEBUG_NAMES)
    table = inputs.frame(CARDS)
    inputs._frames[CARDS] = table.assign(amount=table["amount"].where(table["role"] != "true", -1.0))
    (one, *_) = read_explanations(inputs)
    assert one.lanes[-1].title == "feature 0, against tshirt: strongest of all"


def test_a_feature_is_shown_once_and_no_more_than_three_removed_ones(world, params):
    inputs = Inputs(world, params, DEBUG_NAMES)
    rows = inputs.frame(CARDS).query("card == 1")
    four = pd.concat([rows[rows["role"] == "removed"].head(1)] * 4).assign(feature=[3, 2, 1, 0])
    inputs._frames[CARDS] = pd.concat([four, rows[rows["role"] != "removed"]])
    (error,) = read_explanations(inputs)
    assert error.removed == [3, 2, 1, 0]
    assert [lane.title[:9] for lane in error.lanes] == ["feature 3", "feature 2", "feature 1"]  # 2 is for sneaker, too


@pytest.mark.parametrize("place", [0, 1, 2])
def test_all_of_a_card_is_readable(errors, place):
    error = errors[place]
    with drawing(1, 1, (card.WIDTH, error_card.height(error))) as (figure, axes):
        error_card.draw(axes[0], error)
        figure.draw_without_rendering()
        texts = {text.get_text(): text for text in axes[0].texts}
        assert f"{error.label}, taken for {error.predicted}" in texts
        assert "This explains the error; it does not mend the model." in texts
        assert texts[error.verdict].get_color() == (GOOD if error.removed else BAD)
        assert len(axes[0].images) == 1 + 3 * len(error.lanes)
        assert texts[error.verdict].get_window_extent().x0 > axes[0].images[0].get_window_extent().x1
        for text in texts.values():
            box = text.get_window_extent()
            assert box.x0 >= 0 <= box.y0
            assert box.x1 <= 960
            assert box.y1 <= 100 * error_card.height(error)


def test_contributions_to_both_classes_are_told(errors):
    with drawing(1, 1, (card.WIDTH, 6.0)) as (_, axes):
        error_card.draw(axes[0], errors[1])
        texts = [text.get_text() for text in axes[0].texts]
    assert "for bag: 3 (+1.5), 5 (+0.8)" in texts
    assert "for sneaker: 2 (+0.8), 0 (\N{MINUS SIGN}0.2)" in texts
    with drawing(1, 1, (card.WIDTH, 6.0)) as (_, axes):
        error_card.draw(axes[0], replace(errors[2], lanes=[]))
        assert "for trouser: no feature" in [text.get_text() for text in axes[0].texts]
