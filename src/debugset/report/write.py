"""Everything that stage `report` writes."""

from collections.abc import Sequence
from pathlib import Path

from debugset.base.files import replacing_file, replacing_folder
from debugset.base.paths import CARDS, PAGE, PLOTS
from debugset.report import card, contact_sheet, error_card, metrics, mode_card, plot_tables
from debugset.report.drawing import drawing, png
from debugset.report.explanations import EXPLANATION_FILES, read_explanations
from debugset.report.figures import accuracy_figure
from debugset.report.inputs import Inputs
from debugset.report.modes import MODE_FILES, read_modes
from debugset.report.page import render
from debugset.report.params import ReportParams
from debugset.report.relation_figures import graphs_figure
from debugset.report.relation_tables import RelationTables
from debugset.report.sparse_figures import curves_figure
from debugset.report.sparse_tables import SparseTables

_SHEET_ROWS = 7  # README shows no more


def write_report(root: Path, params: ReportParams, debug_class_names: Sequence[str]) -> None:
    """Write ``metrics``, ``plots`` and ``report`` under ``root``, which holds ``data`` and ``models``."""
    inputs = Inputs(root, params, debug_class_names)
    metrics.write(inputs)
    plot_tables.write(inputs)
    _write_pictures(inputs)
    _write_cards(inputs)
    with replacing_file(root / PAGE) as temporary:
        temporary.write_text(render(inputs), encoding="utf-8")


def _write_pictures(inputs: Inputs) -> None:
    """Accuracy with intervals and failures with their picks for README; relations and sparse layers for docs."""
    plots = inputs.root / PLOTS
    with accuracy_figure(inputs.accuracy, inputs.chosen) as figure:
        png(figure, plots / "accuracy.png")
    rows = contact_sheet.sheet_rows(inputs, _SHEET_ROWS)
    with drawing(1, 1, (9.6, 0.5 + 1.02 * max(len(rows), 1))) as (figure, axes):
        contact_sheet.draw(axes[0], rows, inputs.chosen_embedder)
        png(figure, plots / "seeds_and_picks.png")
    with graphs_figure(RelationTables(inputs)) as figure:
        png(figure, plots / "relations.png")
    with curves_figure(SparseTables(inputs)) as figure:
        png(figure, plots / "sparse.png")


def _write_cards(inputs: Inputs) -> None:
    """A card for every failure mode that has pictures, and for every explained error; none of what no stage found."""
    with replacing_folder(inputs.root / CARDS) as folder:
        if not inputs.missing_files(MODE_FILES):
            for mode in read_modes(inputs):
                if mode.lanes:
                    with drawing(1, 1, (card.WIDTH, mode_card.height(mode))) as (figure, axes):
                        mode_card.draw(axes[0], mode)
                        png(figure, folder / f"{mode.row['mode']}.png")
        if not inputs.missing_files(EXPLANATION_FILES):
            for error in read_explanations(inputs):
                with drawing(1, 1, (card.WIDTH, error_card.height(error))) as (figure, axes):
                    error_card.draw(axes[0], error)
                    png(figure, folder / f"error-{error.image_id}.png")
