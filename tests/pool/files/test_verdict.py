import pytest

from debugset.pool.files.verdict import verdict
from debugset.pool.spool import File
from tests.pool.worlds import scrape_params


@pytest.mark.parametrize(
    ("statuses", "next_one", "decides"),
    [
        (["", ""], "0", None),
        (["failed: HTTP 503", "ok"], "0", None),
        (["ok", ""], None, ("0", "ok")),
        (["gone", ""], "1", None),
        (["gone", "failed: timed out"], "1", None),
        (["gone", "ok"], None, ("1", "ok")),
        (["truncated", "gone"], None, ("0", "truncated")),
        (["html", "opted_out", "ok"], None, ("1", "opted_out")),
        (["refused", "undecodable", "placeholder", ""], None, ("2", "placeholder")),
    ],
)
def test_what_is_fetched_next_and_what_decides(
    statuses: list[str], next_one: str | None, decides: tuple[str, str] | None
) -> None:
    urls = [str(number) for number in range(len(statuses))]
    digest = "a" * 64
    known = {"ok": File("ok", 9, 9), "placeholder": File("placeholder", sha256=digest)}
    files = {url: known.get(status, File(status)) for url, status in zip(urls, statuses, strict=True) if status}
    url, file = verdict(urls, files, scrape_params(placeholders=[digest]))
    assert (url if file is None else None) == next_one
    assert (file and (url, file.status)) == decides
