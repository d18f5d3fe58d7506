"""What failure modes cost on test images, this diagnosis' and the baselines' (the paper's experiment 3 and table 1)."""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from debugset.relations.diagnosis import MODES, mode_counts
from debugset.relations.truth import PAIR_COLUMNS

METHODS = OURS, ENTROPY, LOW_ENTROPY = ("relations", "entropy", "lowest entropy")  # the diagnosis, then both baselines
MODE_COLUMNS = [*PAIR_COLUMNS, "mode", "score"]
ACCURACIES = ["ordinary", "in_mode", "decrease"]
MEASURED = [*ACCURACIES, "test_images"]


def accuracy_decrease(modes: pd.DataFrame, attributes: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """The accuracy of both attributes of each mode on ordinary images and on those of the mode.

    Args:
        modes: ``attribute_a, attribute_b, mode``, of `debugset.relations.diagnosis.MODES`.
        attributes: of the test images, positive where one is there.
        right: whether the network's score has the right sign, in the same shape.

    Returns:
        The modes with ``ordinary``: [Acc(Y_a | I: Y_a* = a) + Acc(Y_b | I: Y_b* = b)] / 2; ``in_mode``: the same over
        the images of the mode; ``decrease``, their difference; ``test_images`` of the mode. NaN where none is.
    """
    shown, rows = attributes > 0, []
    for mode in modes.to_dict("records"):
        a, b = mode["attribute_a"], mode["attribute_b"]
        sign_a, sign_b = mode["mode"]
        of_a, of_b = shown[a] == (sign_a == "+"), shown[b] == (sign_b == "+")
        inside = of_a & of_b
        ordinary = (right.loc[of_a, a].mean() + right.loc[of_b, b].mean()) / 2
        in_mode = (right.loc[inside, a].mean() + right.loc[inside, b].mean()) / 2
        rows.append((ordinary, in_mode, ordinary - in_mode, int(inside.sum())))
    return pd.concat([modes, pd.DataFrame(rows, modes.index, MEASURED)], axis=1)


def top_decrease(modes: pd.DataFrame, top: list[int], least: int) -> pd.DataFrame:
    """Table 1: means over the first modes of a ranking by `accuracy_decrease`; fewer where it has fewer.

    Modes with fewer than ``least`` test images are passed over, and the next ones take their place.

    Returns:
        A row for each of ``top``: ``top, modes, passed, ordinary, in_mode, decrease``; how many modes it averages, and
        how many it passed over.
    """
    enough = (modes["test_images"] >= least).to_numpy(bool)
    rows = []
    for count in top:
        chosen = np.flatnonzero(enough)[:count]
        last = chosen[-1] if len(chosen) == count else len(enough)  # else the whole ranking was gone through
        passed = int((~enough[:last]).sum())
        means = modes.iloc[chosen][ACCURACIES].astype(float).mean()
        rows.append({"top": count, "modes": len(chosen), "passed": passed, **means})
    return pd.DataFrame(rows, columns=["top", "modes", "passed", *ACCURACIES])


def entropy_modes(attributes: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """The paper's baseline: every pair's rarest mode, the pairs of highest entropy first.

    Args:
        attributes: of the training images, positive where one is there.
        relations: the ground truth's labelled pairs.

    Returns:
        `MODE_COLUMNS`; the score is the entropy, nats, of the pair's annotations over the images that show either
        attribute (the paper's note 3). Of equally rare modes the first of `MODES` is taken.
    """
    table = _score_pairs(attributes, relations)
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def low_entropy_modes(attributes: pd.DataFrame, relations: pd.DataFrame, unrelated: str | None) -> pd.DataFrame:
    """A stronger baseline: `entropy_modes` of pairs labelled ``unrelated`` alone (none if None), the lowest first."""
    table = _score_pairs(attributes, relations[relations["relation"] == unrelated])
    return table.sort_values("score", kind="stable", ignore_index=True)


def _score_pairs(attributes: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    shown, rows = attributes > 0, []
    for pair in relations[PAIR_COLUMNS].to_dict("records"):
        counts = mode_counts(shown[pair["attribute_a"]], shown[pair["attribute_b"]])
        rows.append({**pair, "mode": MODES[int(counts.argmin())], "score": _entropy(counts[:3])})  # without "--"
    return pd.DataFrame(rows, columns=MODE_COLUMNS)


def _entropy(counts: Int64[np.ndarray, " k"]) -> float:
    """Of a distribution given by counts, nats; 0 without any."""
    shares = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log(shares)).sum())
