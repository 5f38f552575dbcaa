"""What a process keeps for its death is there then, and only then."""

from pathlib import Path

from mltrace_otel.delivery.kept import SUFFIX, Kept, read_kept
from mltrace_otel.delivery.segment import Segment

ONE, TWO = b"key-one.", b"key-two."


def die_and_read(kept: Kept, folder: Path) -> list[bytes]:
    kept.close()
    (path,) = folder.glob(f"*{SUFFIX}")
    segment = Segment.adopt(path)
    assert segment
    return read_kept(segment)


def test_the_last_word_about_each_key_counts(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep(ONE, b"early")
    kept.keep(TWO, b"other")
    kept.keep(ONE, b"late")

    assert die_and_read(kept, tmp_path) == [b"late", b"other"]


def test_what_is_forgotten_is_not_there(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep(ONE, b"record")
    kept.keep(TWO, b"other")
    kept.forget(ONE)
    kept.forget(b"unknown.")
    assert die_and_read(kept, tmp_path) == [b"other"]


def test_a_process_that_keeps_nothing_leaves_a_file_that_says_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep(ONE, b"record")
    kept.forget(ONE)
    assert die_and_read(kept, tmp_path) == []


def test_nothing_kept_leaves_no_file(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep(ONE, b"record")
    kept.tidy()
    assert len(list(tmp_path.iterdir())) == 1
    kept.forget(ONE)
    kept.tidy()
    assert list(tmp_path.iterdir()) == []
    kept.keep(ONE, b"record")
    assert die_and_read(kept, tmp_path) == [b"record"]


def test_the_file_stays_small_however_often_runs_are_heard_of(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    for number in range(1000):
        kept.keep(ONE, b"%1000d" % number)
        kept.keep(TWO, b"other")

    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 400_000
    assert die_and_read(kept, tmp_path) == [b"%1000d" % 999, b"other"]


def test_a_file_that_was_deleted_is_written_anew(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep(ONE, b"record")
    for path in tmp_path.iterdir():
        path.unlink()
    kept.keep(TWO, b"other")

    assert die_and_read(kept, tmp_path) == [b"record", b"other"]
