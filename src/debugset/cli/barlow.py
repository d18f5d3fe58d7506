"""``debugset barlow``: the failure modes that Barlow finds, and for which of them images are collected."""

from pathlib import Path
from typing import Annotated

import typer

from debugset.base.paths import BARLOW, DIAGNOSIS, MENDED_MODES, SETS

app = typer.Typer(
    help="List the failure modes of the original model, and collect images for some of them.", no_args_is_help=True
)


@app.command("list")
def list_modes() -> None:
    """List the failure modes, their error rates and rules; an asterisk stands at those that are mended."""
    from debugset.barlow.mending import listing
    from debugset.base.files import read_parquet
    from debugset.dcd.failures import read_modes

    modes = read_parquet(_table("modes"))
    print(listing(modes, read_modes(MENDED_MODES)["mode"].unique().tolist()))


@app.command()
def mend(
    modes: Annotated[list[str] | None, typer.Argument(metavar="MODE", help="Names of failure modes.")] = None,
    none: Annotated[bool, typer.Option("--none", help="Mend no mode any more.")] = False,
) -> None:
    """Collect images for failure modes too.

    Their failures of the discovery half go to errors.modes, in place of what it held. Commit the file; the next
    `dvc repro` picks images for them as for seeds, and measures the modes on the other half.
    """
    import pandas as pd

    from debugset.barlow.mending import select_failures
    from debugset.base.files import read_parquet
    from debugset.base.params import load
    from debugset.dcd.failures import MODES_COLUMNS, ErrorsParams, write_modes
    from debugset.images.sets import open_set

    if modes and none:
        raise ValueError("--none and MODE exclude each other; leave one out")
    if none:
        write_modes(MENDED_MODES, pd.DataFrame(columns=MODES_COLUMNS))
        print(f"{MENDED_MODES} names no failures any more; next: `dvc repro`")
        return
    if not modes:
        raise ValueError("MODE: give at least one, or --none; `debugset barlow list` names them")
    table, members = read_parquet(_table("modes")), read_parquet(_table("members"))
    classes = open_set(SETS / DIAGNOSIS).classes
    failures = select_failures(modes, table, members, classes, load("errors", ErrorsParams).classes)
    write_modes(MENDED_MODES, failures)
    print(f"wrote {len(failures):,} failures to {MENDED_MODES}; next: `dvc repro`")


def _table(name: str) -> Path:
    """The file of a table of stage barlow."""
    path = BARLOW / f"{name}.parquet"
    if not path.is_file():
        raise ValueError(f"{path}: no failure modes yet; run `dvc repro`, or `dvc pull` in a clone")
    return path
