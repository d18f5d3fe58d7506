"""The command ``debugset``: choose and check parameters and debug classes, run the simulator, show results.

What a command needs is imported inside it, so that ``debugset --help`` answers at once.
"""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from debugset.base.command import run
from debugset.base.paths import ATTRIBUTED, BARLOW, METRICS, PAGE, POOL, RELATIONS, WORLD
from debugset.pool.simulator.faults import FAULTS

ACCURACY = METRICS / "accuracy.json"
SECONDS_BETWEEN_LOOKS = 2.0

app = typer.Typer(
    help="Find where an image classifier fails, collect the images that fix it, retrain, and prove the gain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def use(
    name: Annotated[str, typer.Argument(help="A profile's name (profiles/NAME.yaml) or a file's path.")],
    force: Annotated[bool, typer.Option(help="Replace params.yaml even if that loses edits.")] = False,
) -> None:
    """Check a profile and copy it over params.yaml; refuse to lose uncommitted edits."""
    from debugset.cli import profiles

    path = profiles.find(name)
    profiles.use(path, force=force)
    print(f"params.yaml is now {path}; `dvc repro` runs it")


@app.command("check")
def check_params() -> None:
    """Check params.yaml: unknown keys, types, ranges, and sections that contradict each other."""
    from debugset.cli import profiles

    profiles.validate()
    path = profiles.active()
    print(f"params.yaml is valid; it equals {path}" if path else "params.yaml is valid; it equals no profile")


@app.command()
def debug_classes(
    least: Annotated[
        int | None,
        typer.Option(min=1, help="Take this many classes of lowest accuracy instead.", show_default=False),
    ] = None,
    min_missed: Annotated[int, typer.Option(min=1, help="The paper's rule: images that every model misses.")] = 3,
) -> None:
    """Choose the debug classes from the original model's failures on seed_source and write them to params.yaml.

    They are also written to the profile that params.yaml equals, if there is one.
    """
    import pandas as pd

    from debugset.base.paths import ERRORS, SEED_SOURCE, SETS
    from debugset.cli import profiles
    from debugset.dcd.failures import choose_debug_classes
    from debugset.images.sets import open_set

    path = ERRORS / "predictions.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no predictions yet; run `dvc repro errors`")
    active = profiles.active()
    names = open_set(SETS / SEED_SOURCE).classes
    chosen = choose_debug_classes(pd.read_parquet(path), names, least=least, min_missed=min_missed)
    print("\n".join(f"{one.name}: {one.missed} of {one.images} missed" for one in chosen))
    for path in [profiles.PARAMS_FILE, *([active] if active else [])]:
        profiles.set_debug_classes(path, [one.name for one in chosen])
        print(f"wrote the debug classes to {path}")
    if active is None:
        print("params.yaml equals no profile, so no profile was changed")
    profiles.validate()  # names a chosen class that no query finds yet


@app.command(epilog="\n\n".join(f"{name}: {meaning}" for name, meaning in FAULTS.items()))
def flickr_simulator(
    world: Annotated[Path, typer.Option(help="The image set whose photos are served.")] = WORLD,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 0,
    result_cap: Annotated[int, typer.Option(help="How many results of one search it gives out.", min=1)] = 4000,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="What goes wrong and how often, 0 to 1; may be repeated. Names: below, or `all`.",
            metavar="NAME=RATE",
            show_default=False,
        ),
    ] = None,
    fault_seed: Annotated[int, typer.Option(help="Decides what the faults hit.")] = 0,
) -> None:
    """Serve photos as Flickr does, until interrupted; the first line printed is JSON with the address."""
    from debugset.pool.simulator.server import serve

    with suppress(KeyboardInterrupt):
        serve(world, host, port, result_cap, fault=fault or [], fault_seed=fault_seed)


@app.command()
def scrape_status(
    watch: Annotated[bool, typer.Option(help="Look again every two seconds, as long as the scrape runs.")] = False,
    urls: Annotated[
        Path | None, typer.Option(help="Write what became of every address to this CSV file.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line a look.")] = False,
    spool: Annotated[
        str | None, typer.Option(help="A spool's name, instead of the one used last.", show_default=False)
    ] = None,
) -> None:
    """Show how far a running or stopped scrape is: phases, rate, time left, waits and outcomes."""
    import json
    import time

    from debugset.base.machine import spool_folder
    from debugset.pool import status

    path = status.choose(spool_folder(), spool)
    if urls is not None:
        typer.echo(f"wrote {status.write_table(path, urls):,} addresses to {urls}", err=True)
    with suppress(KeyboardInterrupt):
        while True:
            state = status.read(path, time.time())
            text = json.dumps(status.as_json(state)) if as_json else status.describe(state)
            if watch and not as_json and sys.stdout.isatty():
                text = f"\033[H\033[J{text}"  # from the top of a cleared screen
            print(text, flush=True)
            if not (watch and state.running):
                break
            time.sleep(SECONDS_BETWEEN_LOOKS)


@app.command()
def give_up(
    spool: Annotated[
        str | None, typer.Option(help="A spool's name, instead of the one used last.", show_default=False)
    ] = None,
) -> None:
    """Go on without the files that failed: they are never asked for again."""
    from debugset.base.machine import spool_folder
    from debugset.pool import status

    path = status.choose(spool_folder(), spool)
    given_up = status.give_up(path)
    for kind, count in given_up.items():
        print(f"{count:,} {kind}")
    print(f"{path}: {sum(given_up.values()):,} files are unreachable for good; next: `dvc repro`")


@app.command()
def forget(
    photos: Annotated[
        list[str], typer.Argument(metavar="ID", help="Ids as in data/pool, or addresses of Flickr photos.")
    ],
) -> None:
    """Never collect photos again: add them to forgotten.txt and remove what the spools know of them."""
    from debugset.base.machine import spool_folder
    from debugset.pool.rights import forgotten

    ids = [forgotten.photo_id(text) for text in photos]
    summary = forgotten.forget(ids, Path("forgotten.txt"), spool_folder())
    print(forgotten.describe(summary, forgotten.pooled(ids, POOL)))


@app.command()
def purge(
    photos: Annotated[list[str] | None, typer.Argument(help="Ids or addresses; by default all forgotten ones.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list.")] = False,
    remote: Annotated[
        str | None, typer.Option(help="The only DVC remote to search; all if not given.", show_default=False)
    ] = None,
    local_only: Annotated[bool, typer.Option("--local-only", help="Leave DVC remotes alone.")] = False,
) -> None:
    """List what old versions hold of forgotten photos, ask, and remove it here and on all DVC remotes.

    Tags, experiments, records of runs, shards, tables, features, models and pictures; branches stay as they are.
    """
    from debugset.pool.rights.forgotten import photo_id, read_forgotten
    from debugset.purge import listing, removal

    if remote and local_only:
        raise ValueError("--remote and --local-only exclude each other; leave one out")
    forgotten = read_forgotten(Path("forgotten.txt"))
    asked = {photo_id(text) for text in photos or ()} or forgotten
    if unlisted := sorted(asked - forgotten):
        raise ValueError(
            f"{unlisted[0]}: is not in forgotten.txt; run `debugset forget {unlisted[0]}`, then `dvc repro`"
        )
    with removal.opened(asked, remote, local_only) as found:
        print(listing.found(found))
        if found.plan.steps and not dry_run:
            if yes or typer.confirm("Remove all of this for good?"):
                found.carry_out()
                print(listing.left_to_you(found.plan))
            else:
                print("nothing was removed")


@app.command()
def mend(
    modes: Annotated[list[str] | None, typer.Argument(metavar="MODE", help="Names of failure modes.")] = None,
    none: Annotated[bool, typer.Option("--none", help="Mend no mode any more.")] = False,
) -> None:
    """Collect images for failure modes too; without a name, list the modes.

    Their failures of the discovery half go to errors.modes, in place of what it held. Commit the file; the next
    `dvc repro` picks images for them as for seeds, and measures the modes on the other half.
    """
    import pandas as pd

    from debugset.barlow.mending import chosen_failures, listing
    from debugset.base.params import load
    from debugset.base.paths import MENDED_MODES
    from debugset.dcd.failures import MODES_COLUMNS, ErrorsParams, read_modes, write_modes
    from debugset.images.sets import open_set

    if modes and none:
        raise ValueError("--none and MODE exclude each other; leave one out")
    if none:
        write_modes(MENDED_MODES, pd.DataFrame(columns=MODES_COLUMNS))
        print(f"{MENDED_MODES} names no failures any more; next: `dvc repro`")
        return
    if not (BARLOW / "modes.parquet").is_file():
        raise ValueError(f"{BARLOW}: no failure modes yet; run `dvc repro`, or `dvc pull` in a clone")
    table = pd.read_parquet(BARLOW / "modes.parquet")
    if not modes:
        print(listing(table, read_modes(MENDED_MODES)["mode"].unique().tolist()))
        return
    members = pd.read_parquet(BARLOW / "members.parquet")
    classes = open_set("data/sets/diagnosis").classes
    found = chosen_failures(modes, table, members, classes, load("errors", ErrorsParams).classes)
    write_modes(MENDED_MODES, found)
    print(f"wrote {len(found):,} failures to {MENDED_MODES}; next: `dvc repro`")


@app.command()
def relations_template(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV to write, as ground_truth/mine.csv.")],
    folder: Annotated[Path, typer.Option("--set", help="An image set with attributes.")] = ATTRIBUTED / "train",
    relation: Annotated[str, typer.Option(help="What every pair is labelled to begin with.")] = "",
) -> None:
    """Write every pair of attributes to a CSV, for you to say how they relate; then name it in relations.truth."""
    from debugset.images.sets import open_set, read_attributes
    from debugset.relations.truth import write_template

    pairs = write_template(path, list(read_attributes(open_set(folder)).columns), relation)
    print(f"wrote {pairs} pairs to {path}; label those that you are sure of, and leave the others empty")


@app.command()
def collect(
    modes: Annotated[list[str] | None, typer.Argument(metavar="MODE", help="Names as bag+sandal-.")] = None,
    network: Annotated[str | None, typer.Option("--run", help="A network of data/relations/runs.parquet.")] = None,
    about: Annotated[list[str] | None, typer.Option(metavar="WORD", help="What images show that lack both.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Replace the class's queries in this parameter file.", show_default=False),
    ] = None,
) -> None:
    """List attributes that a network confuses; with a name, print the queries that collect what it misreads.

    They are YAML as in params.yaml. Without --run, the list is of the first network, unbiased ones first, that has a
    failure mode of which there are images; a name is looked for in all networks.
    """
    from debugset.base.params import PARAMS_FILE, check, read
    from debugset.cli import profiles
    from debugset.dcd.failures import ErrorsParams
    from debugset.pool.params import ScrapeParams
    from debugset.relations import collect as collecting

    path = write or PARAMS_FILE
    raw = read(path)
    queries, classes = (
        check(raw, "scrape", ScrapeParams, path).queries,
        check(raw, "errors", ErrorsParams, path).classes,
    )
    table, runs = collecting.read_failures(RELATIONS, [ATTRIBUTED / name for name in ("train", "test")])
    if not modes and (about or write):
        raise ValueError("--about and --write need a MODE; `debugset collect` lists them")
    if not modes:
        print(collecting.listing(table, runs, collecting.listed_run(table, runs, network), queries))
        return
    found = collecting.combinations(collecting.chosen(table, modes, network), queries, about or [])
    if write is None:
        print(collecting.query_file(found, classes))
    else:
        profiles.set_queries(path, collecting.replaced(queries, found))
        wrote = f"wrote the queries of {', '.join(collecting.asked(found))} to {path}; next: `dvc repro`"
        print("\n".join([wrote, *collecting.remarks(found, classes)]))


@app.command()
def data_diff(
    old: Annotated[str, typer.Argument(help="A tag, branch, experiment or commit.")],
    new: Annotated[str, typer.Argument(help="The same; what lies in the folder now if not given.")] = "workspace",
    folder: Annotated[str, typer.Option("--set", help="The image set.")] = "data/pool",
    picture: Annotated[Path, typer.Option(help="Where to draw the difference.")] = Path("data-diff.png"),
    csv: Annotated[
        Path | None, typer.Option(help="Write every changed image to this CSV file.", show_default=False)
    ] = None,
) -> None:
    """Show the images added, removed and relabelled between two versions, by class: a table and a picture.

    Nothing is checked out: manifests and the pictured images come from DVC's cache, else from its remote.
    """
    from debugset.base.files import replacing_file
    from debugset.versions import data_diff, data_picture
    from debugset.versions.revisions import set_at

    before, after = set_at(old, folder), set_at(new, folder)
    classes = before.classes, after.classes
    changed = data_diff.changed_images(before.manifest, after.manifest, *classes)
    table = data_diff.by_class(changed, before.manifest, after.manifest, *classes)
    print(data_diff.text_table(table))
    if csv is not None:
        with replacing_file(csv) as temporary:
            changed.to_csv(temporary, index=False, lineterminator="\n")
        print(f"wrote {len(changed):,} images to {csv}")
    data_picture.draw(picture, table, changed, before, after)
    print(f"drew {picture}")


@app.command()
def sweep_plot(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPERIMENT", help="Experiments, tags or branches; all experiments on HEAD, and HEAD, if not given."
        ),
    ] = None,
    param: Annotated[
        str | None, typer.Option(help="The swept parameter; the one that differs, if not given.", show_default=False)
    ] = None,
    metric: Annotated[str, typer.Option(help="A column of metrics/accuracy.json.")] = "heldout",
    variant: Annotated[
        list[str] | None, typer.Option(help="Draw only this variant; may be repeated.", show_default=False)
    ] = None,
    picture: Annotated[Path, typer.Option(help="Where to draw.")] = Path("sweep.png"),
) -> None:
    """Draw an accuracy of every variant against a swept parameter, with intervals, and print the numbers."""
    from debugset.report.text_table import COLUMNS
    from debugset.versions import sweep, sweep_picture

    found = sweep.experiments(revisions or [])
    param = param or sweep.swept(found)
    rows = sweep.table(found, param, metric)
    if unknown := sorted(set(variant or ()) - set(rows["variant"])):
        known = ", ".join(dict.fromkeys(rows["variant"]))
        raise ValueError(f"--variant {unknown[0]}: no experiment has it; choose from {known}")
    rows = rows[rows["variant"].isin(variant)] if variant else rows
    print(rows.rename(columns={"value": param}).to_string(index=False, float_format="%.1f"))
    sweep_picture.draw(picture, rows, param, COLUMNS.get(metric, metric))
    print(f"drew {picture}")


@app.command()
def verify(
    stages: Annotated[
        list[str] | None, typer.Argument(metavar="STAGE", help="Stages, as `dvc stage list` names them, or groups.")
    ] = None,
) -> None:
    """Run the pipeline, or single stages, anew in a scratch copy and compare every out with the committed dvc.lock.

    Without a name everything is run from nothing, which takes as long as the first `dvc repro`; a named stage gets
    what it reads from DVC's cache. Exit code 1 if an out differs.
    """
    import signal

    from debugset.versions.verify import verify as same

    for number in (signal.SIGTERM, signal.SIGHUP):  # they end what runs too, as Ctrl-C does
        signal.signal(number, signal.default_int_handler)
    if not same(Path.cwd(), stages or []):
        raise typer.Exit(1)


@app.command()
def show() -> None:
    """Print the accuracy table and where the report is."""
    from debugset.base.files import read_json
    from debugset.report.text_table import accuracy_table

    if not ACCURACY.is_file():
        raise ValueError(f"{ACCURACY}: no results yet; run `dvc repro`")
    metrics = read_json(ACCURACY)
    print(accuracy_table(metrics["variants"]))
    print(f"\nChosen by de-val: {metrics['chosen']}")
    print(f"Report: {PAGE.resolve()}" if PAGE.is_file() else f"Report: {PAGE} is missing; run `dvc pull`")


def main() -> None:
    """Run the command line."""
    run(app)


if __name__ == "__main__":
    main()
