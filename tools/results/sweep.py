"""The sweep of docs/experiments.md: picks a seed, by `dvc exp run` and `debugset versions sweep`."""

from debugset.base.files import read_json, replacing_file
from debugset.versions.sweep import leaves
from tools.results.clone import Clone
from tools.results.shared import RESULTS, copy_file, write_run

FOLDER = RESULTS / "sweep"
PARAM, VALUES = "pick.per_seed", (2, 4, 8)
ACCURACY = "metrics/accuracy.json"


def make(clone: Clone) -> None:
    """Run an experiment a value; keep the picture and the numbers, HEAD's among them."""
    params, accuracy = clone.params, read_json(clone.folder / ACCURACY)
    if leaves(params)[PARAM] in VALUES:
        raise ValueError(f"params.yaml: `{PARAM}` is one of the sweep's own values {VALUES}; choose others there")
    for value in VALUES:
        clone.run("dvc", "exp", "run", "--name", f"picks-{value}", "--set-param", f"{PARAM}={value}")
    table = clone.output("debugset", "versions", "sweep", "--picture", "sweep.png")
    with replacing_file(FOLDER / "per_seed.txt") as temporary:
        temporary.write_text(table.replace("drew sweep.png\n", ""), encoding="utf-8")
    copy_file(clone.folder / "sweep.png", FOLDER / "per_seed.png")
    heldout = {name: {"heldout": cells["heldout"]} for name, cells in accuracy["variants"].items()}
    write_run(FOLDER, params, {ACCURACY: {"variants": heldout}})
