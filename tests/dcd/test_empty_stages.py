"""What leaves a stage of data-centric debugging with nothing ends it in one line; what leaves it with less is told."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from debugset.base.paths import SETS, TRAIN
from debugset.models.outputs import predict_table
from stages import dedup, errors, pick, retention, train
from tests.datasets.tiny import tiny_set
from tests.dcd import stage_world as world
from tests.models.toys import described, mean_colour

WIDEN = "collect more photos (section `scrape`)"
NO_FAILURE = "data/sets/seed_source: there is nothing to collect images for: "


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    monkeypatch.delenv("DEBUGSET_DEVICES", raising=False)
    monkeypatch.setattr(errors, "_model", lambda name, classes: (mean_colour(), replace(described(), name=name)))
    monkeypatch.setattr(errors, "predict_table", predict_table_or_know)
    Path("errors.modes").write_text("mode,class_name,image_id\n")
    world.write_params()


def predict_table_or_know(classifier, description, images, rows, precision):
    """What the mean colour says of images; the model called `right` knows their labels."""
    frame = predict_table(classifier, description, images, rows, precision)
    return frame.assign(predicted=frame["label"]) if description.name == "right" else frame


def refused(stage, *arguments):
    """The error that ends a stage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"{stage.__name__}.py", *arguments])
        with pytest.raises(ValueError) as error:
            stage.main()
    return str(error.value)


def ran(stage, capsys, *arguments):
    """The lines that a stage prints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"{stage.__name__}.py", *arguments])
        stage.main()
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("guesses", "section", "line"),
    [
        (
            {},
            {},
            "the original model misses no image of any class; make the set larger or harder (section `prepare`), "
            "or debug another model (section `original`)",
        ),
        (
            {"seed_source": [0, 0, 1, 1, 2, 0], "heldout_source": [1, 1, 0, 0, 2, 2]},
            {},
            "the original model misses no image of `errors.classes`, but some of bag; name such classes there, by "
            "`debugset debug-classes --least 3`",
        ),
        (
            {"seed_source": [0, 2, 1, 1, 2, 0]},
            {"classes": ["dress"]},
            "the original model misses no image of `errors.classes`, but some of coat, bag; name such classes there, "
            "by `debugset debug-classes --least 3`",
        ),
        (
            {"seed_source": [1, 0, 1, 1, 2, 2]},
            {"setting": "multi", "models": ["right"]},
            "no image of `errors.classes` is missed by the original model and by all of `errors.models`; name models "
            "that miss more, or say `errors.setting: single`",
        ),
    ],
    ids=["perfect", "seeds of another class alone", "only held-out and others", "the other model is right"],
)
def test_a_model_without_failures_to_debug_is_told_at_once(guesses, section, line):
    world.write_sets(**guesses)
    world.write_params(errors=section)
    assert refused(errors) == NO_FAILURE + line
    assert Path("data/errors/predictions.parquet").is_file()  # `debugset debug-classes` reads them
    assert not Path("data/errors/failures.parquet").exists()


@pytest.mark.parametrize(
    ("name", "missing"), [("seed_source", 0), ("heldout_source", 1), ("heldout_source", 0)], ids=str
)
def test_a_debug_class_without_images_is_named_with_its_set(name, missing):
    world.write_sets()
    world.write_images(SETS / name, [label for label in (0, 1, 1, 2) if label != missing])
    assert refused(errors) == (
        f"data/sets/{name}: has no image of {world.CLASSES[missing]}, which `errors.classes` names; take it out there, "
        "or make the set larger (section `prepare`)"
    )


@pytest.mark.parametrize(
    ("guesses", "lines"),
    [
        (
            {"seed_source": [2, 0, 1, 1, 2, 2], "heldout_source": [0, 2, 1, 2, 2, 2]},
            [
                "failures: {'heldout': 2, 'seed': 1}",
                "failures: no seed of dress, so nothing is collected for such images",
            ],
        ),
        (
            {"seed_source": [2, 2, 1, 2, 2, 2], "heldout_source": [0, 0, 0, 1, 2, 2]},
            [
                "failures: {'seed': 3, 'heldout': 1}",
                "failures: no held-out failure of coat, so no gain is measured there",
            ],
        ),
        (
            {"seed_source": [2, 0, 1, 2, 2, 2]},
            [
                "failures: {'seed': 2}",
                "warning: data/sets/heldout_source: no failure of `errors.classes`, so the gain on failures that "
                "nothing is collected for can't be measured; make the set larger or harder (section `prepare`)",
            ],
        ),
    ],
    ids=["a class without seeds", "a class without held-out failures", "no held-out failure"],
)
def test_what_failures_lack_is_told(capsys, guesses, lines):
    world.write_sets(**guesses)
    assert ran(errors, capsys) == lines
    assert len(pd.read_parquet("data/errors/failures.parquet"))


def test_failures_of_modes_need_no_seeds(capsys):
    world.write_sets(diagnosis=[2, 0, 1, 1, 2, 2], heldout_source=[2, 0, 2, 1, 2, 2])
    Path("errors.modes").write_text("mode,class_name,image_id\nlabel-coat-1,coat,00000\n")
    assert ran(errors, capsys) == [
        "failures: {'heldout': 2, 'mode': 1}",
        "failures: no seed of any class, so images are collected for the failures of modes alone",
    ]


def filtered(pool_labels, values, copied=None):
    """The sets and a pool with features in one dimension: training images at 0, all others at 1.

    The pool's images may be copies of the first of a set, the last one of the first again.
    """
    sets, images = world.write_sets(), None
    for name, made in sets.items():
        world.write_features(made, np.full((6, 1), 0 if name == TRAIN else 1))
    if copied:
        images = list(sets[copied].pixels([*range(len(values) - 1), 0], 8))
    world.write_features(world.write_pool(pool_labels, images), np.asarray(values)[:, None])


@pytest.mark.parametrize(
    ("quantile", "values", "copied", "counts"),
    [
        (0.0, [1.5, 0.5, 2.0], None, "3 leaks, 0 duplicates"),
        (0.5, [1.5, 0.5, 2.0, 0.0], None, "4 leaks, 0 duplicates"),
        (0.0, [9, 9, 9, 9], TRAIN, "0 leaks, 4 duplicates"),
        (0.0, [9, 9, 1], "test", "3 leaks, 0 duplicates"),
        (0.0, [1, 9, 9], TRAIN, "0 leaks, 3 duplicates"),
    ],
    ids=["near", "by a quantile", "of training images", "of test images", "near and of training images"],
)
def test_a_pool_of_which_nothing_is_kept_ends_the_filter(quantile, values, copied, counts):
    world.write_params(dedup={"quantile": quantile})
    filtered([0] * len(values), values, copied)
    mend = "lower `dedup.quantile`, or collect more photos (section `scrape`)" if quantile else WIDEN
    assert refused(dedup) == f"data/pool: the filters keep none of its {len(values)} images: {counts}; {mend}"
    assert not Path("data/dedup").exists()


def test_a_class_of_which_nothing_is_kept_is_told(capsys):
    filtered([0, 0, 1, 2, 2], [1.5, 0.5, 9.0, 2.0, 9.0])
    assert ran(dedup, capsys) == ["dedup: no image of coat is kept: 2 leaks, 0 duplicates"]


def picking(seeds, pool_labels, kept=None, deval=()):
    """Seeds of classes and a pool; what de-val took."""
    world.write_failures(seeds)
    world.write_features(world.write_sets()["seed_source"], np.zeros((6, 1)), "foundation")
    pool = world.write_pool(pool_labels)
    world.write_features(pool, np.arange(len(pool))[:, None], "foundation")
    world.write_fates(pool, np.ones(len(pool)) if kept is None else kept)
    world.write_picks("deval", list(deval))


DRY = "no image of the pool is left to pick for 2 failures of coat, dress"


@pytest.mark.parametrize(
    ("purpose", "world_of", "line"),
    [
        ("deval", {"pool_labels": [2, 2]}, f"{DRY}; {WIDEN}, or lower `dedup.quantile`"),
        (
            "deval",
            {"pool_labels": [0, 1, 2], "kept": [0, 0, 1]},
            f"{DRY}; {WIDEN}, or lower `dedup.quantile`",
        ),
        (
            "foundation",
            {"pool_labels": [0, 1], "deval": [(0, "00000"), (1, "00001")]},
            f"{DRY}, de-val took 2; {WIDEN}, or lower `pick.per_seed_validation`",
        ),
        (
            "foundation",
            {"pool_labels": [0, 1, 1, 2], "kept": [0, 1, 0, 1], "deval": [(1, "00001")]},
            f"{DRY}, de-val took 1; {WIDEN}, or lower `pick.per_seed_validation`",
        ),
    ],
    ids=["other classes", "all removed", "all in de-val", "removed or in de-val"],
)
def test_picks_of_nothing_end_the_stage(purpose, world_of, line):
    picking([0, 1], **world_of)
    assert refused(pick, purpose) == f"data/picks/{purpose}.parquet: {line}"


@pytest.mark.parametrize(
    ("purpose", "world_of", "told"),
    [
        ("deval", {"pool_labels": [0, 0, 1, 1]}, []),
        (
            "deval",
            {"pool_labels": [0, 0, 2, 2]},
            [f"pick: deval: 1 of 2 picks asked for, the pool ran dry for dress; {WIDEN}"],
        ),
        (
            "foundation",
            {"pool_labels": [0, 0, 0, 1, 1], "deval": [(0, "00000"), (1, "00003")]},
            [f"pick: foundation: 3 of 4 picks asked for, the pool ran dry for dress; {WIDEN}"],
        ),
        (
            "foundation",
            {"pool_labels": [0, 1], "kept": [1, 1]},
            [f"pick: foundation: 2 of 4 picks asked for, the pool ran dry for coat, dress; {WIDEN}"],
        ),
    ],
    ids=["enough", "a class without", "after de-val", "every class"],
)
def test_fewer_picks_than_asked_for_are_counted(capsys, purpose, world_of, told):
    picking([0, 1], **world_of)
    assert ran(pick, capsys, purpose) == told
    assert len(pd.read_parquet(f"data/picks/{purpose}.parquet"))


@pytest.mark.parametrize(
    ("variant", "kept", "deval", "picks"),
    [
        ("complete", [0, 0], [], []),
        ("complete", [1, 0], [(0, "00000")], []),
        ("random", [0, 1], [], [(0, "00000")]),
        ("dcd-robust", [1, 1], [], []),
    ],
)
def test_a_variant_that_would_add_nothing_is_not_trained(variant, kept, deval, picks):
    images = world.write_sets()[TRAIN]
    world.write_fates(world.write_pool([0, 1]), kept)
    world.write_picks("deval", deval)
    for name in ("foundation", "robust"):
        world.write_picks(name, picks)
    with pytest.raises(ValueError) as error:
        train.training_set(variant, images, 0)
    assert str(error.value) == (
        f"train: variant {variant} adds no image, so it would be retrain again; {WIDEN}, or lower "
        "`dedup.quantile` or `pick.per_seed_validation`"
    )


@pytest.mark.parametrize(("count", "ks"), [(1, [1]), (3, [1, 3]), (4, [10])])
def test_a_set_too_small_for_its_neighbours_is_named(count, ks):
    images = tiny_set(SETS / "diagnosis", world.colours([0] * count), [0] * count)
    world.write_features(images, np.arange(count)[:, None])
    Path("params.yaml").write_text(f"retention: {{embedders: [robust], set: diagnosis, ks: {ks}}}\n")
    assert refused(retention) == (
        f"data/sets/diagnosis: its images number {count}, too few for `retention.ks` {max(ks)}; lower it, or choose a "
        "larger `retention.set`"
    )
