"""Reading lock files, records of runs, and sizes."""

import pytest

from debugset.purge.listing import in_bytes
from debugset.purge.versions import Record, lock_records, run_record

LOCK = """
schema: '2.0'
stages:
  scrape:
    cmd: [mkdir data, python -m scrape]
    deps:
    - {path: forgotten.txt, hash: md5, md5: a1, size: 3}
    params:
      params.yaml: {scrape.since: '2014-01-01'}
    outs:
    - {path: data/pool, hash: md5, md5: b2.dir, size: 9, nfiles: 2}
  report:
    cmd: python -m report
"""


def test_a_lock_file_gives_a_record_a_stage():
    scrape = Record("mkdir data && python -m scrape", (("forgotten.txt", "a1"),), (("data/pool", "b2.dir"),))
    assert lock_records(LOCK) == [scrape, Record("python -m report", (), ())]
    assert scrape.names({"b2.dir"})
    assert scrape.names({"a1"})
    assert not scrape.names({"c3"})


@pytest.mark.parametrize("text", ["", "schema: '2.0'\n", "stages: {}\n"])
def test_a_lock_file_without_stages_gives_none(text):
    assert lock_records(text) == []


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "words"])
def test_a_file_that_is_no_record_is_passed_over(text):
    assert run_record(text) is None


def test_a_record_of_the_run_cache():
    text = "cmd: go\ndeps:\n- {path: a, hash: md5, md5: a1}\nouts:\n- {path: b, hash: md5, md5: b2}\n"
    assert run_record(text) == Record("go", (("a", "a1"),), (("b", "b2"),))


@pytest.mark.parametrize(
    ("size", "text"), [(0, ""), (1, "1 B"), (999, "999 B"), (1000, "1.0 kB"), (2_340_000, "2.3 MB"), (10**9, "1.0 GB")]
)
def test_sizes_are_easy_to_read(size, text):
    assert in_bytes(size) == text
