"""``debugset relations``: modes are listed, and the queries for what they lack printed or written."""

import pandas as pd
import pytest

from debugset.images.sets import write_manifest
from tests.cli.conftest import replace


@pytest.fixture
def relations(debugset):
    """A diagnosis with two networks, as stage relations writes it: three failure modes, one of which no image shows."""
    flaws = [
        ("000", "sandal", "footwear", "positive", "+-", 5.4, 0.65, 0.2),
        ("001", "bag", "sandal", "unrelated", "-+", 6.9, 0.58, 0.1549),
        ("001", "sandal", "footwear", "positive", "+-", 2.6, 0.43, float("nan")),
        ("001", "bag", "footwear", "unrelated", "-+", 1.6, 0.43, 0.02),
    ]
    columns = ["run", "attribute_a", "attribute_b", "relation", "mode", "kl", "mean", "decrease"]
    table = pd.DataFrame(flaws, columns=columns).assign(rank=1, kind="failure mode", images=9, method="relations")
    table = table.assign(test_images=[4, 4, 0, 4])
    attributes = {"bag": [1, 1, -1], "sandal": [1, -1, 1], "footwear": [1, 1, 1]}
    runs = {"name": ["000", "001"], "attribute_a": ["", "bag"], "attribute_b": ["", "sandal"], "tau": [0.0, 0.9]}
    (debugset.folder / "data/relations").mkdir(parents=True)
    (debugset.folder / "data/attributed/train").mkdir(parents=True)
    table.drop(columns=["decrease", "method", "test_images"]).to_parquet("data/relations/pairs.parquet")
    table.drop(columns=["kl", "mean", "rank", "kind", "images"]).to_parquet("data/relations/modes.parquet")
    pd.DataFrame(runs).assign(random_state=0, images=9).to_parquet("data/relations/runs.parquet")
    rows = pd.DataFrame(attributes).add_prefix("attribute:").assign(id=list("abc"), label=0, sha256="", width=1)
    rows = rows.assign(height=1, shard="0.tar", offset=0, size=0)
    write_manifest(debugset.folder / "data/attributed/train", rows, ["image"])
    return debugset


def test_modes_are_listed_and_their_queries_printed_and_written(relations):
    params = relations.folder / "params.yaml"
    before = params.read_text()
    title, _, *modes, others = relations("relations", "list").splitlines()
    assert title == "run 001: random_state 0, bag-sandal at tau 0.9"  # the unbiased one's mode has no image
    assert [line.split()[0] for line in modes] == ["sandal+footwear-", "bag-sandal+", "bag-footwear+"]
    assert "no annotated image is of it" in modes[0]
    assert modes[1].split()[1:] == ["unrelated", "1", "6.90", "0.58", "15.5", "points"]
    assert others == "--run lists others: 000"
    assert relations("relations", "list", "--run", "000").splitlines()[2].startswith("sandal+footwear-")
    block = "scrape:\n  queries:\n    sandal: [sandal -bag -handbag, flipflops -bag -handbag]\n"
    assert relations("relations", "collect", "bag-sandal+") == block
    assert params.read_text() == before
    assert relations("relations", "collect", "bag-sandal+", "--write", "params.yaml").startswith(
        "wrote the queries of sandal to par"
    )
    old, new = "sandal: [sandal, flipflops]", block.splitlines()[-1].strip()
    assert params.read_text() == before.replace(old, new)
    assert "equals no profile" in relations("check")
    assert relations("relations", "collect", "bag-sandal+") == block


def test_collect_says_what_scrape_does_not_ask_for(relations):
    replace(relations.folder / "params.yaml", "coat, sandal, shirt", "coat, shirt")
    assert "# sandal: add it to `errors.classes`" in relations(
        "relations", "collect", "bag-sandal+", "sandal+footwear-"
    )
    printed = relations("relations", "collect", "bag-footwear+").splitlines()
    assert printed[0].startswith("# bag-footwear+: shows no class of `scrape.queries`")
    assert printed[1] == "#   footwear -bag -handbag"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bag+hat-"], "bag+hat-: is no failure mode; `debugset relations list` names them"),
        (["bag-sandal+", "--run", "000"], "bag-sandal+: is no failure mode of run 000; give --run 001, or none"),
        (["sandal+footwear-"], "sandal+footwear-: no annotated image is of it"),
        (
            ["bag-footwear+"],
            "bag-footwear+: shows no class of `scrape.queries` to label photos with; leave out --write",
        ),
        (["bag-sandal+", "--about", "outfit"], "--about: only modes whose images show neither"),
        (["bag-sandal+", "--run", "9"], "bag-sandal+: is no failure mode of run 9; give --run 001, or none"),
        ([], "Missing argument"),
    ],
)
def test_collect_says_what_is_wrong_and_writes_nothing(relations, arguments, message):
    before = (relations.folder / "params.yaml").read_bytes()
    more = [] if "--run" in arguments else ["--write", "params.yaml"]
    assert message in relations("relations", "collect", *arguments, *more, fails=True)
    assert (relations.folder / "params.yaml").read_bytes() == before


def test_a_network_that_is_none_is_refused(relations):
    message = "--run 9: there is no such run; choose from 000, 001"
    assert message in relations("relations", "list", "--run", "9", fails=True)


def test_modes_need_a_diagnosis(debugset):
    assert "data/relations: no diagnosis; choose `attributed.source`" in debugset("relations", "list", fails=True)


def test_a_template_of_a_ground_truth_is_written_once(debugset):
    rows = {"id": ["a"], "label": [0], "sha256": [""], "width": [1], "height": [1], "shard": ["a.png"], "offset": [0]}
    table = pd.DataFrame(rows | {"size": [1]} | {f"attribute:{name}": [1] for name in "xyz"})
    (debugset.folder / "set").mkdir()
    write_manifest(debugset.folder / "set", table, ("image",))
    command = ["relations", "template", "truth.csv", "--set", "set", "--relation", "unrelated"]
    assert "wrote 3 pairs to truth.csv" in debugset(*command)
    written = (debugset.folder / "truth.csv").read_text()
    assert written == "attribute_a,attribute_b,relation\nx,y,unrelated\nx,z,unrelated\ny,z,unrelated\n"
    assert "truth.csv: is there already" in debugset(*command, fails=True)
    assert (debugset.folder / "truth.csv").read_text() == written
