"""Reading lock files and records of runs."""

import pytest

from debugset.purge.history import Record, lock_records, run_record

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


def test_what_dvc_takes_from_elsewhere_is_no_object():
    text = "cmd: go\ndeps:\n- {path: 's3://bucket/a', etag: e1}\nouts:\n- {path: b, hash: md5, md5: b2}\n"
    assert run_record(text) == Record("go", (), (("b", "b2"),))


def test_a_record_of_the_run_cache():
    text = "cmd: go\ndeps:\n- {path: a, hash: md5, md5: a1}\nouts:\n- {path: b, hash: md5, md5: b2}\n"
    assert run_record(text) == Record("go", (("a", "a1"),), (("b", "b2"),))
