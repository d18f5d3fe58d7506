"""Stage train: retraining with the original's seed would prove nothing, so it is refused."""

import sys

import pytest
import yaml

from debugset.dcd.variants import VARIANTS
from stages import train
from tests.training.toys import recipe


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run the stage for a variant with the original's seed 3 and the given seeds, in an empty repository."""
    monkeypatch.chdir(tmp_path)

    def run(variant, seeds):
        sections = {
            "standard": {"architecture": "test_resnet", "seed": 3},
            "recipe": recipe().model_dump(),
            "train": {"seeds": seeds},
        }
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(sections))
        monkeypatch.setattr(sys, "argv", ["train", variant])
        train.main()

    return run


@pytest.mark.parametrize("seeds", [[3], [1, 2, 3]])
def test_retrain_refuses_the_originals_seed(call, tmp_path, seeds):
    with pytest.raises(ValueError, match=r"`train.seeds` holds the original's seed 3; retrain needs others"):
        call("retrain", seeds)
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_seeds_and_other_variants_go_on_to_the_data(call, variant):
    with pytest.raises(FileNotFoundError, match="no such image set"):
        call(variant, [1] if variant == "retrain" else [3])
