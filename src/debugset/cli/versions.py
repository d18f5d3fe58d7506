"""``debugset versions``: what data versions differ in, and how experiments differ in accuracy."""

from pathlib import Path
from typing import Annotated

import typer

from debugset.base.paths import POOL
from debugset.cli.place import given

app = typer.Typer(help="Compare data versions and experiments.", no_args_is_help=True)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A tag, branch, experiment or commit.")],
    new: Annotated[str, typer.Argument(help="The same; what lies in the folder now if not given.")] = "workspace",
    folder: Annotated[Path, typer.Option("--set", parser=given, help="The image set.")] = POOL,
    picture: Annotated[Path, typer.Option(parser=given, help="Where to draw the difference.")] = Path("data-diff.png"),
    csv: Annotated[Path | None, typer.Option(parser=given, help="Write every changed image to this CSV file.")] = None,
) -> None:
    """Show the images added, removed and relabelled between two versions, by class: a table and a picture.

    Nothing is checked out: manifests and the pictured images come from DVC's cache, else from its remote.
    """
    from debugset.base.files import replacing_file
    from debugset.versions import data_diff, data_picture
    from debugset.versions.revisions import set_at

    before, after = set_at(old, str(folder)), set_at(new, str(folder))
    classes = before.classes, after.classes
    changed = data_diff.changed_images(before.manifest, after.manifest, *classes)
    table = data_diff.by_class(changed, before.manifest, after.manifest, *classes)
    print(data_diff.counts_table(table))
    if csv is not None:
        with replacing_file(csv) as temporary:
            changed.to_csv(temporary, index=False, lineterminator="\n")
        print(f"wrote {len(changed):,} images to {csv}")
    lost = data_picture.draw(picture, table, changed, before, after)
    print(f"drew {picture}")
    if lost:
        print(f"{lost} images are missing in it: their files are neither in DVC's cache nor on the remote")


@app.command("sweep")
def draw_sweep(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPERIMENT", help="Experiments, tags or branches; all experiments on HEAD, and HEAD, if not given."
        ),
    ] = None,
    param: Annotated[str | None, typer.Option(help="The swept parameter; the one that differs, if not given.")] = None,
    metric: Annotated[str, typer.Option(help="A column of metrics/accuracy.json.")] = "heldout",
    variant: Annotated[list[str] | None, typer.Option(help="Draw only this variant; may be repeated.")] = None,
    picture: Annotated[Path, typer.Option(parser=given, help="Where to draw.")] = Path("sweep.png"),
) -> None:
    """Draw an accuracy of every variant against a swept parameter, with intervals, and print the numbers."""
    from debugset.report.headings import COLUMNS
    from debugset.versions import sweep, sweep_picture

    experiments = sweep.read_experiments(revisions or [])
    param = param or sweep.swept_param(experiments)
    rows = sweep.accuracies(experiments, param, metric)
    if variant:
        known = rows["variant"].unique()
        for name in variant:
            if name not in known:
                raise ValueError(f"--variant {name}: no experiment has it; choose from {', '.join(known)}")
        rows = rows[rows["variant"].isin(variant)]
    print(rows.rename(columns={"value": param}).to_string(index=False, float_format="%.1f"))
    sweep_picture.draw(picture, rows, param, COLUMNS.get(metric, metric))
    print(f"drew {picture}")
