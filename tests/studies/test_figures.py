import numpy as np
import pandas as pd
import pytest

from debugset.studies.figures import share, statistic


def answers_of(annotators, tasks):
    """Every annotator answers every task."""
    rows = [(task, one) for one in annotators for task in range(1, tasks + 1)]
    return pd.DataFrame(rows, columns=["task", "annotator"])


def test_one_annotator_s_interval_is_the_bootstrap_over_tasks():
    answers = answers_of(["Ada"], 100)
    right = np.arange(100) < 80
    figure = share("right", right, answers, chance=0.5)
    assert figure[:2] == ("right", 0.8)
    assert figure.chance == 0.5
    assert figure.answers == 100
    half_width = 1.96 * np.sqrt(0.8 * 0.2 / 100)
    assert figure.low == pytest.approx(0.8 - half_width, abs=0.015)
    assert figure.high == pytest.approx(0.8 + half_width, abs=0.015)


def test_annotators_that_differ_widen_it():
    """Of two people one is always right, the other never: who answers decides, not how many tasks there are."""
    answers = answers_of(["Ada", "Bob"], 200)
    figure = share("right", (answers["annotator"] == "Ada").to_numpy(), answers)
    assert (figure.share, figure.low, figure.high) == (0.5, 0.0, 1.0)


def test_answers_to_one_task_are_drawn_together():
    answers = answers_of([f"annotator {number}" for number in range(40)], 4)
    figure = share("right", (answers["task"] <= 2).to_numpy(), answers)
    assert figure.share == 0.5
    assert (figure.low, figure.high) == (0.0, 1.0)  # four tasks, though there are 160 answers


def test_the_order_of_answers_changes_nothing():
    answers = answers_of(["Ada", "Bob", "Cleo"], 20)
    right = np.random.default_rng(0).random(len(answers)) < 0.6
    order = np.random.default_rng(1).permutation(len(answers))
    one, other = share("", right, answers), share("", right[order], answers.iloc[order])
    assert one == pytest.approx(other, nan_ok=True)


def test_a_statistic_is_made_of_means_in_every_resample():
    answers = answers_of(["Ada"], 50)
    values = np.arange(50)
    figure = statistic("ratio", lambda mean: mean(values) / mean(2 * values), answers)
    assert (figure.share, figure.low, figure.high) == (0.5, 0.5, 0.5)


def test_nothing_answered_is_no_figure():
    figure = share("right", np.array([], bool), answers_of([], 0))
    assert np.isnan([figure.share, figure.low, figure.high]).all()
    assert figure.answers == 0
