"""Stage train: retraining with the original's random state would prove nothing, so it is refused."""

import sys

import pytest
import yaml

from debugset.dcd.variants import VARIANTS
from stages import train
from tests.training.toys import recipe


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run the stage for a variant, the original's random state being 3, in an empty repository."""
    monkeypatch.chdir(tmp_path)

    def run(variant, random_states):
        sections = {
            "original": {"architecture": "test_resnet", "random_state": 3},
            "recipe": recipe().model_dump(),
            "train": {"random_states": random_states},
        }
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(sections))
        monkeypatch.setattr(sys, "argv", ["train", variant])
        train.main()

    return run


@pytest.mark.parametrize("random_states", [[3], [1, 2, 3]])
def test_retrain_refuses_the_originals_seed(call, tmp_path, random_states):
    with pytest.raises(ValueError, match=r"`train.random_states` holds the original's, 3; retrain needs others"):
        call("retrain", random_states)
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_seeds_and_other_variants_go_on_to_the_data(call, variant):
    with pytest.raises(FileNotFoundError, match="no such image set"):
        call(variant, [1] if variant == "retrain" else [3])


def test_an_unknown_variant_names_those_that_there_are(call):
    with pytest.raises(
        ValueError, match="compleat: is no variant; choose from retrain, random, complete, dcd-foundation"
    ):
        call("compleat", [1])


def test_a_missing_variant_is_told_by_a_usage_line(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    with pytest.raises(ValueError, match=r"^usage: python -m stages\.train VARIANT$"):
        train.main()
