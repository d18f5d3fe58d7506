"""The pictures of failure modes: which there are, of which images."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from debugset.barlow.pictures import MODE_PICTURE_COLUMNS, mode_pictures, pictures_frame
from debugset.models.registry import find_architecture
from debugset.visuals.feature_pictures import Embedder
from debugset.visuals.params import VisualsParams

VISUALS = VisualsParams(attack_radius=1.0, attack_step=0.5, attack_steps=2)


def test_the_pictures_of_a_mode(images, network):
    features = np.tile(np.arange(12.0)[:, None], (1, 96)).astype(np.float32)
    embedder = Embedder(network, find_architecture("test_resnet"), features)
    rule = ((3, "<", 0.5), (8, ">=", 0.5))
    arguments = (rule, embedder, images, np.arange(2, 12), np.array([2, 4, 5]), VISUALS, 0)
    found = mode_pictures("label-a-1", *arguments)
    kinds = found.groupby(["feature", "kind"], sort=False).size()
    for feature in (3, 8):
        assert kinds[feature].to_dict() == dict.fromkeys(("activating", "heatmap", "gradient", "attack"), 6)
        strongest = found[(found["feature"] == feature) & (found["kind"] == "activating")]
        assert strongest["image_id"].tolist() == [f"image-{place:02}" for place in range(11, 5, -1)]
    assert kinds[-1].to_dict() == {"failure": 3}
    assert sorted(found.loc[found["kind"] == "failure", "image_id"]) == ["image-02", "image-04", "image-05"]
    attacked = found[found["kind"] == "attack"]["value"].to_numpy()
    assert (attacked >= found[found["kind"] == "activating"]["value"].to_numpy()).all()
    first = Image.open(io.BytesIO(found["png"].iloc[0]))
    assert np.array_equal(np.asarray(first), np.asarray(images.image(11)))
    assert found.equals(mode_pictures("label-a-1", *arguments))


def test_every_mode_is_pictured_from_its_own_group_s_discovery_half(images, network):
    embedder = Embedder(
        network, find_architecture("test_resnet"), np.tile(np.arange(12.0)[:, None], (1, 96)).astype(np.float32)
    )
    modes = pd.DataFrame({"mode": ["label-a-1", "label-b-1"], "rule": ['[[3, "<", 0.5]]', '[[8, ">=", 0.5]]']})
    members = pd.DataFrame(
        [
            ("label-a-1", 1, "discovery", True, True),
            ("label-a-1", 2, "discovery", True, False),
            ("label-a-1", 3, "discovery", False, True),
            ("label-a-1", 4, "heldout", True, True),
            ("label-b-1", 7, "discovery", True, True),
        ],
        columns=["mode", "image_id", "half", "inside", "failed"],
    )
    members["image_id"] = members["image_id"].map("image-{:02}".format)
    found = pictures_frame(modes, members, embedder, images, VISUALS, 0)
    expected = [
        mode_pictures("label-a-1", ((3, "<", 0.5),), embedder, images, np.array([1, 2, 3]), np.array([1]), VISUALS, 0),
        mode_pictures("label-b-1", ((8, ">=", 0.5),), embedder, images, np.array([7]), np.array([7]), VISUALS, 0),
    ]
    pd.testing.assert_frame_equal(found, pd.concat(expected, ignore_index=True))
    none = pictures_frame(modes.head(0), members, embedder, images, VISUALS, 0)
    assert none.empty
    assert none.columns.tolist() == found.columns.tolist() == MODE_PICTURE_COLUMNS
