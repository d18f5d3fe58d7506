"""The results of stage `sparse`, as the page, the metrics and the plots show them."""

from dataclasses import dataclass

import pandas as pd

from debugset.base.paths import SPARSE
from debugset.report.inputs import Inputs

ACCURACIES = {"test": "test", "diagnosis": "deployment"}  # columns, and how figures call them


@dataclass
class SparseTables:
    """The tables of stage `sparse`."""

    inputs: Inputs

    def table(self, name: str) -> pd.DataFrame:
        """A table; columns ``model`` and ``layer`` say what a row is about."""
        return self.inputs.frame(SPARSE / f"{name}.parquet")

    @property
    def models(self) -> list[str]:
        """The models in the order of the parameters."""
        return self.table("layers")["model"].unique().tolist()
