"""What to collect for failure modes: names, words, queries, and that a scrape with them finds such photos alone."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from debugset.base.params import PARAMS_FILE, parse
from debugset.images.sets import open_set
from debugset.pool.flickr.photo_service import PhotoService
from debugset.pool.scrape import scrape
from debugset.pool.simulator.library import PhotoLibrary
from debugset.pool.simulator.process import simulator_service
from debugset.pool.simulator.server import Simulator, application
from debugset.pool.text_search import searchable
from debugset.relations import collect
from tests.pool.runs import TRUTH, Rushed, outs
from tests.pool.worlds import CAP, CLASSES, scrape_params, second, serving, write_world

WORDS = {"bag": ["bag", "handbag"], "sandal": ["sandal", "flipflops"], "boot": ['"rubber boot"'], "hat": []}


def failure(mode, a="bag", b="sandal", images=5):
    row = {"run": "000", "attribute_a": a, "attribute_b": b, "mode": mode, "images": images}
    return row | {"name": collect.mode_name(a, b, mode)}


@pytest.mark.parametrize(
    ("mode", "pair", "about", "label", "queries"),
    [
        ("+-", ("bag", "sandal"), [], "bag", ["bag -sandal -flipflops", "handbag -sandal -flipflops"]),
        ("-+", ("bag", "sandal"), [], "sandal", ["sandal -bag -handbag", "flipflops -bag -handbag"]),
        ("++", ("hat", "bag"), [], "hat", ["hat bag", "hat handbag"]),
        ("++", ("foot_wear", "boot"), [], "boot", ['"foot wear" "rubber boot"']),
        ("--", ("bag", "boot"), ["outfit", "beach look"], "",
         ['outfit -bag -handbag -"rubber boot"', '"beach look" -bag -handbag -"rubber boot"']),
        ("+-", ("bag", "moist/ man-made"), [], "bag", ['bag -moist -"man made"', 'handbag -moist -"man made"']),
        ("+-", ("5_o_Clock_Shadow", "bag"), [], "", ['"5 o Clock Shadow" -bag -handbag']),
    ],
)  # fmt: skip
def test_each_sign_gives_words_or_exclusions(mode, pair, about, label, queries):
    found = collect.combination_of(failure(mode, *pair), WORDS, about)
    assert (found.label, list(found.queries), found.reason) == (label, queries, "")


def test_words_of_earlier_combinations_are_taken_without_their_exclusions():
    found = collect.combination_of(failure("+-"), WORDS, [])
    again = WORDS | {"bag": [*found.queries, "handbag -hat"]}
    assert collect.combination_of(failure("+-"), again, []) == found
    assert collect.combination_of(failure("-+"), again, []).queries[0] == "sandal -bag -handbag"


def test_an_unquoted_query_of_several_words_is_excluded_as_a_phrase():
    found = collect.combination_of(failure("+-"), {"bag": ["tote bag"], "sandal": ["open sandal"]}, [])
    assert found.queries == ('tote bag -"open sandal"',)


def test_a_query_that_excludes_its_own_words_is_not_asked():
    hair = collect.combination_of(failure("+-", "blond_hair", "hair"), {}, [])
    assert (hair.queries, hair.reason[:7]) == ((), "no word")
    some = collect.combination_of(failure("+-"), {"bag": ["bag", "pouch"], "sandal": ["bag"]}, [])
    assert some.queries == ("pouch -bag",)


@pytest.mark.parametrize(
    ("row", "about", "line"),
    [
        (failure("+-", images=0), [], "bag\\+sandal-: no annotated image is of it; .* for bag -sandal -flipflops"),
        (failure("--", images=0), [], "bag-sandal-: no annotated image is of it; if there can be any, search by hand$"),
        (failure("--"), [], "bag-sandal-: its images show neither, .* `--about outfit`"),
        (failure("--"), ["?!"], r"--about \?!: holds no word"),
        (failure("+-"), ["outfit"], "--about: only modes whose images show neither"),
        (failure("+-", "bag", "?"), [], None),
    ],
)
def test_what_cannot_be_collected_says_why(row, about, line):
    table = pd.DataFrame([row])
    if line is None:
        (found,) = collect.combinations_of(table, WORDS, about)
        assert found.queries == ("bag", "handbag")
        return
    with pytest.raises(ValueError, match=line):
        collect.combinations_of(table, WORDS, about)


def tables():
    """Two runs with failure modes, a third without; the second's first mode has no image."""
    key = ["run", "attribute_a", "attribute_b", "relation", "mode", "kind", "rank", "kl", "mean"]
    flaw = "failure mode"
    pairs = pd.DataFrame(
        [
            ("000", "bag", "hat", "x", "", "", 1, 9.0, 0.0),
            ("001", "bag", "hat", "y", "+-", flaw, 1, 3.0, 0.5),
            ("001", "bag", "sandal", "x", "-+", flaw, 2, 2.0, 0.4),
            ("001", "hat", "sandal", "x", "--", flaw, 1, 4.0, -0.4),
            ("002", "bag", "hat", "y", "+-", flaw, 1, 3.5, 0.6),
            ("002", "hat", "sandal", "x", "", "blind spot", 1, 3.5, 0.0),
        ],
        columns=key,
    ).assign(images=77)
    modes = pairs[pairs["mode"] != ""][key[:5]].assign(decrease=[0.25, 0.125, 0.0, float("nan")])
    modes = modes.assign(test_images=[1, 2, 3, 0], method="relations")
    runs = pd.DataFrame({"name": ["000", "001", "002"], "attribute_a": ["", "bag", ""], "attribute_b": ["", "hat", ""],
                         "tau": [0.0, 0.5, 0.0], "random_state": [0, 0, 1], "images": 9})  # fmt: skip
    return pairs, pd.concat([modes, modes.assign(method="entropy")], ignore_index=True), runs


def test_the_failure_modes_of_a_run_come_by_relation_and_rank():
    pairs, modes, _ = tables()
    found = collect.mode_table(pairs, modes)
    assert found["name"].tolist() == ["hat-sandal-", "bag-sandal+", "bag+hat-", "bag+hat-"]
    assert found["run"].tolist() == ["001", "001", "001", "002"]
    assert found["images"].tolist() == [3, 2, 1, 0]
    assert found["decrease"].tolist()[:3] == [0.0, 0.125, 0.25]


def test_annotations_decide_which_modes_are_possible():
    pairs, modes, _ = tables()
    shown = pd.DataFrame({"bag": [1, 1, -1, -1.0], "hat": [1, 1, 1, -1], "sandal": [1, -1, -1, -1]})
    found = collect.mode_table(pairs, modes, shown)
    assert found["images"].tolist() == [1, 0, 0, 0]
    assert collect.mode_table(pairs, modes, shown[["bag", "hat"]])["images"].tolist() == [3, 2, 0, 0]


def test_the_listed_run_has_a_mode_of_which_there_are_images_and_is_rather_unbiased():
    pairs, modes, runs = tables()
    assert collect.choose_run(collect.mode_table(pairs, modes), runs) == "001"
    assert collect.choose_run(collect.mode_table(pairs, modes.assign(test_images=1)), runs) == "002"
    assert collect.choose_run(collect.mode_table(pairs, modes.assign(test_images=0)), runs) == "000"


def test_the_list_says_what_each_mode_costs_and_what_cannot_be_searched():
    pairs, modes, runs = tables()
    table = collect.mode_table(pairs, modes)
    title, _, *lines, others = collect.listing(table, runs, "001", WORDS).splitlines()
    assert title == "run 001: random_state 0, bag-hat at tau 0.5"
    assert lines[1].split() == ["bag-sandal+", "x", "2", "2.00", "0.40", "12.5", "points"]
    assert "(its images show neither" in lines[0]
    assert others == "--run lists others: 002"
    assert "no annotated image" in collect.listing(table, runs, "002", WORDS).splitlines()[2]
    assert collect.listing(table, runs, "000", WORDS).splitlines()[1] == "no failure modes were found"


def test_a_name_is_looked_for_in_one_run_or_in_all():
    pairs, modes, _ = tables()
    table = collect.mode_table(pairs, modes)
    assert collect.select_modes(table, ["bag+hat-", "bag+hat-"], None)["run"].tolist() == ["001"]
    assert collect.select_modes(table, ["bag+hat-"], "002")["run"].tolist() == ["002"]
    with pytest.raises(ValueError, match=r"bag-sandal\+: is no failure mode of run 002; give --run 001, or none"):
        collect.select_modes(table, ["bag-sandal+"], "002")
    with pytest.raises(ValueError, match="hat: is no failure mode; `debugset relations list` names them"):
        collect.select_modes(table, ["hat"], None)
    accented = table.assign(name=table["name"].str.replace("bag", "caf\u00e9"))
    assert collect.select_modes(accented, ["cafe\u0301+hat-"], None)["run"].tolist() == ["001"]


def test_the_file_has_the_block_and_says_the_rest_in_comments():
    rows = [failure("+-"), failure("+-", "bag", "hat"), failure("+-", "footwear", "bag"), failure("++", images=0)]
    found = collect.combinations_of(pd.DataFrame(rows), WORDS)
    text = collect.query_text(found, ["sandal"])
    bags = ["bag -sandal -flipflops", "handbag -sandal -flipflops", "bag -hat", "handbag -hat"]
    assert yaml.safe_load(text) == {"scrape": {"queries": {"bag": bags}}}
    assert text.splitlines()[:3] == ["scrape:", "  queries:", f"    bag: [{', '.join(bags)}]"]
    comments = text.splitlines()[3:]
    assert comments[0].startswith("# footwear+bag-: shows no class of `scrape.queries`")
    assert comments[1] == "#   footwear -bag -handbag"
    assert comments[2].startswith("# bag+sandal+: no annotated image")
    assert comments[3].startswith("# bag: add it to `errors.classes`")
    assert collect.replace_queries(WORDS, found) == WORDS | {"bag": bags}
    with pytest.raises(ValueError, match=r"footwear\+bag-: shows no class of `scrape.queries`"):
        collect.replace_queries(WORDS, found[2:3])


@pytest.mark.parametrize(
    "words", [["1e5", "08", ".5"], ["no", "on", "null"], ["12:30", "a:b", "é"], ["+.5", "-1e3", "0o17"]]
)
def test_words_that_look_like_something_else_stay_text_in_the_block(words):
    found = [collect.Combination("m", words[0], tuple(words), "")]
    assert parse(collect.query_text(found, words), PARAMS_FILE) == {"scrape": {"queries": {words[0]: words}}}


def scraped(folder: Path, queries) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a scrape of the simulator's tiny world finds, and all photos of its time, with their texts."""
    world = write_world(folder / "world")
    photos = open_set(world).manifest
    params = scrape_params(queries=queries)
    with serving(application(Simulator(PhotoLibrary(open_set(world)), CAP))) as url:
        source = PhotoService(queries, simulator_service(url, world), params, 4, Rushed())
        scrape(params, source, CLASSES, outs(folder), frozenset(), photos.set_index("id")[TRUTH])
    photos = photos[photos["uploaded"] < second(2020)]
    text = [searchable(f"{row.title} | {row.tags}") for row in photos.itertuples()]
    return pd.read_parquet(folder / "photos.parquet"), photos.assign(text=text).set_index("id")


@pytest.mark.parametrize(("mode", "label"), [("+-", "bag"), ("++", "bag"), ("-+", "shirt")])
def test_a_scrape_with_the_queries_finds_every_photo_of_the_mode_and_no_other(tmp_path, monkeypatch, mode, label):
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "spool"))
    words = {"bag": ["handbag", '"leather bag"'], "shirt": ["shirt"]}
    (one,) = collect.combinations_of(pd.DataFrame([failure(mode, "bag", "shirt")]), words)
    found, photos = scraped(tmp_path, collect.queries_by_class([one]))
    bag = photos["text"].str.contains(" handbag | leather bag ")
    shirt = photos["text"].str.contains(" shirt ")
    expected = photos.index[(bag == (mode[0] == "+")) & (shirt == (mode[1] == "+"))]
    assert len(expected) > 0
    assert len(expected) < (bag | shirt).sum()
    assert set(found["id"]) == set(expected)
    assert set(found["class_name"]) == {label}
