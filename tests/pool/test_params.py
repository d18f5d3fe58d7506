import unicodedata
from pathlib import Path

import pytest

from debugset.base.params import ParamsError, check
from debugset.pool.params import ScrapeParams, debug_queries
from tests.pool.worlds import QUERIES, scrape_params, scrape_section


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"snapshot": "2019-12-30"}, "`scrape.snapshot`: Value error, must be the last day of a year"),
        ({"snapshot": "2017-12-31"}, "must not lie before scrape.since, 2018-01-01"),
        ({"snapshot": "9999-12-31"}, "`scrape.snapshot`: Input should be less than 9999-12-31"),
        ({"shard": "month", "snapshot": "2020-02-28"}, "must be the last day of a month"),
        ({"queries": {"bag": ["sack"], "boot": ["Sack"]}}, "'Sack' is asked for bag and again for boot"),
        ({"queries": {"bag": [" "]}}, "`scrape.queries.bag.0`"),
        (
            {"queries": {"bag": ["-boot"]}},
            "'-boot' only excludes; put a word to search for before it, as in 'bag -boot'",
        ),
        ({"queries": {"bag": ['-"two boots" - -b']}}, "only excludes"),
        ({"licences": [4, 99]}, "licence 99 is unknown"),
        ({"licences": ["any"]}, "`scrape.licences.0"),
        ({"licences": []}, "`scrape.licences`"),
        ({"placeholders": ["beef"]}, "`scrape.placeholders.0`"),
        ({"endpoint": "web"}, "`scrape.endpoint`"),
        ({"sizes": ["x"]}, "`scrape.sizes.0`"),
        ({"per_page": 501}, "`scrape.per_page`"),
        ({"result_cap": 4001}, "`scrape.result_cap`"),
        ({"resultcap": 10}, "`scrape.resultcap` is not a parameter"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_key(changes: dict, said: str) -> None:
    with pytest.raises(ParamsError) as error:
        check({"scrape": scrape_section(**changes)}, "scrape", ScrapeParams, Path("params.yaml"))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_debug_classes_decide_what_is_asked() -> None:
    asked = debug_queries({"errors": {"classes": ["shirt", "bag"]}}, scrape_params())
    assert list(asked.items()) == [("shirt", QUERIES["shirt"]), ("bag", QUERIES["bag"])]


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({}, "`errors.classes`"),
        ({"errors": {"classes": "bag"}}, "`errors.classes`"),
        ({"errors": {"classes": ["bag", "bag"]}}, "`errors.classes`"),
        ({"errors": {"classes": ["bag", "hat"]}}, "`scrape.queries.hat`"),
    ],
)
def test_classes_that_cannot_be_asked_name_their_key(sections: dict, key: str) -> None:
    with pytest.raises(ParamsError, match=key):
        debug_queries(sections, scrape_params())


def test_photos_without_a_stated_licence_are_taken_only_when_that_is_said() -> None:
    assert scrape_params(licences=[4, "unknown"]).licence_ids == [4]


@pytest.mark.parametrize(("form", "other"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_composed_and_decomposed_names_are_one_name(form: str, other: str) -> None:
    name, again = unicodedata.normalize(form, "café"), unicodedata.normalize(other, "café")
    params = scrape_params(queries={name: [f"a {name}"]})
    assert params.queries == {"caf\xe9": ["a caf\xe9"]}
    assert debug_queries({"errors": {"classes": [again]}}, params) == params.queries


def test_names_that_differ_in_their_composition_alone_come_twice() -> None:
    names = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]
    with pytest.raises(ValueError, match="caf\xe9 comes twice"):
        scrape_params(queries={names[0]: ["bar"], names[1]: ["inn"]})
    with pytest.raises(ValueError, match="'caf\xe9' is asked for bag and again for boot"):
        scrape_params(queries={"bag": [names[0]], "boot": [names[1]]})
    with pytest.raises(ParamsError, match=r"`errors\.classes`: a name comes twice"):
        debug_queries({"errors": {"classes": names}}, scrape_params(queries={names[0]: ["bar"]}))
