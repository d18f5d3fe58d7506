"""Stage scrape: the pool of weakly labelled photos, from Flickr or from the simulator over the world."""

from contextlib import nullcontext
from pathlib import Path

from debugset.files import read_json
from debugset.images.sets import open_set
from debugset.params import check, read
from debugset.pool.params import ScrapeParams, asked_queries
from debugset.pool.scrape import Outs, scrape
from debugset.pool.service import flickr_service, running_simulator
from stages import run

WORLD = Path("data/world")
OUTS = Outs(Path("data/pool"), Path("data/attribution.parquet"), Path("data/scrape.json"))
TRUTH = ["true_label", "context", "planted", "copy_of"]


def main() -> None:
    """Read params, scrape, write."""
    sections = read()
    params = check(sections, "scrape", ScrapeParams)
    queries = asked_queries(sections, params)
    world = open_set(WORLD)
    simulated = params.endpoint == "simulator"
    truth = world.manifest.set_index("id")[TRUTH] if simulated else None
    with running_simulator(WORLD, params.result_cap) if simulated else nullcontext(flickr_service()) as service:
        scrape(params, queries, world.classes, service, OUTS, truth)
    report = read_json(OUTS.report)
    kept_out = sum(report["rejected"].values())
    print(f"scrape: {report['packed']:,} photos packed of {report['found']:,} found", end="; ")
    print(f"{report['cross_class_dropped']:,} of several classes dropped, {kept_out:,} rejected")
    if report["lost_to_cap"]:
        print(f"warning: {report['lost_to_cap']:,} results share a second with more than scrape.result_cap others")


if __name__ == "__main__":
    run(main)
