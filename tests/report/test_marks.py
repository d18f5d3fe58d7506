from debugset.report.drawing import drawing
from debugset.report.marks import interval, name_rows


def test_rows_are_named_from_the_top_down_and_one_is_bold():
    with drawing(1, 1, (2.0, 2.0)) as (_, [panel]):
        name_rows(panel, ["first", "second"], "second")
        labels = panel.get_yticklabels()
        assert [(label.get_text(), label.get_fontweight()) for label in labels] == [
            ("first", "normal"),
            ("second", "bold"),
        ]
        bottom, top = panel.get_ylim()
        assert bottom > 1 > 0 > top


def test_an_interval_is_a_line_with_a_dot():
    with drawing(1, 1, (2.0, 2.0)) as (_, [panel]):
        interval(panel, 3.0, 0.4, 0.1, 0.6, "#009e73", mfc="white")
        line, dot = panel.lines
        assert line.get_xydata().tolist() == [[0.1, 3], [0.6, 3]]
        assert dot.get_xydata().tolist() == [[0.4, 3]]
        assert dot.get_markerfacecolor() == "white"
