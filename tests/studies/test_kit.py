import json

import pytest

from debugset.studies.kit import KINDS, read_kit, write_kit
from tests.studies.toys import toy_kit


@pytest.mark.parametrize("kind", KINDS)
def test_a_kit_is_read_as_it_was_written(inputs, tmp_path, kind):
    kit = toy_kit(inputs, kind)
    write_kit(tmp_path / "kit", kit, inputs.images, inputs.pictures)
    assert read_kit(tmp_path / "kit") == kit
    assert read_kit(tmp_path / "kit").id == kit.id
    assert sorted(path.name for path in (tmp_path / "kit").iterdir()) == ["index.html", "kit.json"]


def test_the_id_tells_kits_apart(inputs):
    assert toy_kit(inputs).id == toy_kit(inputs).id
    ids = {toy_kit(inputs, **changes).id for changes in ({}, {"random_state": 1}, {"tasks": 5}, {"model": "original"})}
    assert len(ids) == 4


def test_a_kit_that_has_answers_is_not_replaced(inputs, tmp_path):
    folder = tmp_path / "kit"
    write_kit(folder, toy_kit(inputs), inputs.images, inputs.pictures)
    (folder / "ada.json").write_text("answers")
    write_kit(folder, toy_kit(inputs), inputs.images, inputs.pictures)  # the same: the page anew
    assert (folder / "ada.json").read_text() == "answers"
    with pytest.raises(ValueError, match="kit: holds another kit, which its answers need; name another folder"):
        write_kit(folder, toy_kit(inputs, random_state=1), inputs.images, inputs.pictures)
    assert read_kit(folder) == toy_kit(inputs)


def test_no_other_folder_is_replaced_but_an_empty_one_is_filled(inputs, tmp_path):
    (tmp_path / "empty").mkdir()
    write_kit(tmp_path / "empty", toy_kit(inputs), inputs.images, inputs.pictures)
    assert read_kit(tmp_path / "empty") == toy_kit(inputs)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="is there and holds no kit; name another folder by --into"):
        write_kit(tmp_path, toy_kit(inputs), inputs.images, inputs.pictures)
    assert (tmp_path / "thesis.txt").is_file()


def test_a_truth_that_was_changed_is_refused(inputs, tmp_path):
    write_kit(tmp_path / "kit", toy_kit(inputs), inputs.images, inputs.pictures)
    path = tmp_path / "kit/kit.json"
    content = json.loads(path.read_text())
    content["tasks"][0]["right"] = {"a": "b", "b": "c", "c": "a"}[content["tasks"][0]["right"]]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"kit.json: not the truth of a kit .it was changed"):
        read_kit(tmp_path / "kit")
    for text in ("[]", "{"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"kit.json: not the truth of a kit .*; restore it, or make the kit anew"):
            read_kit(tmp_path / "kit")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"kit.json: no such kit; `debugset study make` makes one"):
        read_kit(tmp_path / "kit")
