"""A photo as Flickr's search sends it."""

from typing import Any


def photo(name: str, uploaded: int, **changes: object) -> dict[str, Any]:
    told = {"id": name, "owner": "1@N00", "ownername": "Ann", "title": "t", "tags": "a b", "license": "4"}
    return told | {"dateupload": str(uploaded), "url_o": name, "width_o": 20, "height_o": 20} | changes
