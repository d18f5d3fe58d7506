"""``debugset relations``: attributes that a network confuses, and what to collect against it."""

from pathlib import Path
from typing import Annotated

import typer

from debugset.base.paths import ATTRIBUTED, RELATIONS, TEST, TRAIN
from debugset.cli.place import given

_ANNOTATED = (ATTRIBUTED / TRAIN, ATTRIBUTED / TEST)

_Network = Annotated[str | None, typer.Option("--run", help="A network of data/relations/runs.parquet.")]

app = typer.Typer(
    help="List the attributes that a network confuses, and collect the images that it lacks.", no_args_is_help=True
)


@app.command()
def template(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", parser=given, help="The CSV to write, as ground_truth/mine.csv.")
    ],
    folder: Annotated[Path, typer.Option("--set", parser=given, help="An image set with attributes.")] = ATTRIBUTED
    / TRAIN,
    relation: Annotated[str, typer.Option(help="What every pair is labelled to begin with.")] = "",
) -> None:
    """Write every pair of attributes to a CSV, for you to say how they relate; then name it in relations.truth."""
    from debugset.images.sets import open_set, read_attributes
    from debugset.relations.truth import write_template

    pairs = write_template(path, list(read_attributes(open_set(folder)).columns), relation)
    print(f"wrote {pairs} pairs to {path}; label those that you are sure of, and leave the others empty")


@app.command("list")
def list_modes(network: _Network = None) -> None:
    """List the failure modes of a network: attributes that it confuses, and what that costs.

    Without --run it is the first network, unbiased ones first, that has a failure mode of which there are images.
    """
    from debugset.base.params import load
    from debugset.pool.params import ScrapeParams
    from debugset.relations import collect

    table, runs = collect.read_mode_table(RELATIONS, _ANNOTATED)
    run = collect.choose_run(table, runs, network)
    print(collect.listing(table, runs, run, load("scrape", ScrapeParams).queries))


@app.command("collect")
def collect_for(
    modes: Annotated[list[str], typer.Argument(metavar="MODE", help="Names as bag+sandal-.")],
    network: _Network = None,
    about: Annotated[list[str] | None, typer.Option(metavar="WORD", help="What images show that lack both.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", parser=given, help="Replace the class's queries in this parameter file or profile."
        ),
    ] = None,
) -> None:
    """Print the queries that collect what a network misreads, as YAML for params.yaml; or write them there.

    Without --run a name is looked for in all networks.
    """
    from debugset.base.params import check
    from debugset.base.paths import PARAMS_FILE
    from debugset.cli import profiles
    from debugset.dcd.failures import ErrorsParams
    from debugset.pool.params import ScrapeParams
    from debugset.relations import collect

    path = write or PARAMS_FILE
    sections = profiles.read(path)
    queries = check(sections, "scrape", ScrapeParams, path).queries
    classes = check(sections, "errors", ErrorsParams, path).classes
    table, _ = collect.read_mode_table(RELATIONS, _ANNOTATED)
    combinations = collect.combinations_of(collect.select_modes(table, modes, network), queries, about or [])
    if write is None:
        print(collect.query_text(combinations, classes))
        return
    profiles.set_values(path, {"scrape.queries": collect.replace_queries(queries, combinations)})
    print(f"wrote the queries of {', '.join(collect.queries_by_class(combinations))} to {path}; next: `dvc repro`")
    for remark in collect.remarks(combinations, classes):
        print(remark)
