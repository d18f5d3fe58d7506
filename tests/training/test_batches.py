"""Training batches: every image once a pass, shared out among devices, augmented, with its own label."""

import numpy as np
import pytest
import torch

from debugset.training.batches import TrainingSet, batch_order, batches, random_box, shift_and_flip
from debugset.training.fitting import whole_set
from tests.datasets.tiny import plain, tiny_set
from tests.reference import batches as naive
from tests.training.toys import recipe, two_parts

CPU = torch.device("cpu")
AUGMENTATIONS = ("shift_flip", "random_resized_crop", "none")


@pytest.mark.parametrize(("count", "batch", "steps"), [(10, 5, 4), (10, 4, 10), (3, 8, 5), (1, 4, 2), (7, 7, 3)])
def test_the_order_equals_dealing_one_shuffled_deck_after_another(count, batch, steps):
    found = [indices.tolist() for indices in batch_order(count, recipe(batch=batch, steps=steps), 5)]
    assert found == naive.batch_order(count, batch, steps, 5)


@pytest.mark.parametrize(("count", "batch"), [(10, 5), (10, 4), (3, 8)])
def test_every_pass_covers_every_image_once_in_another_order(count, batch):
    stream = np.concatenate(list(batch_order(count, recipe(batch=batch, steps=30), 0)))
    assert len(stream) == 30 * batch
    passes = [stream[start : start + count] for start in range(0, len(stream) - count + 1, count)]
    assert all(sorted(one) == list(range(count)) for one in passes)
    assert len({tuple(one) for one in passes}) > 1


def test_another_seed_is_another_order():
    orders = [np.concatenate(list(batch_order(50, recipe(), random_state))).tolist() for random_state in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def numbers(data, augmentation="shift_flip", **where):
    """The images of every batch, by the number in their colour."""
    found = batches(data, recipe(augmentation=augmentation, steps=7), 8, 3, CPU, **where)
    return [(batch.pixels[:, 1].amax(dim=(1, 2)) * 255).round().int().tolist() for batch in found]


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
@pytest.mark.parametrize("world", [2, 4])
def test_the_devices_share_out_each_global_batch(tmp_path, augmentation, world):
    data = two_parts(tmp_path)
    whole = numbers(data, augmentation)
    shares = [numbers(data, augmentation, rank=rank, world=world) for rank in range(world)]
    for step, wished in enumerate(whole):
        given = [share[step] for share in shares]
        assert {len(one) for one in given} == {4 // world}
        assert sorted(number for one in given for number in one) == sorted(wished)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_every_image_comes_with_its_own_label_and_weight(tmp_path, augmentation):
    data = two_parts(tmp_path)
    seen = set()
    for batch in batches(data, recipe(augmentation=augmentation, steps=7), 8, 3, CPU):
        assert batch.pixels.shape == (4, 3, 8, 8)
        colours = (batch.pixels * 255).round().amax(dim=(2, 3)).int()
        assert torch.equal(colours, (batch.pixels * 255).round().amin(dim=(2, 3)).int())
        assert torch.equal(batch.labels * 80 + 40, colours[:, 0])
        torch.testing.assert_close(batch.weights, 1 + batch.labels / 10)
        seen |= set(colours[:, 1].tolist())
    assert seen == {9, 0, 3, 4, 7, 1, 2, 105, 102, 100, 101}


def test_all_augmentations_take_the_same_images_in_the_same_order(tmp_path):
    data = two_parts(tmp_path)
    found = [numbers(data, augmentation) for augmentation in AUGMENTATIONS]
    assert found[0] == found[1] == found[2]


def test_without_augmentation_images_come_as_they_are(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3))
    images = tiny_set(tmp_path, noise, np.arange(5) % 3)
    data = TrainingSet([(images, np.arange(5))], np.arange(5), np.ones(5, np.float32))
    for batch in batches(data, recipe(augmentation="none", shift=3), 8, 0, CPU):
        expected = torch.from_numpy(noise[batch.labels]).permute(0, 3, 1, 2)
        assert torch.equal((batch.pixels * 255).round().long(), expected)


def test_a_long_image_is_trained_on_by_its_middle(tmp_path):
    middle, side = plain((0, 255, 0), 16, 16), plain((255, 0, 0), 16, 16)
    images = tiny_set(tmp_path, [np.concatenate([side, middle, side], axis=1)] * 2, [0, 0])
    (batch,) = batches(whole_set(images), recipe(augmentation="none", steps=1), 16, 0, CPU)
    assert (batch.pixels == torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)).all()


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_every_image_comes_with_its_own_attributes(tmp_path, augmentation):
    data = two_parts(tmp_path)
    shown = [9, 0, 3, 4, 7, 1, 2, 105, 102, 100, 101]
    data.labels = np.stack([shown, np.negative(shown)], 1).astype(np.float32)
    for batch in batches(data, recipe(augmentation=augmentation, steps=7), 8, 3, CPU):
        numbers = (batch.pixels[:, 1].amax(dim=(1, 2)) * 255).round()
        assert torch.equal(batch.labels, torch.stack([numbers, -numbers], 1))


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_batches_repeat_whatever_the_number_of_workers(tmp_path, monkeypatch, augmentation):
    noise = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3))
    images = tiny_set(tmp_path, noise, np.zeros(6))
    data = TrainingSet([(images, np.arange(6))], images.labels, np.ones(6, np.float32))
    found = []
    for workers, random_state in (("1", 0), ("4", 0), ("4", 1)):
        monkeypatch.setenv("DEBUGSET_WORKERS", workers)
        stream = batches(data, recipe(augmentation=augmentation), 8, random_state, CPU)
        found.append(torch.cat([batch.pixels for batch in stream]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[1], found[2])


@pytest.mark.parametrize("channels_last", [True, False])
def test_pixels_lie_in_memory_as_the_recipe_says(tmp_path, channels_last):
    batch = next(batches(two_parts(tmp_path), recipe(channels_last=channels_last), 8, 0, CPU))
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert batch.pixels.is_contiguous(memory_format=layout)
    assert 0 <= batch.pixels.min() <= batch.pixels.max() <= 1


def test_a_place_beyond_the_parts_is_an_error(tmp_path):
    data = two_parts(tmp_path)
    assert data.locate(6) == (data.parts[0][0], 2)
    assert data.locate(7) == (data.parts[1][0], 5)
    with pytest.raises(IndexError):
        data.locate(11)


def test_shift_and_flip_gives_the_naive_image_of_some_shift_and_every_one_in_time():
    images = np.random.default_rng(0).integers(0, 256, (300, 3, 5, 6), dtype=np.uint8)
    found = shift_and_flip(torch.from_numpy(images), 2, torch.Generator().manual_seed(0)).numpy()
    settings = [(down, right, flip) for down in range(-2, 3) for right in range(-2, 3) for flip in (False, True)]
    seen = []
    for image, changed in zip(images, found, strict=True):
        fitting = [one for one in settings if np.array_equal(naive.shifted_and_mirrored(image, *one), changed)]
        assert len(fitting) == 1
        seen += fitting
    assert set(seen) == set(settings)
    assert 110 < sum(flip for *_, flip in seen) < 190  # half of 300


def test_no_shift_only_mirrors():
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).view(2, 3, 4, 4)
    found = shift_and_flip(images, 0, torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) or torch.equal(a.flip(2), b) for a, b in zip(images, found, strict=True))


@pytest.mark.parametrize("size", [(32, 32), (500, 375), (10, 300), (300, 10), (1, 1)])
def test_a_random_box_lies_in_the_image_and_has_a_permitted_area_and_shape(size):
    width, height = size
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(500):
        left, top, right, bottom = random_box(width, height, rng.random(5))
        assert 0 <= left < right <= width + 1e-9
        assert 0 <= top < bottom <= height + 1e-9
        across, down = right - left, bottom - top
        areas.append(across * down / (width * height))
        if across < width - 1e-9 and down < height - 1e-9:  # not cut
            assert 3 / 4 - 1e-9 <= across / down <= 4 / 3 + 1e-9
            assert areas[-1] >= 0.08 - 1e-9
    assert max(areas) <= 1 + 1e-9
    if width == height:
        assert min(areas) < 0.15
        assert max(areas) > 0.9


def test_the_corners_of_the_draws_give_the_corners_of_the_image():
    assert random_box(40, 40, np.array([1.0, 0.5, 0.3, 0.9, 0.0])) == pytest.approx((0, 0, 40, 40))
    side = 40 * np.sqrt(0.08)
    assert random_box(40, 40, np.array([0.0, 0.5, 0.0, 1.0, 0.0])) == pytest.approx((0, 40 - side, side, 40))


def test_a_streamed_image_is_a_crop_and_sometimes_mirrored(tmp_path):
    ramp = np.broadcast_to(np.linspace(0, 255, 64)[None, :, None], (64, 64, 3))
    images = tiny_set(tmp_path, [ramp], [0])
    data = TrainingSet([(images, np.zeros(1, np.int64))], images.labels, np.ones(1, np.float32))
    stream = batches(data, recipe(augmentation="random_resized_crop", batch=16, steps=4), 8, 0, CPU)
    slopes = torch.cat([batch.pixels[:, 0, 4, 7] - batch.pixels[:, 0, 4, 0] for batch in stream])
    assert 16 <= (slopes > 0).sum() <= 48
    assert slopes.abs().max() > 0.7  # a crop of nearly all
    assert slopes.abs().min() < 0.5  # and a small one


def test_an_image_set_may_add_nothing(tmp_path):
    full = tiny_set(tmp_path / "full", [plain((9, 9, 9))] * 4, [1] * 4)
    none = tiny_set(tmp_path / "none", [plain((1, 1, 1))], [0])
    data = TrainingSet([(full, np.arange(4)), (none, np.empty(0, np.int64))], full.labels, np.ones(4, np.float32))
    for augmentation in AUGMENTATIONS:
        assert next(batches(data, recipe(augmentation=augmentation), 8, 0, CPU)).labels.tolist() == [1] * 4
