"""Stage scrape: the pool of weakly labelled photos, from Flickr, its simulator over the world, or ``sources``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from debugset.base.command import run
from debugset.base.files import read_json
from debugset.base.params import check, read
from debugset.base.paths import ATTRIBUTION, FORGOTTEN, PHOTOS, POOL, SCRAPE, SOURCES, WORLD
from debugset.images.sets import open_set
from debugset.pool.endpoint import open_source
from debugset.pool.params import ScrapeParams, debug_queries
from debugset.pool.rights.forgotten import read_forgotten
from debugset.pool.scrape import Outs, scrape

OUTS = Outs(POOL, ATTRIBUTION, SCRAPE, PHOTOS)
MENDS = {  # of a class without a photo, where the photos are the user's own
    "table": "add rows of it to `sources`",
    "folder": "add photos of it to `sources`",
    "webdataset": "add photos of it to `sources`, widen `scrape.queries.{name}`",
}
TRUTH = ["true_label", "context", "planted", "copy_of"]


def main() -> None:
    """Read params, scrape, write."""
    sections = read()
    params = check(sections, "scrape", ScrapeParams)
    queries = debug_queries(sections, params)
    world = open_set(WORLD)
    truth = world.manifest.set_index("id")[TRUTH] if params.endpoint == "simulator" else None
    with open_source(params, queries, world.classes, WORLD, SOURCES) as source:
        scrape(params, source, world.classes, OUTS, read_forgotten(FORGOTTEN), truth)
    report = read_json(OUTS.report)
    tell(report)
    for line in unserved(report, queries, params.endpoint):
        print(line)


def unserved(report: dict[str, Any], queries: Mapping[str, Sequence[str]], endpoint: str) -> Iterator[str]:
    """A warning for each class asked for of which no photo was packed: nothing can be collected for it."""
    for name in queries:
        mend = MENDS.get(endpoint, "widen `scrape.queries.{name}`").format(name=name)
        counts = report["by_class"].get(name, {"found": 0, "packed": 0})
        if not counts["packed"]:
            what = f"no photo of {name} was packed, {counts['found']:,} were found, so nothing can be collected for it"
            yield f"warning: {what}; {mend}, or take it out of `errors.classes`"


def tell(report: dict[str, Any]) -> None:
    """Print what came of it, and what a person should look at."""
    kept_out = sum(report["rejected"].values())
    print(f"scrape: {report['packed']:,} photos packed of {report['found']:,} found", end="; ")
    print(f"{report['cross_class_dropped']:,} of several classes dropped, {kept_out:,} rejected")
    for reason, count in sorted(report["rejected"].items(), key=lambda item: -item[1]):
        print(f"  {reason}: {count:,}")
    if report["lost_to_cap"]:
        print(
            f"warning: {report['lost_to_cap']:,} photos are out of reach, by the service's own count: more than "
            "scrape.result_cap of a search share one second of upload, and a second cannot be halved"
        )
    for digest, count in report["repeated_files"].items():
        print(f"warning: {count:,} photos have the same file; if it says 'unavailable', add it to scrape.placeholders:")
        print(f"  {digest}")


if __name__ == "__main__":
    run(main)
