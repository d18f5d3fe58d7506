"""A study's figures: statistics of answers, with intervals over tasks and annotators at once."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from debugset.sparse.intervals import INTERVAL

RESAMPLES = 2000

Mean = Callable[[np.ndarray], np.ndarray]  # of one value an answer, in every resample


class Figure(NamedTuple):
    """One figure; its numbers are NaN where nothing was answered that it could rest on."""

    name: str
    share: float
    low: float  # 95 % percentile bootstrap
    high: float
    chance: float  # what guessing gives; NaN where that is not known
    answers: int  # that it rests on


def share(
    name: str, values: np.ndarray, answers: pd.DataFrame, *, chance: float = np.nan, random_state: int = 0
) -> Figure:
    """The share of answers for which something holds.

    Args:
        name: the figure's.
        values: true or false, one an answer.
        answers: their ``task`` and ``annotator``.
        chance: what guessing gives.
        random_state: of the resamples.
    """
    numbers = np.asarray(values, np.float64)
    return statistic(name, lambda mean: mean(numbers), answers, chance=chance, random_state=random_state)


def statistic(
    name: str,
    compute: Callable[[Mean], np.ndarray],
    answers: pd.DataFrame,
    *,
    chance: float = np.nan,
    random_state: int = 0,
) -> Figure:
    """A statistic that is made of means over answers; ``compute`` gets what takes means. Others as for `share`."""
    if answers.empty:
        return Figure(name, np.nan, np.nan, np.nan, chance, 0)
    estimate = compute(_mean_by(np.ones((1, len(answers)))))[0]
    resampled = compute(_mean_by(_weights(answers, np.random.default_rng(random_state))))
    finite = resampled[np.isfinite(resampled)]  # a resample may hold none of the answers
    low, high = np.quantile(finite, INTERVAL) if len(finite) else (np.nan, np.nan)
    return Figure(name, float(estimate), float(low), float(high), chance, len(answers))


def _mean_by(weights: Float64[np.ndarray, "r n"]) -> Mean:
    """What takes the mean over answers by the weights of every resample; NaN for one that holds none of them."""
    totals = weights.sum(axis=1)
    totals[totals == 0] = np.nan
    return lambda values: weights @ np.asarray(values, np.float64) / totals


def _weights(answers: pd.DataFrame, generator: np.random.Generator) -> Float64[np.ndarray, "r n"]:
    """How often each answer is in each resample: the draws of its task times those of its annotator."""
    tasks = _draws(answers["task"].to_numpy(), generator)
    return tasks * _draws(answers["annotator"].to_numpy(), generator)


def _draws(values: np.ndarray, generator: np.random.Generator) -> Float64[np.ndarray, "r n"]:
    """How often each row's value is drawn in each resample of the distinct values."""
    distinct, places = np.unique(values.astype(str), return_inverse=True)
    equal = np.full(len(distinct), 1 / len(distinct))
    counts: Int64[np.ndarray, "r u"] = generator.multinomial(len(distinct), equal, size=RESAMPLES)
    return counts[:, places].astype(np.float64)
