"""Everything that stage `report` writes."""

from collections.abc import Sequence
from pathlib import Path

from debugset.base.files import replacing_file, replacing_folder
from debugset.base.paths import CARDS, PAGE, PLOTS
from debugset.report import contact_sheet, figures, metrics, mode_card
from debugset.report.drawing import drawing, png
from debugset.report.inputs import Inputs
from debugset.report.modes import MODES, modes
from debugset.report.page import render
from debugset.report.params import ReportParams
from debugset.report.relations import Relations
from debugset.report.sections.relations import draw_graphs
from debugset.report.text_table import GAINED, KEPT

SHEET_ROWS = 7


def write_report(root: Path, params: ReportParams, debug_class_names: Sequence[str]) -> None:
    """Write metrics, plots and the page.

    Args:
        root: holds ``data`` and ``models``; ``metrics``, ``plots`` and ``report`` are written there.
        params: what to show.
        debug_class_names: the classes being mended.
    """
    inputs = Inputs(root, params, debug_class_names)
    metrics.write(inputs)
    write_pictures(inputs)
    write_graph(inputs)
    write_cards(inputs)
    with replacing_file(root / PAGE) as temporary:
        temporary.write_text(render(inputs), encoding="utf-8")


def write_pictures(inputs: Inputs) -> None:
    """Write the two pictures that README shows: accuracy with intervals, failures with their picks."""
    plots = inputs.root / PLOTS
    with drawing(2, 3, (9.6, 5.4), sharey=True) as (figure, axes):
        figures.accuracy(axes, inputs.accuracy, {**GAINED, **KEPT}, inputs.chosen)
        png(figure, plots / "accuracy.png")
    rows = contact_sheet.rows(inputs, SHEET_ROWS)
    with drawing(1, 1, (9.6, 0.5 + 1.02 * max(len(rows), 1))) as (figure, axes):
        contact_sheet.draw(axes[0], rows, inputs.chosen.removeprefix("dcd-"))
        png(figure, plots / "seeds_and_picks.png")


def write_graph(inputs: Inputs) -> None:
    """Write the picture of relations between attributes, true ones and each network's; empty without attributes."""
    found = Relations(inputs)
    rows, columns = (1, 1) if found.empty else found.grid
    with drawing(rows, columns, (3.3 * columns, 3.2 * rows)) as (figure, axes):
        if found.empty:
            axes[0].set_axis_off()
        else:
            draw_graphs(axes, found)
        png(figure, inputs.root / PLOTS / "relations.png")


def write_cards(inputs: Inputs) -> None:
    """Write a card for every failure mode that has pictures."""
    with replacing_folder(inputs.root / CARDS) as folder:
        for mode in modes(inputs) if not inputs.missing(MODES) else ():
            if mode.lanes:
                with drawing(1, 1, (mode_card.WIDTH, mode_card.height(mode))) as (figure, axes):
                    mode_card.draw(axes[0], mode)
                    png(figure, folder / f"{mode.row['mode']}.png")
