"""Stage report: metrics and plots for git, and the page."""

from pathlib import Path

from debugset.base.command import run
from debugset.base.params import load
from debugset.dcd.failures import ErrorsParams
from debugset.report.params import ReportParams
from debugset.report.write import write_report


def main() -> None:
    """Collect every stage's results."""
    write_report(Path(), load("report", ReportParams), load("errors", ErrorsParams).classes)


if __name__ == "__main__":
    run(main)
