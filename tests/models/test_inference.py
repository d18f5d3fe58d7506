"""A model made ready: the same outputs with batch norm folded, the caller's own model untouched."""

import pytest
import timm
import torch
from timm.layers import StdConv2d
from torch import nn

from debugset.models.classifier import Classifier, build
from debugset.models.inference import CPU_PIXELS, BatchNorm, batch_size, fold_batch_norms, prepare_for_inference
from debugset.models.registry import Architecture
from tests.models.toys import mean_colour, small_network


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")


def lived_in(model, random_state=0):
    """The model in evaluation mode, its batch norms as after training: no statistic or weight is 0 or 1."""
    generator = torch.Generator().manual_seed(random_state)
    for module in model.modules():
        if isinstance(module, BatchNorm) and module.running_var is not None:
            for tensor, low in ((module.running_mean, -0.5), (module.running_var, 0.5)):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + low)
            if module.affine:
                module.weight.data.copy_(torch.rand(module.weight.shape, generator=generator) + 0.5)
                module.bias.data.copy_(torch.rand(module.bias.shape, generator=generator) - 0.5)
    return model.eval()


def norms(model):
    return [module for module in model.modules() if isinstance(module, BatchNorm)]


# plain norms, norms that activate, padding by hand, group convolutions, squeeze and excitation, norms in branches
@pytest.mark.parametrize(
    "name", ["test_resnet", "tf_efficientnet_lite0", "resnet18d", "mobilenetv3_small_050", "regnetx_002", "densenet121"]
)
def test_folded_outputs_are_the_unfolded_ones(name):
    side = 64
    classifier = lived_in(Classifier(timm.create_model(name, num_classes=5), (0.5,) * 3, (0.25,) * 3))
    folded = prepare_for_inference(classifier)
    pixels = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for run in ("forward", "features"):
            expected, found = getattr(classifier, run)(pixels), getattr(folded, run)(pixels)
            assert expected.abs().max() > 0.01
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    left = 62 if name == "densenet121" else 0  # there every second one comes before a convolution
    assert len(norms(folded)) == left < len(norms(classifier))


def test_the_caller_s_model_stays_as_it_is():
    classifier = lived_in(Classifier(small_network(), (0.5,) * 3, (0.25,) * 3))
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    prepare_for_inference(classifier)
    assert len(norms(classifier)) == 1
    assert all(parameter.requires_grad for parameter in classifier.parameters())
    assert classifier.backbone[0].weight.is_contiguous()
    for name, tensor in classifier.state_dict().items():
        assert torch.equal(tensor, before[name])


class Shared(nn.Module):
    """A convolution whose output is used besides, one that is called twice, one that makes its weights anew at each
    call, and a norm without statistics.
    """

    def __init__(self):
        super().__init__()
        self.seen, self.twice, self.last = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.norm_of_seen, self.norm_of_twice = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.without_statistics = nn.BatchNorm2d(3, track_running_stats=False)
        self.standardised, self.norm_of_standardised = StdConv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.norm_of_standardised(self.standardised(x))
        seen = self.seen(x)
        twice = self.norm_of_twice(self.twice(self.twice(x)))
        return self.norm_of_seen(seen) + seen + twice + self.without_statistics(self.last(x))


def test_only_a_norm_that_alone_sees_a_convolution_is_folded():
    model = lived_in(Shared())
    pixels = torch.rand(2, 3, 4, 4)
    before = model(pixels)
    fold_batch_norms(model)
    assert len(norms(model)) == 4
    torch.testing.assert_close(model(pixels), before)


class Untraceable(nn.Module):
    """It looks at values, which a graph cannot."""

    def __init__(self):
        super().__init__()
        self.layers = small_network()

    def forward(self, x):
        return self.layers(x) if float(x.sum()) > 0 else self.layers(-x)


def test_a_model_that_cannot_be_traced_is_told_and_left():
    model = lived_in(Untraceable())
    with pytest.warns(UserWarning, match="batch norm is not folded"):
        fold_batch_norms(model)
    assert len(norms(model)) == 1


def test_a_model_without_batch_norm_is_not_traced(recwarn):
    prepare_for_inference(mean_colour())
    prepare_for_inference(build(Architecture("test_vit", "scratch", 160), 3).eval())
    assert not [one for one in recwarn if "folded" in str(one.message)]


@pytest.mark.parametrize(("side", "images"), [(96, 65), (32, 585), (224, 11), (1000, 1)])
def test_a_cpu_takes_as_many_images_as_its_caches_hold(side, images):
    assert batch_size(torch.device("cpu"), side) == images
    assert images == 1 or images * side**2 <= CPU_PIXELS
    assert batch_size(torch.device("cuda"), 224) == 256
