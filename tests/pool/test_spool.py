from pathlib import Path

from debugset.pool.spool import File, Spool


def test_what_was_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "service.sqlite"
    found = [{"id": "1", "title": "ça va"}]
    file = File("ok", 3, 2, "png", b"bytes")
    with Spool(path) as spool:
        spool.save_total("q", 0, 9, 20)
        spool.save_photos("q", 0, 4, 1, found)
        spool.save_file("https://a/b", file)
    with Spool(path) as spool:
        assert spool.total("q", 0, 9) == 20
        assert spool.photos("q", 0, 9) is None
        assert not spool.has_photos("q", 0, 9)
        assert spool.photos("q", 0, 4) == found
        assert spool.has_photos("q", 0, 4)
        assert spool.total("other query", 0, 9) is None
        assert spool.file("https://a/b") == file
        assert spool.content("https://a/b") == b"bytes"
        assert spool.files(["https://a/b", "https://a/c"]) == {"https://a/b": File("ok", 3, 2, "png")}
        assert spool.file("https://a/c") is None
