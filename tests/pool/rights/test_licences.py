"""Licences by Flickr's ids."""

import re

from debugset.pool.rights.licences import LICENCES, UNKNOWN, licence_of


def test_every_licence_has_a_name_of_its_own_and_a_link() -> None:
    assert sorted(LICENCES) == list(range(17))
    assert len({licence.name for licence in LICENCES.values()}) == 17
    assert all(licence.link.startswith("https://") for licence in LICENCES.values())


def test_creative_commons_links_lead_to_the_licence_of_that_name() -> None:
    for licence in LICENCES.values():
        if named := re.fullmatch(r"CC (BY[A-Z-]*) (\d\.\d)", licence.name):
            kind, version = named.groups()
            assert licence.link == f"https://creativecommons.org/licenses/{kind.lower()}/{version}/"
    assert licence_of(4).name == "CC BY 2.0"
    assert licence_of(12).name == "CC BY-SA 4.0"


def test_none_stated_and_not_known_are_told_apart() -> None:
    assert licence_of(-1) == UNKNOWN == ("none stated", "")
    assert licence_of(99) == ("licence 99", "")
