"""The study of one network: every table's columns and numbers, its maps, and the three stages of the pipeline."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from debugset.datasets import outfits
from debugset.datasets import sections as attribute_sets
from debugset.datasets.outfits import ground_truth
from debugset.images.sets import open_set, read_attributes, write_set
from debugset.models.outputs import png_files
from debugset.relations.heatmaps import contribution_maps, overlay
from debugset.relations.patterns import inference_patterns
from debugset.relations.runs import biased_rows, read_test_attributes
from debugset.relations.study import ENTROPY, LOW_ENTROPY, OURS, TABLES, Study, failure_modes
from stages import attributes as attributes_stage
from stages import relations as relations_stage
from tests.relations.worlds import (
    OUTFITS,
    attributes_params,
    few_garments,
    outfit_sets,
    outfits_stage,
    relations_params,
    untrained,
)

TRUTH = ground_truth()


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return outfit_sets(tmp_path_factory.mktemp("outfits"), patch)


def made_study(sets, **changes):
    train, test = sets
    shown = read_attributes(train)
    rows = biased_rows(shown, None, 0.0, 50, 0)
    network = untrained(shown.shape[1])
    return Study(network, train, rows, shown, test, read_attributes(test), TRUTH, relations_params(**changes))


@pytest.fixture(scope="module")
def study(sets):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEBUGSET_DEVICE", "cpu")
        made = made_study(sets, threshold=0.02)  # so that random weights have failure modes
        made.__dict__["tables"] = {name: table(made) for name, table in TABLES.items()}
    return made


def table(study, name):
    return study.__dict__["tables"][name]


COLUMNS = {
    "pairs": [
        "attribute_a", "attribute_b", "relation", "mean", "kl", "kind", "mode", "expected_mean", "expected_std", "std",
        "images", "rank", "correlation",
    ],
    "attributes": ["attribute", "kl", "accuracy", "kept", "residual"],
    "histograms": ["attribute_a", "attribute_b", "counts"],
    "modes": [
        "attribute_a", "attribute_b", "relation", "mode", "score", "ordinary", "in_mode", "decrease", "test_images",
        "method", "place",
    ],
    "costs": ["top", "modes", "passed", "ordinary", "in_mode", "decrease", "method"],
    "maps": ["attribute_a", "attribute_b", "image_id", "attribute", "png"],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_its_columns_and_numbers(study, name):
    found = table(study, name)
    assert found.columns.tolist() == COLUMNS[name]
    assert len(found)
    numbers = found.select_dtypes("number")
    if name == "modes":
        numbers = numbers[found["test_images"] > 0]
    assert np.isfinite(numbers).all(axis=None)


def test_the_images_mined_are_the_first_of_a_random_order(study, sets):
    assert len(study.mined) == 40
    assert set(study.mined.tolist()) < set(study.rows.tolist())
    assert not (np.diff(study.mined) > 0).all()
    assert made_study(sets, images=10).mined.tolist() == study.mined[:10].tolist()
    assert set(made_study(sets, images=None).mined.tolist()) == set(study.rows.tolist())
    assert made_study(sets, random_state=1).mined.tolist() != study.mined.tolist()
    assert np.array_equal(study.shown, study.attributes.iloc[study.mined] > 0)


def test_pairs_come_with_the_correlation_of_the_training_images(study):
    pairs = table(study, "pairs")
    pd.testing.assert_frame_equal(pairs[TRUTH.columns.tolist()], TRUTH, check_dtype=False)
    train = study.attributes.iloc[study.rows]
    for row in pairs.head(8).to_dict("records"):
        expected = np.corrcoef(train[row["attribute_a"]], train[row["attribute_b"]])[0, 1]
        assert row["correlation"] == pytest.approx(expected)


def test_histograms_count_the_images_that_show_either(study):
    pairs, histograms = table(study, "pairs"), table(study, "histograms")
    assert [len(counts) for counts in histograms["counts"]] == [20] * len(pairs)
    assert [sum(counts) for counts in histograms["counts"]] == pairs["images"].tolist()
    centres = np.linspace(-0.95, 0.95, 20)
    means = [np.average(centres, weights=counts) for counts in histograms["counts"]]
    np.testing.assert_allclose(means, pairs["mean"], atol=0.05)


def test_attributes_come_with_their_accuracy_in_tests_and_their_masks(study):
    found = table(study, "attributes").set_index("attribute")
    assert found.index.tolist() == list(outfits.ATTRIBUTES)
    (pixels,) = [study.test.pixels(range(30), 64)]
    network = study.network.classifier
    scores = network(network.mean.new_tensor(pixels).permute(0, 3, 1, 2) / 255).detach().numpy()
    expected = ((scores > 0) == (study.test_attributes > 0).to_numpy()).mean(0)
    assert found["accuracy"].tolist() == pytest.approx(expected.tolist())
    assert found["kept"].tolist() == [mask.keep.mean() for mask in study.masks]
    assert found["residual"].between(0, 1).all()
    bag = table(study, "pairs").query("attribute_a == 'bag' or attribute_b == 'bag'")
    assert found.loc["bag", "kl"] == pytest.approx(bag["kl"].mean())


def test_failure_modes_come_label_by_label_in_turn(study):
    diagnosis = table(study, "pairs")
    found = failure_modes(diagnosis)
    assert len(found) == (diagnosis["kind"] == "failure mode").sum() > 3
    assert found["rank"].is_monotonic_increasing
    for _, rows in found.groupby("rank"):
        assert rows["kl"].is_monotonic_decreasing


def test_every_method_ranks_its_modes_from_one(study):
    modes = table(study, "modes")
    counts = modes.groupby("method").size()
    assert counts[ENTROPY] == len(TRUTH)
    assert counts[LOW_ENTROPY] == (TRUTH["relation"] == "unrelated").sum()
    assert counts[OURS] == len(failure_modes(table(study, "pairs")))
    for _, rows in modes.groupby("method"):
        assert rows["place"].tolist() == list(range(1, len(rows) + 1))
    costs = table(study, "costs")
    assert costs[["method", "top"]].to_numpy().tolist() == [
        [method, top] for method in (OURS, ENTROPY, LOW_ENTROPY) for top in (1, 3)
    ]
    best = modes[(modes["method"] == ENTROPY) & (modes["test_images"] >= 2)].head(3)
    mean = costs[(costs["method"] == ENTROPY) & (costs["top"] == 3)]["decrease"].item()
    assert mean == pytest.approx(best["decrease"].mean())


def test_a_network_without_failure_modes_still_has_both_baselines(sets):
    study = made_study(sets, threshold=0.99, images=12, mask="all", maps=0)
    assert study.diagnosis["kind"].eq("").all()
    assert TABLES["modes"](study)["method"].unique().tolist() == [ENTROPY, LOW_ENTROPY]
    costs = TABLES["costs"](study)
    assert costs["method"].tolist() == [OURS] * 2 + [ENTROPY] * 2 + [LOW_ENTROPY] * 2
    assert costs["modes"].tolist()[:2] == [0, 0]
    assert costs["decrease"].isna().tolist() == [True] * 2 + [False] * 4
    maps = TABLES["maps"](study)
    assert maps.empty
    assert maps.columns.tolist() == COLUMNS["maps"]


def pixels_of(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image)


def test_maps_are_files_of_the_images_beside_the_images_as_they_are(study):
    maps, pairs = table(study, "maps"), table(study, "pairs")
    assert {pixels_of(png).shape for png in maps["png"]} == {(64, 64, 3)}
    shown = maps[["attribute_a", "attribute_b"]].drop_duplicates().to_numpy().tolist()
    flawed = pairs[pairs["kind"] != ""].sort_values(["rank", "kl"], ascending=[True, False])
    assert 2 <= len(flawed) < len(pairs)
    assert shown == flawed[["attribute_a", "attribute_b"]].head(2).to_numpy().tolist()
    for (a, b), rows in maps.groupby(["attribute_a", "attribute_b"]):
        assert sorted(rows["attribute"].unique()) == sorted(["", a, b])
        assert rows.groupby("attribute").size().tolist() == [3] * 3
        for image_id, png in rows[rows["attribute"] == ""][["image_id", "png"]].itertuples(index=False):
            row = study.train.rows_of([image_id])[0]
            assert row in study.mined
            assert (study.attributes.iloc[row][[a, b]] > 0).any()
            assert np.array_equal(pixels_of(png), study.train.image(row))
        of_a = rows[rows["attribute"] == a]["png"].map(pixels_of)
        assert all(np.ptp(pixels, axis=2).max() > 60 for pixels in of_a)  # there is colour on it


def test_a_map_is_of_its_own_attribute_under_its_own_mask(study):
    maps = table(study, "maps")
    maps = maps[maps["attribute"] != ""]
    for row in maps.to_dict("records"):
        index = outfits.ATTRIBUTES.index(row["attribute"])
        image = study.train.pixels(study.train.rows_of([row["image_id"]]).tolist(), 64)
        pixels = torch.from_numpy(image).permute(0, 3, 1, 2) / 255
        found = inference_patterns(study.network.classifier, study.network.layer, pixels, [index])
        keep = torch.from_numpy(study.masks[index].keep)
        added = contribution_maps(found.gradients[:, 0], found.activations, keep, found.shape)
        (expected,) = png_files(overlay(pixels, added))
        assert np.abs(pixels_of(row["png"]).astype(int) - pixels_of(expected)).max() <= 1


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository in which the stages run with few garments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(outfits, "TEST_GARMENTS", 80)
    monkeypatch.setattr(attribute_sets, "read_garments", few_garments)
    Path("ground_truth").mkdir()
    TRUTH.to_csv("ground_truth/outfits.csv", index=False)
    networks = attributes_params(side=64, steps=1, images=20, pairs=[["bag", "sandal"]], taus=[1.0])
    relations = relations_params(images=8, mask_images=4, maps=1, map_images=1)

    def write(section):
        sections = {"attributed": section, "attributes": networks.model_dump(), "relations": relations.model_dump()}
        Path("params.yaml").write_text(yaml.safe_dump(sections))

    return write


def test_the_stages_study_every_network(project, capsys, monkeypatch):
    project(OUTFITS.model_dump())
    outfits_stage(monkeypatch)
    for stage in (attributes_stage, relations_stage):
        stage.main()
    assert "attributes: 2 networks of 11 attributes" in capsys.readouterr().out
    tables = {path.stem: pd.read_parquet(path) for path in Path("data/relations").iterdir()}
    assert set(tables) == {"runs", *TABLES}
    found = tables["runs"]
    assert found[["name", "tau", "images"]].to_numpy().tolist() == [["000", 0.0, 20], ["001", 1.0, 20]]
    for name in TABLES:
        assert tables[name].columns.tolist() == [*COLUMNS[name], "run"]
        assert tables[name]["run"].unique().tolist() == ["000", "001"]
    correlations = tables["pairs"].query("attribute_a == 'bag' and attribute_b == 'sandal'")["correlation"].tolist()
    assert abs(correlations[0]) < 0.6
    assert correlations[1] == pytest.approx(1)  # all that differ are removed


def test_a_profile_without_attributes_passes_through_the_stages(project, capsys, monkeypatch):
    project({"source": "none"})
    outfits_stage(monkeypatch)
    for stage in (attributes_stage, relations_stage):
        stage.main()
    assert "attributes: 0 networks of 0 attributes" in capsys.readouterr().out
    assert list(Path("data/relations").iterdir()) == list(Path("models/attributes").iterdir()) == []


def test_a_ground_truth_of_other_attributes_is_named(project, monkeypatch):
    project(OUTFITS.model_dump())
    outfits_stage(monkeypatch)
    Path("ground_truth/outfits.csv").write_text("attribute_a,attribute_b,relation\nbag,hat,unrelated\n")
    with pytest.raises(ValueError, match=r"ground_truth/outfits.csv, line 2: hat is no attribute; there are tshirt"):
        relations_stage.main()


def test_a_label_that_no_pair_has_is_named(project, monkeypatch):
    project(OUTFITS.model_dump())
    outfits_stage(monkeypatch)
    Path("ground_truth/outfits.csv").write_text("attribute_a,attribute_b,relation\nbag,coat,not related\n")
    with pytest.raises(ValueError, match=r"relations\.unrelated: no pair of outfits\.csv is labelled unrelated"):
        relations_stage.main()


def test_a_wrong_pair_shows_before_any_network_is_trained(project, monkeypatch):
    project(OUTFITS.model_dump())
    outfits_stage(monkeypatch)
    settings = yaml.safe_load(Path("params.yaml").read_text())
    settings["attributes"] |= {"pairs": [["bag", "hat"]]}
    Path("params.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setattr(attributes_stage, "fit_attributes", lambda *_: pytest.fail("a network is trained"))
    with pytest.raises(ValueError, match=r"attributes\.pairs: hat is no attribute"):
        attributes_stage.main()


def test_a_study_without_test_images_measures_no_cost(sets, tmp_path):
    train, _ = sets
    write_set(tmp_path, [], ("image",))
    shown = read_attributes(train)
    none = read_test_attributes(open_set(tmp_path), list(shown.columns))
    rows = biased_rows(shown, None, 0.0, 20, 0)
    bare = Study(untrained(shown.shape[1]), train, rows, shown, open_set(tmp_path), none, TRUTH, relations_params())
    assert TABLES["attributes"](bare)["accuracy"].isna().all()
    costs = TABLES["costs"](bare)
    assert (costs["modes"] == 0).all()
    assert costs["decrease"].isna().all()
