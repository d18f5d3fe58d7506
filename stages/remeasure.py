"""Stage remeasure: every variant on the failure modes of the original model."""

from debugset.base.command import run
from debugset.base.files import read_parquet, write_parquet
from debugset.base.params import load
from debugset.base.paths import BARLOW, DIAGNOSIS, EVALUATION, REMEASURED
from debugset.dcd.accuracy import BootstrapParams
from debugset.dcd.remeasure import remeasure


def main() -> None:
    """Write every variant's error rate on the held-out images of each mode."""
    params = load("remeasure", BootstrapParams)
    predictions = read_parquet(EVALUATION / "predictions.parquet")
    predictions = predictions[predictions["set"] == DIAGNOSIS]
    members = read_parquet(BARLOW / "members.parquet")
    write_parquet(REMEASURED, remeasure(members, predictions, params.resamples, params.random_state))


if __name__ == "__main__":
    run(main)
