"""The ground truth's file: a template, filled in by a person, read back."""

import warnings

import pandas as pd
import pytest

from debugset.relations.truth import check_relations, read_relations, write_template

NAMES = ["man-made", "rock/stone", "natural light", 'a "quoted", name']


def filled(path, labels):
    """Write labels into a template, as a person does."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert len(table) == len(labels)
    table.assign(relation=labels).to_csv(path, index=False)


def test_a_template_has_every_pair_and_waits_for_labels(tmp_path):
    path = tmp_path / "truth.csv"
    assert write_template(path, NAMES) == 6
    lines = path.read_text().splitlines()
    assert lines[:2] == ["attribute_a,attribute_b,relation", "man-made,rock/stone,"]
    assert len(lines) == 7
    with pytest.raises(ValueError, match=r"truth\.csv: no pair has a label; write one into column `relation`"):
        read_relations(path, NAMES)


def test_a_template_with_a_label_or_filled_in_reads(tmp_path):
    path = tmp_path / "truth.csv"
    write_template(path, NAMES, "unrelated")
    found = read_relations(path, NAMES)
    assert len(found) == 6
    assert set(found["relation"]) == {"unrelated"}
    assert set(found["attribute_a"]) | set(found["attribute_b"]) == set(NAMES)
    filled(path, ["", "negative", " ", "unrelated", "", " positive "])
    found = read_relations(path, NAMES)
    assert found.to_numpy().tolist() == [
        ["man-made", "natural light", "negative"],
        ["rock/stone", "natural light", "unrelated"],
        ["natural light", NAMES[3], "positive"],
    ]
    assert found.index.tolist() == [0, 1, 2]


def test_a_template_never_overwrites_and_needs_two_attributes(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("somebody's work")
    with pytest.raises(FileExistsError, match=r"truth\.csv: is there already; move it away, or name another file"):
        write_template(path, NAMES)
    assert path.read_text() == "somebody's work"
    with pytest.raises(ValueError, match="a relation needs two attributes, but there are 1"):
        write_template(tmp_path / "other.csv", NAMES[:1])
    assert [file.name for file in tmp_path.iterdir()] == ["truth.csv"]


def test_the_label_of_unrelated_pairs_is_one_of_the_labels(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("attribute_a,attribute_b,relation\na,b,apart\nb,c,negative\n")
    assert len(read_relations(path, list("abc"), "apart")) == 2
    line = (
        r"relations\.unrelated: no pair of truth\.csv is labelled unrelated; the labels are apart, negative; name one"
    )
    with pytest.raises(ValueError, match=line):
        read_relations(path, list("abc"), "unrelated")


def test_a_missing_ground_truth_names_what_writes_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such ground truth; `debugset relations template .*truth.csv` "):
        read_relations(tmp_path / "truth.csv", NAMES)


def test_an_editor_s_marks_and_spaces_do_no_harm(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_bytes("\ufeffattribute_a , attribute_b,relation,note\r\n a,b , x,fine\r\nb,c,y,\r\n".encode())
    assert read_relations(path, list("abc")).to_numpy().tolist() == [["a", "b", "x"], ["b", "c", "y"]]


def test_names_that_pandas_takes_for_nothing_are_names(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("attribute_a,attribute_b,relation\nNA,null,None\n")
    assert read_relations(path, ["NA", "null"]).to_numpy().tolist() == [["NA", "null", "None"]]


HEAD = "attribute_a,attribute_b,relation\n"
BAD = {
    r"truth\.csv, line 3: hat is no attribute; there are a, b, c": HEAD + "a,b,x\na,hat,x\n",
    r"truth\.csv, line 4: b and a stand in line 2 too": HEAD + "a,b,x\na,c,\nb,a,x\n",
    r"truth\.csv, line 2: a is paired with itself": HEAD + "a,a,x\n",
    r"truth\.csv: column `relation` is missing": "attribute_a,attribute_b\na,b\n",
    r"truth\.csv: no pair has a label": HEAD,
    r"truth\.csv: is empty; write a header and rows": "",
    r"truth\.csv: not a table with .*: .*line 3": HEAD + "a,b,x\na,c,x,y,z\n",
    r"truth\.csv: line 2 is no UTF-8, perhaps Latin-1; save it": (HEAD + "a,b,n\xe9gatif\n").encode("latin-1"),
    r"truth\.csv: is UTF-16; save it as CSV in UTF-8 with commas$": (HEAD + "a,b,x\n").encode("utf-16"),
    r"truth\.csv: its cells are parted by semicolons; save it": HEAD.replace(",", ";") + "a;b;x\n",
    r"truth\.csv: its cells are parted by tabs; save it": HEAD.replace(",", "\t") + "a\tb\tx\n",
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_file_is_named_in_one_line(tmp_path, line):
    path, content = tmp_path / "truth.csv", BAD[line]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=line) as caught:
        read_relations(path, list("abc"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("between", ["\n", "\n\n", "\n,,\n"])
def test_blank_lines_are_skipped_and_a_cut_line_is_named_by_its_number(tmp_path, between):
    path = tmp_path / "truth.csv"
    path.write_text(HEAD + "a,b,x\n" + between)
    assert read_relations(path, list("abc")).to_numpy().tolist() == [["a", "b", "x"]]
    path.write_text(HEAD + "a,b,x\n" + between + "a\n")
    line = 3 + between.count("\n")
    with pytest.raises(ValueError, match=rf"truth\.csv, line {line}: an empty name is no attribute"):
        read_relations(path, list("abc"))


def test_many_attributes_are_not_all_listed():
    names = [f"n{number:02d}" for number in range(40)]
    relations = pd.DataFrame([("hat", "n01", "x")], columns=["attribute_a", "attribute_b", "relation"])
    with pytest.raises(ValueError, match=r"hat is no attribute; there are n00, .* n11 \.\.\.$"):
        check_relations(relations, names)


def test_the_comma_that_spreadsheets_leave_at_the_end_shifts_no_column(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text(HEAD + "a,b,x,\nb,c,y,\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_relations(path, list("abc")).to_numpy().tolist() == [["a", "b", "x"], ["b", "c", "y"]]


@pytest.mark.parametrize("written", ["cafe\u0301", "caf\u00e9"])
def test_a_name_is_the_attribute_s_in_either_of_its_forms(tmp_path, written):
    path = tmp_path / "truth.csv"
    path.write_text(f"attribute_a,attribute_b,relation\n{written},bag,apart\n", encoding="utf-8")
    assert read_relations(path, ["caf\u00e9", "bag"]).to_numpy().tolist() == [["caf\u00e9", "bag", "apart"]]
