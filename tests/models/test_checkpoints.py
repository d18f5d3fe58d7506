"""Weights files of other programs: what is inside is found in any wrapping, and what is no weights file is named."""

import io
import os
import pickle
from collections import OrderedDict
from pathlib import PurePosixPath

import pytest
import timm
import torch
from safetensors.torch import save, save_file

from debugset.models.classifier import build
from debugset.models.registry import Architecture, find_architecture
from debugset.models.weights import load_pretrained

OUTPUTS = 4


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DEBUGSET_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def trained():
    """A classifier of four classes that somebody else trained."""
    torch.manual_seed(3)
    return build(find_architecture("test_resnet"), OUTPUTS).eval()


def under(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def averaged(state):
    """The same weights a little later."""
    return {name: tensor + 1 for name, tensor in state.items()}


def profiled(state):
    """With the counters that profilers leave in every layer."""
    counters = {f"{name.rpartition('.')[0]}.total_ops": torch.zeros(1) for name in state}
    return state | counters | {"total_ops": torch.zeros(1), "total_params": torch.zeros(1)}


def robustness(state):
    """The layout of the robustness library: the network twice, and its normaliser twice."""
    zeros = torch.zeros(3, 1, 1)
    found = {"module.normalizer.new_mean": zeros, "module.attacker.normalize.new_std": zeros}
    return found | under("module.attacker.model.", averaged(state)) | under("module.model.", state)


WRAPPED = {
    "bare": lambda state: state,
    "state_dict": lambda state: {"state_dict": OrderedDict(state), "epoch": 3},
    "model": lambda state: {"model": state, "optimizer": {"lr": 0.1, "state": {0: {"exp_avg": torch.ones(2)}}}},
    "tutorial": lambda state: {"model_state_dict": state, "optimizer_state_dict": {"param_groups": [{"lr": 0.1}]}},
    "data parallel": lambda state: {"state_dict": under("module.", state)},
    "averaged model": lambda state: {"n_averaged": torch.tensor(3)} | under("module.", state),
    "compiled": lambda state: under("_orig_mod.", state),
    "compiled, then parallel": lambda state: {"model": under("module._orig_mod.", state)},
    "parallel, then compiled": lambda state: {"model": under("_orig_mod.module.", state)},
    "lightning": lambda state: {"state_dict": under("model.", state) | {"loss.weight": torch.ones(3)}, "loops": {}},
    "lightning, compiled": lambda state: {"state_dict": under("model._orig_mod.", state)},
    "profiled": profiled,
    "profiled, parallel": lambda state: under("module.", profiled(state)),
    "robustness": lambda state: {"model": robustness(state), "epoch": 105, "schedule": None},
    "robustness, early": lambda state: {"state_dict": robustness(state), "epoch": 105},
    "of an old torch": lambda state: {name: one for name, one in state.items() if "num_batches" not in name},
}
BOTH = {
    "entries": (lambda s: {"state_dict": s, "state_dict_ema": averaged(s)}, "`state_dict_ema.`"),
    "entries, parallel": (
        lambda s: {"model": under("module.", s), "model_ema": under("module.", averaged(s))},
        "`model_ema.module.`",
    ),
    "lightning": (lambda s: {"state_dict": under("model.", s) | under("ema.", averaged(s))}, "`state_dict.ema.`"),
    "several": (
        lambda s: s | under("ema.module.", averaged(s)) | {"ema_model": averaged(s)},
        "`ema.module.`, `ema_model.`",
    ),
}
ONLY_AVERAGED = {
    "an entry": (lambda s: {"state_dict_ema": s, "epoch": 3}, "`state_dict_ema.`"),
    "a prefix": (lambda s: under("ema.", s), "`ema.`"),
    "an entry, compiled": (lambda s: {"ema": under("_orig_mod.", s)}, "`ema._orig_mod.`"),
}


def loaded(folder, content):
    """The classifier of a file with that content, and its origin."""
    torch.save(content, folder / "mine.pt")
    classifier, description = load_pretrained("test_resnet", "mine.pt")
    assert len(description.classes) == OUTPUTS
    return classifier, description.origin


def same(classifier, other):
    pixels = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        return torch.equal(classifier(pixels), other(pixels))


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_a_network_is_found_in_any_wrapping(folder, trained, capsys, wrapping):
    classifier, origin = loaded(folder, WRAPPED[wrapping](trained.backbone.state_dict()))
    assert same(classifier, trained)
    assert origin.startswith("file mine.pt, sha256 ")
    assert len(origin) == len("file mine.pt, sha256 ") + 64
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("wrapping", [*BOTH, *ONLY_AVERAGED])
def test_plain_weights_are_taken_or_averaged_ones_where_there_are_no_others_and_that_is_told(
    folder, trained, capsys, wrapping
):
    if wrapping in BOTH:
        wrap, named = BOTH[wrapping]
        remark = f"plain weights; averaged ones (EMA) are there too, under {named}"
    else:
        wrap, named = ONLY_AVERAGED[wrapping]
        remark = f"averaged weights (EMA), under {named}; there are no others"
    classifier, origin = loaded(folder, wrap(trained.backbone.state_dict()))
    assert same(classifier, trained)
    assert origin.endswith(f"; {remark}")
    assert capsys.readouterr().out == f"{folder / 'mine.pt'}: {remark}\n"


def refused(folder, content):
    torch.save(content, folder / "mine.pt")
    with pytest.raises(ValueError, match=r"mine\.pt: ") as caught:
        load_pretrained("test_resnet", "mine.pt")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder / 'mine.pt'}: ")


def test_several_copies_are_not_chosen_from(folder, trained):
    state = trained.backbone.state_dict()
    several = "holds the network several times, under {}; save one of them by itself"
    said = refused(folder, {"teacher": under("module.", averaged(state)), "student": under("module.", state)})
    assert said == several.format("`teacher.module.`, `student.module.`")
    said = refused(folder, state | under("best.", averaged(state)))
    assert said == several.format("no prefix, `best.`")
    said = refused(folder, {"ema": state, "model_ema": averaged(state)})
    assert said == several.format("`ema.`, `model_ema.`")


def test_what_does_not_fit_is_told_by_the_files_own_keys(folder, trained):
    state = trained.backbone.state_dict()
    other = {f"stem.{number}.weight": torch.ones(2) for number in range(5)}
    shown = "`module.stem.0.weight`, `module.stem.1.weight`, `module.stem.2.weight` and 2 more"
    first = list(state)[:3]
    lacks = f"lacks `{first[0]}`, `{first[1]}`, `{first[2]}` and "
    said = refused(folder, under("module.", other))
    assert said.startswith(f"does not fit test_resnet: {lacks}")
    assert said.endswith(f"; it has {shown}")
    said = refused(folder, {"state_dict": under("model.", state | {"layer9.0.weight": torch.ones(2)})})
    assert said == "does not fit test_resnet, which has no `state_dict.model.layer9.0.weight`"
    without = {name: tensor for name, tensor in state.items() if name not in (first[1], "fc.bias")}
    said = refused(folder, {"model": without})
    assert said.startswith(f"does not fit test_resnet: lacks `{first[1]}`; it has `model.{first[0]}`, ")
    without = {name: tensor for name, tensor in state.items() if name != "fc.bias"}
    assert refused(folder, under("module.", without)) == "does not fit test_resnet: lacks `module.fc.bias`"
    said = refused(folder, under("module.", state | {first[0]: torch.ones(1, 2)}))
    wished = list(state[first[0]].shape)
    assert said == f"does not fit test_resnet: `module.{first[0]}` has shape [1, 2], not {wished}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([torch.zeros(2)], "holds a list, not tensors by name; save a `state_dict()`"),
        (torch.zeros(2), "holds a Tensor, not tensors by name; save a `state_dict()`"),
        ({"epoch": 3, "args": {"lr": 1}}, "holds no tensors (entries: `epoch`, `args`); save a `state_dict()`"),
        ({}, "holds no tensors (entries: none); save a `state_dict()`"),
    ],
    ids=["list", "tensor", "no tensors", "nothing"],
)
def test_what_holds_no_weights_is_told_by_what_it_holds(folder, content, said):
    assert refused(folder, content) == said


def torch_bytes(content, **options):
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


STATE = {"conv.weight": torch.zeros(30, 30), "fc.weight": torch.ones(3)}
UNREADABLE = "is cut off, damaged, or no weights file of PyTorch or safetensors; fetch it again"
FILES = {
    "empty.pt": (b"", "is empty; fetch it again"),
    "empty.safetensors": (b"", "is empty; fetch it again"),
    "page.pt": (b"<!DOCTYPE html>\n<html>", "is a web page, not weights; fetch the file that the page leads to"),
    "page.safetensors": (
        b"\xef\xbb\xbf \n<HTML lang=en>",
        "is a web page, not weights; fetch the file that the page leads to",
    ),
    "pointer.safetensors": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n",
        "is a pointer of Git LFS, not weights; run `git lfs pull` where it is from",
    ),
    "cut.pt": (torch_bytes(STATE)[:-100], UNREADABLE),
    "half.pt": (torch_bytes(STATE)[:300], UNREADABLE),
    "cut, old.pt": (torch_bytes(STATE, _use_new_zipfile_serialization=False)[:-100], UNREADABLE),
    "begun, old.pt": (torch_bytes(STATE, _use_new_zipfile_serialization=False)[:5], UNREADABLE),
    "cut.safetensors": (save(STATE)[:-10], UNREADABLE),
    "header.safetensors": (save(STATE)[:20], UNREADABLE),
    "begun.safetensors": (save(STATE)[:4], UNREADABLE),
    "text.pt": (b"hello world", UNREADABLE),
    "picture.pt": (b"\x89PNG\r\n\x1a\n" + bytes(50), UNREADABLE),
    "pickled.pt": (pickle.dumps({"a": 1}, protocol=2), UNREADABLE),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_file_that_is_none_of_weights_is_named_for_what_it_is(folder, name):
    content, said = FILES[name]
    (folder / name).write_bytes(content)
    digest = "0" * 64 if "page" in name or "pointer" in name else None  # that it has another matters less
    with pytest.raises(ValueError, match=": is ") as caught:
        load_pretrained("test_resnet", name, digest)
    assert str(caught.value) == f"{folder / name}: {said}"


def test_more_than_tensors_is_named_and_not_made(folder):
    said = refused(folder, {"model": {}, "args": PurePosixPath("/etc")})
    where = f"{PurePosixPath.__module__}.{PurePosixPath.__name__}"
    mend = "convert it to safetensors where you trust it, see docs/imagenet.md"
    assert said == f"holds more than tensors ({where}); {mend}"
    torch.save(torch.nn.Linear(2, 2), folder / "whole.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match=r"whole\.pt: holds more than tensors \(torch\.nn\.modules\.linear\.Linear\)"):
        load_pretrained("test_resnet", "whole.pt")


class Calls:
    """What runs a function when it is read."""

    def __init__(self, function):
        self.function = function

    def __reduce__(self):
        return self.function, ("echo",)


@pytest.mark.parametrize("function", [os.system, eval], ids=["a module that torch blocks", "another"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_call_in_a_weights_file_is_named_and_not_run(folder, trained, function, zipped):
    content = {"state_dict": trained.backbone.state_dict(), "hook": Calls(function)}
    torch.save(content, folder / "mine.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=rf"mine\.pt: holds more than tensors \(\S*{function.__name__}\); convert it"):
        load_pretrained("test_resnet", "mine.pt")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("protocol", [4, 5])
def test_a_newer_pickle_is_no_damaged_file(folder, trained, protocol):
    torch.save(trained.backbone.state_dict(), folder / "mine.pt", pickle_protocol=protocol)
    with pytest.raises(ValueError, match="pickled") as caught:
        load_pretrained("test_resnet", "mine.pt")
    assert str(caught.value) == (
        f"{folder / 'mine.pt'}: is pickled by protocol 4 or newer, which PyTorch reads unsafely only; "
        "convert it to safetensors where you trust it, see docs/imagenet.md"
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (torch.Tensor.to_sparse, "between dense and sparse Tensors"),
        (lambda tensor: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), "quantized Tensor"),
        (lambda tensor: tensor.to("meta"), "no data"),
    ],
    ids=["sparse", "quantized", "without data"],
)
def test_a_tensor_that_cannot_be_copied_is_named(folder, trained, change, said):
    state = trained.backbone.state_dict()
    line = refused(folder, state | {"fc.weight": change(state["fc.weight"])})
    assert '"fc.weight"' in line
    assert said in line


@pytest.mark.filterwarnings("ignore")
def test_a_torchscript_program_is_named(folder):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), folder / "mine.pt")
    with pytest.raises(ValueError, match=r"mine\.pt: is a TorchScript program; save its `state_dict\(\)` by "):
        load_pretrained("test_resnet", "mine.pt")


def test_the_content_decides_and_not_the_name(folder, trained):
    save_file(trained.backbone.state_dict(), folder / "mine.bin")
    torch.save(trained.backbone.state_dict(), folder / "mine.safetensors")
    for name in ("mine.bin", "mine.safetensors"):
        assert same(load_pretrained("test_resnet", name)[0], trained)


def named_architecture(name):
    return Architecture(name, "file", timm.get_pretrained_cfg(name).input_size[-1])


@pytest.mark.parametrize(
    ("name", "heads"),
    [
        ("test_convnext", "head.fc"),
        ("test_coatnet", "head.fc"),
        ("test_vit", "head"),
        ("deit_tiny_distilled_patch16_224", ("head", "head_dist")),
        ("levit_128s", ("head.linear", "head_dist.linear")),
    ],
)
def test_the_decision_layer_is_the_one_that_timm_names(folder, monkeypatch, name, heads):
    architecture = named_architecture(name)
    monkeypatch.setattr("debugset.models.weights.find_architecture", lambda _: architecture)
    theirs = build(architecture, 5)
    save_file(theirs.backbone.state_dict(), folder / "mine.safetensors")
    classifier, description = load_pretrained(name, "mine.safetensors")
    assert len(description.classes) == 5
    ours, wished = classifier.backbone.state_dict(), theirs.backbone.state_dict()
    assert list(ours) == list(wished)
    assert all(torch.equal(ours[key], wished[key]) for key in wished)
    assert len(ours[f"{heads if isinstance(heads, str) else heads[0]}.weight"]) == 5
    save_file(build(architecture, 0).backbone.state_dict(), folder / "mine.safetensors")
    assert load_pretrained(name, "mine.safetensors")[1].classes == ()
