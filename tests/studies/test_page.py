"""The page: that it needs nothing else, and that nobody finds an answer in its source."""

import base64
import hashlib
import json
import re

import pytest

from debugset.studies.kit import KINDS
from debugset.studies.page import render
from tests.report.elements import Elements
from tests.studies.toys import CLASSES, toy_kit


def page_of(kit, inputs):
    return render(kit.kind, kit.id, kit.tasks, kit.pictures, inputs.images, inputs.pictures)


@pytest.fixture(params=list(KINDS))
def kit(request, inputs):
    return toy_kit(inputs, request.param)


@pytest.fixture
def page(kit, inputs):
    return page_of(kit, inputs)


def without_pictures(page):
    """The page without what base64 may spell by chance."""
    return re.sub(r"data:image/png;base64,[\w+/=]+|sha256-[\w+/=]+", "", page)


def test_the_same_kit_is_the_same_page(kit, page, inputs):
    assert page_of(kit, inputs) == page


def test_it_needs_nothing_else_and_its_policy_allows_nothing_else(page):
    elements = Elements(page)
    assert not elements.attributes("src") + elements.attributes("href") + elements.attributes("action")
    assert not elements.attributes("style") + [name for name in re.findall(r"\son\w+=", without_pictures(page))]
    pictures = json.loads(re.search(r'id="pictures">(.*?)</script>', page).group(1))
    assert all(picture["uri"].startswith("data:image/png;base64,") for picture in pictures)
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', page)
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} '{'sha256-' + digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_every_picture_is_held_once_and_shown(page):
    pictures = json.loads(re.search(r'id="pictures">(.*?)</script>', page).group(1))
    shown = [int(number) for number in Elements(page).attributes("data-picture")]
    assert set(shown) == set(range(len(pictures)))
    assert len({picture["uri"] for picture in pictures}) == len(pictures)
    assert len(shown) > len(pictures)  # features come again


def test_it_is_accessible(page, kit):
    elements = Elements(page)
    assert all(attributes["alt"].strip() for tag, attributes in elements.elements if tag == "img")
    inputs = [attributes for tag, attributes in elements.elements if tag == "input"]
    assert all("required" in attributes for attributes in inputs)
    assert all(attributes.get("data-key") for attributes in inputs if attributes["type"] == "radio")
    assert elements.attributes("data-task") == [str(number) for number in range(1, len(kit.tasks) + 1)]


@pytest.mark.parametrize("kind", ["simulatability", "misclassification"])
def test_no_answer_is_in_its_source(inputs, kind):
    kit = toy_kit(inputs, kind)
    page = without_pictures(page_of(kit, inputs))
    for name in CLASSES:
        assert name not in page
        assert name.replace("<", "&lt;") not in page
    assert "bag" not in page
    for image_id in (*inputs.images.ids, *inputs.pictures.ids):
        assert image_id not in page
    assert not re.search(r"0\.\d{4}", page)  # no probability
    for word in ("oracle", "control", "suspect", "target", "blamed"):
        assert word not in re.sub(r"<script>.*</script>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("simulatability", {"right": "c", "oracle": "c", "target": 2, "probabilities": (0.1, 0.3, 0.6)}),
        ("misclassification", {"suspect": "b", "control": True, "label": 2, "predicted": 1}),
        ("description", {}),
    ],
)
def test_another_truth_is_the_same_page(inputs, kind, changes):
    """What a page says depends on what it shows alone."""
    kit = toy_kit(inputs, kind)
    tasks = [task.model_copy(update=changes) for task in kit.tasks]
    assert kind == "description" or tasks != list(kit.tasks)
    arguments = (kit.pictures, inputs.images, inputs.pictures)
    assert render(kind, "id", tasks, *arguments) == render(kind, "id", kit.tasks, *arguments)


def test_names_of_classes_are_escaped(inputs):
    page = page_of(toy_kit(inputs, "description", tasks=12), inputs)
    assert "&lt;b title=&#34;bag&#34;&gt;bag&lt;/b&gt;" in page
    assert CLASSES[1] not in page
    assert not [attributes for tag, attributes in Elements(page).elements if attributes.get("title") == "bag"]


def test_weights_are_shown_with_their_sign(inputs):
    kit = toy_kit(inputs, tasks=30)
    page = page_of(kit, inputs)
    labels = [label for label in Elements(page).attributes("aria-label") if label.startswith("counts")]
    weights = [weight for task in kit.tasks for weight in task.weights]
    expected = [f"counts {round(100 * abs(weight))} % {'against' if weight < 0 else 'for'}" for weight in weights]
    assert labels == expected
    assert "against" in " ".join(labels)
