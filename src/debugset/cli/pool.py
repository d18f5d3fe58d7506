"""``debugset pool``: how far a scrape is, what it goes on without, what is taken out for good, and a Flickr to try."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from debugset.base.paths import FORGOTTEN, POOL, WORLD
from debugset.cli.place import given

SECONDS_BETWEEN_LOOKS = 2.0
_CLEAR_SCREEN = "\033[H\033[J"  # to the terminal's top left corner, then everything from there

_SpoolName = Annotated[str | None, typer.Option("--spool", help="A spool's name, instead of the one used last.")]

app = typer.Typer(
    help="Follow the scrape, leave photos out of the pool, and try it on a simulator.", no_args_is_help=True
)


@app.command("status")
def show_status(
    watch: Annotated[bool, typer.Option(help="Look again every two seconds, as long as the scrape runs.")] = False,
    urls: Annotated[
        Path | None, typer.Option(parser=given, help="Write what became of every address to this CSV file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line a look.")] = False,
    spool: _SpoolName = None,
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
                text = f"{_CLEAR_SCREEN}{text}"
            print(text, flush=True)
            if not (watch and state.running):
                break
            time.sleep(SECONDS_BETWEEN_LOOKS)


@app.command()
def give_up(spool: _SpoolName = None) -> None:
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
    summary = forgotten.forget(ids, FORGOTTEN, spool_folder())
    print(forgotten.describe(summary, forgotten.ids_in_pool(ids, POOL)))


@app.command()
def purge(
    photos: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids or addresses; by default all forgotten ones.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list.")] = False,
    remote: Annotated[str | None, typer.Option(help="The only DVC remote to search; all if not given.")] = None,
    local_only: Annotated[bool, typer.Option("--local-only", help="Leave DVC remotes alone.")] = False,
) -> None:
    """List what old versions hold of forgotten photos, ask, and remove it here and on all DVC remotes.

    Tags, experiments, records of runs, shards, tables, features, models and pictures; branches stay as they are.
    """
    from debugset.pool.rights.forgotten import photo_id, read_forgotten
    from debugset.purge import listing, removal

    if remote and local_only:
        raise ValueError("--remote and --local-only exclude each other; leave one out")
    forgotten = read_forgotten(FORGOTTEN)
    ids = {photo_id(text) for text in photos or ()} or forgotten
    for name in sorted(ids - forgotten):
        raise ValueError(f"{name}: is not in {FORGOTTEN}; run `debugset pool forget {name}`, then `dvc repro`")
    with removal.open_purge(ids, remote, local_only) as purging:
        print(listing.summary(purging))
        if purging.plan.steps and not dry_run:
            if yes or typer.confirm("Remove all of this for good?"):
                purging.carry_out()
                print(listing.manual_steps(purging.plan))
            else:
                print("nothing was removed")


@app.command()
def simulator(
    world: Annotated[Path, typer.Option(parser=given, help="The image set whose photos are served.")] = WORLD,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 0,
    result_cap: Annotated[int, typer.Option(help="How many results of one search it gives out.", min=1)] = 4000,
) -> None:
    """Serve photos as Flickr does, until interrupted; the first line printed is JSON with the address."""
    from debugset.pool.simulator.server import serve

    with suppress(KeyboardInterrupt):
        serve(world, host, port, result_cap)
