"""The command ``debugset``: what stands on top; the groups have a module each.

What a command needs is imported inside it, so that ``debugset --help`` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from debugset.base.command import run
from debugset.base.paths import METRICS, PAGE
from debugset.cli import barlow, pool, relations, study, versions
from debugset.cli.place import enter_repository

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
    """Check a profile and write it to params.yaml, whole; refuse to lose uncommitted edits.

    A profile holds what differs from the default, profiles/fashion.yaml.
    """
    from debugset.cli import profiles

    path = profiles.find(name)
    profiles.use(path, force=force)
    print(f"params.yaml is now {path}; `dvc repro` runs it")


@app.command("check")
def check_params() -> None:
    """Check params.yaml: unknown keys, types, ranges, and sections that contradict each other."""
    from debugset.base.params import read
    from debugset.cli.profiles import active
    from debugset.cli.sections import validate

    validate(read())
    path = active()
    print(f"params.yaml is valid; it equals {path}" if path else "params.yaml is valid; it equals no profile")


@app.command()
def debug_classes(
    least: Annotated[int | None, typer.Option(min=1, help="Take this many classes of lowest accuracy instead.")] = None,
    min_missed: Annotated[int, typer.Option(min=1, help="The paper's rule: images that every model misses.")] = 3,
) -> None:
    """Choose the debug classes from the original model's failures on seed_source and write them to params.yaml.

    They are also written to the profile that params.yaml equals, if there is one.
    """
    from debugset.base.files import read_parquet
    from debugset.base.params import read
    from debugset.base.paths import ERRORS, PARAMS_FILE, SEED_SOURCE, SETS
    from debugset.cli import profiles
    from debugset.cli.sections import validate
    from debugset.dcd.failures import choose_debug_classes
    from debugset.images.sets import open_set

    path = ERRORS / "predictions.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no predictions yet; run `dvc repro errors`")
    names = open_set(SETS / SEED_SOURCE).classes
    chosen = choose_debug_classes(read_parquet(path), names, least=least, min_missed=min_missed)
    for one in chosen:
        print(f"{one.name}: {one.missed} of {one.images} missed")
    classes, active = [one.name for one in chosen], profiles.active()
    profiles.set_debug_classes(PARAMS_FILE, classes)
    if active is None:
        print(f"wrote the debug classes to {PARAMS_FILE}; it equals no profile, so no profile was changed")
    else:
        profiles.set_debug_classes(active, classes)
        print(f"wrote the debug classes to {PARAMS_FILE} and {active}")
    validate(read())  # names a chosen class that no query finds yet


@app.command()
def show() -> None:
    """Print the accuracy table and where the report is."""
    from debugset.report.accuracy_text import accuracy_text, read_accuracies

    path = METRICS / "accuracy.json"
    if not path.is_file():
        raise ValueError(f"{path}: no results yet; run `dvc repro`")
    mend = f"restore it (`git checkout {path}`), or run `dvc repro report`"
    metrics = read_accuracies(path.read_text(encoding="utf-8", errors="replace"), str(path), mend)
    print(accuracy_text(metrics["variants"]))
    print(f"\nChosen by de-val: {metrics.get('chosen')}")
    missing = f"{PAGE} is missing; run `dvc repro`, or `dvc pull`"
    print(f"Report: {PAGE.resolve() if PAGE.is_file() else missing}")


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


app.add_typer(pool.app, name="pool")
app.add_typer(barlow.app, name="barlow")
app.add_typer(relations.app, name="relations")
app.add_typer(study.app, name="study")
app.add_typer(versions.app, name="versions")


def main() -> None:
    """Run the command line."""
    try:
        enter_repository()  # before its .env is read
    except FileNotFoundError:
        sys.exit("error: the folder that you stand in is gone; go to one that is there")
    run(app)


if __name__ == "__main__":
    main()
