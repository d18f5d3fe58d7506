"""The baseline of table 1: failure modes guessed from the annotations alone, by the entropy of each pair.

The paper takes the pairs of highest entropy, which are the most balanced ones. That is a weak opponent, so the strong
form is here too: the pairs of lowest entropy among those that should have nothing in common.
"""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from debugset.relations.diagnosis import MODES, mode_counts

METHODS = OURS, ENTROPY, LOW_ENTROPY = ("relations", "entropy", "lowest entropy")  # the diagnosis, then both forms
COLUMNS = ["attribute_a", "attribute_b", "relation", "mode", "score"]


def entropy_modes(attributes: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """The paper's baseline: every pair's rarest mode, the pairs of highest entropy first.

    Args:
        attributes: of the training images, positive where one is there.
        relations: the ground truth's labelled pairs.

    Returns:
        `COLUMNS`; the score is the entropy, nats, of the pair's annotations over the images that show either
        attribute (the paper's note 3). Of equally rare modes the first of `MODES` is taken.
    """
    return _by_entropy(attributes, relations).sort_values("score", ascending=False, kind="stable", ignore_index=True)


def low_entropy_modes(attributes: pd.DataFrame, relations: pd.DataFrame, unrelated: str | None) -> pd.DataFrame:
    """The strong form: the same modes, of pairs labelled ``unrelated`` alone, the lowest entropy first."""
    table = _by_entropy(attributes, relations[relations["relation"] == unrelated])
    return table.sort_values("score", kind="stable", ignore_index=True)


def _by_entropy(attributes: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    shown, rows = attributes > 0, []
    for pair in relations[COLUMNS[:3]].to_dict("records"):
        counts = mode_counts(shown[pair["attribute_a"]], shown[pair["attribute_b"]])
        rows.append({**pair, "mode": MODES[int(counts.argmin())], "score": _entropy(counts[:3])})
    return pd.DataFrame(rows, columns=COLUMNS)


def _entropy(counts: Int64[np.ndarray, " k"]) -> float:
    """Of a distribution given by counts, nats; 0 without any."""
    shares = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log(shares)).sum())
