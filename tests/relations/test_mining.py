"""Mining a network: batches change nothing, masks come from the right images, cosines from masked patterns."""

import numpy as np
import pandas as pd
import pytest
import torch

from debugset.images.sets import read_attributes
from debugset.models.outputs import pixel_batches
from debugset.relations.masks import Mask, greedy_mask
from debugset.relations.mining import mine_cosines, mine_masks, pattern_batches
from debugset.relations.patterns import cosines, inference_patterns
from tests.relations.worlds import halves_set, relations_params, untrained


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return halves_set(tmp_path_factory.mktemp("halves"), count=22)


@pytest.fixture(scope="module")
def network():
    return untrained(3, side=16)


ROWS = np.random.default_rng(0).permutation(22)[:17]


def there(images):
    """Two attributes that images show, and one that none of them does."""
    shown = (read_attributes(images).iloc[ROWS] > 0).to_numpy()
    return np.column_stack([shown, np.zeros(len(ROWS), bool)])


def whole(network, images, rows):
    (pixels,) = pixel_batches(images, rows, network.architecture, len(rows))
    return inference_patterns(network.classifier, network.layer, pixels)


def test_batches_follow_the_rows_and_hold_the_attributes_wished(images, network):
    everything = whole(network, images, ROWS)
    batches = list(pattern_batches(network, images, ROWS, 5, [2, 0]))
    assert [len(batch.scores) for batch in batches] == [5, 5, 5, 2]
    found = torch.cat([batch.gradients for batch in batches])
    torch.testing.assert_close(found, everything.gradients[:, [2, 0]], atol=1e-6, rtol=0)
    assert not network.classifier.training


def test_the_caller_s_network_stays_as_it_was(images):
    network = untrained(3, side=16)
    before = [parameter.data_ptr() for parameter in network.classifier.parameters()]
    mine_cosines(network, images, ROWS, mine_masks(network, images, ROWS, there(images), relations_params()), 8)
    parameters = list(network.classifier.parameters())
    assert all(parameter.requires_grad for parameter in parameters)
    assert [parameter.data_ptr() for parameter in parameters] == before
    assert not network.classifier.training


def test_masks_come_from_the_first_images_that_show_the_attribute(images, network):
    params = relations_params(mask_images=4, batch=3, mask_penalty=0.05)
    found = mine_masks(network, images, ROWS, there(images), params)
    for attribute in (0, 1):
        chosen = [row for row, shown in zip(ROWS, there(images), strict=True) if shown[attribute]][:4]
        patterns = whole(network, images, np.array(chosen))
        contributions = (patterns.gradients[:, attribute] * patterns.activations).numpy()
        expected = greedy_mask(contributions, penalty=0.05, block=0.02)
        assert (found[attribute].keep != expected.keep).sum() <= 2  # sums in another order
        assert found[attribute].residual == pytest.approx(expected.residual, abs=1e-3)
        assert 0 < found[attribute].keep.mean() < 0.5


def test_the_size_of_a_batch_changes_neither_masks_nor_cosines(images, network):
    masks = [mine_masks(network, images, ROWS, there(images), relations_params(batch=batch)) for batch in (4, 100)]
    for one, other in zip(*masks, strict=True):
        assert (one.keep != other.keep).sum() <= 2
    found = [mine_cosines(network, images, ROWS, masks[0], batch) for batch in (1, 4, 17, 100)]
    for each in found[1:]:
        np.testing.assert_allclose(each, found[0], rtol=0, atol=1e-5)


def test_an_attribute_that_no_image_shows_keeps_every_unit(images, network):
    for mask in ("greedy", "all"):
        found = mine_masks(network, images, ROWS, there(images), relations_params(mask=mask))[2]
        assert found.keep.shape == (16 * 8 * 8,)
        assert found.keep.all()
        assert found.residual == 0


def test_all_keeps_every_unit_of_every_attribute(images, network):
    found = mine_masks(network, images, ROWS, there(images), relations_params(mask="all"))
    assert [mask.keep.all() and mask.residual == 0 for mask in found] == [True] * 3


def test_cosines_are_of_masked_patterns_image_by_image(images, network):
    rng = np.random.default_rng(1)
    masks = [Mask(rng.random(1024) < share, 0.0) for share in (0.3, 0.7)] + [Mask(np.zeros(1024, bool), 1.0)]
    found = mine_cosines(network, images, ROWS, masks, 6)
    keep = np.stack([mask.keep for mask in masks])
    expected = cosines(whole(network, images, ROWS).gradients.numpy() * keep)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert found.shape == (17, 3, 3)
    assert (found[:, 2] == 0).all()  # nothing kept shares nothing
    assert np.abs(found[:, 0, 1]).max() < 1


def test_a_layer_without_a_map_is_refused_before_anything_is_mined_unless_no_map_is_wished(images, network):
    flat = network._replace(layer="backbone.classifier.1")
    with pytest.raises(ValueError, match=r"backbone\.classifier\.1 has shape \(128,\) and is no map; .*maps: 0`"):
        mine_masks(flat, images, ROWS, there(images), relations_params(maps=1, layer=flat.layer))
    found = mine_masks(flat, images, ROWS, there(images), relations_params(maps=0))
    assert [len(mask.keep) for mask in found] == [128] * 3


def test_what_images_show_may_be_1_and_0_but_not_signs(images, network):
    params, shown = relations_params(mask_images=4), there(images)
    wished = [mask.keep.tolist() for mask in mine_masks(network, images, ROWS, shown, params)]
    for told in (shown.astype(np.int64), shown.astype(float), shown.tolist(), pd.DataFrame(shown)):
        assert [mask.keep.tolist() for mask in mine_masks(network, images, ROWS, told, params)] == wished
    with pytest.raises(ValueError, match=r"^shown: expected True or False, but shown\[\d+\] is -1; "):
        mine_masks(network, images, ROWS, np.where(shown, 1, -1), params)
