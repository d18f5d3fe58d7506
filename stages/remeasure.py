"""Stage remeasure: every variant on the failure modes of the original model."""

from debugset.base.command import run
from debugset.base.files import read_parquet, write_parquet
from debugset.base.params import load
from debugset.base.paths import BARLOW, DIAGNOSIS, EVALUATION, REMEASURED, SETS
from debugset.dcd.accuracy import BootstrapParams
from debugset.dcd.remeasure import remeasure


def main() -> None:
    """Write every variant's error rate on the held-out images of each mode."""
    params = load("remeasure", BootstrapParams)
    predictions = read_parquet(EVALUATION / "predictions.parquet")
    predictions = predictions[predictions["set"] == DIAGNOSIS]
    members = read_parquet(BARLOW / "members.parquet")
    table = remeasure(members, predictions, params.resamples, params.random_state)
    if members.empty:
        print("remeasure: there is no failure mode, so nothing is measured again")
    elif table.empty:
        mend = f"lower `barlow.discovery`, or make {SETS / DIAGNOSIS} larger"
        print(f"remeasure: no failure mode has held-out images, so nothing is measured again; {mend}")
    write_parquet(REMEASURED, table)


if __name__ == "__main__":
    run(main)
