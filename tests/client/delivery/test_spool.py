"""The spool keeps what is appended, within its bounds, and finds what the dead left."""

import gc
import os
import threading
from pathlib import Path

import pytest

from mltrace_otel.delivery.rejected import count_rejected
from mltrace_otel.delivery.segment import Segment
from mltrace_otel.delivery.spool import Spool, SpoolFull
from mltrace_otel.settings import SpoolSettings

MIB = 1 << 20
RECORD = b"x" * 1000


def make_spool(folder: Path, limit_bytes: int = 64 * MIB, *, is_synced: bool = False) -> Spool:
    return Spool(SpoolSettings(folder / "spool", limit_bytes, is_synced))


def append_many(spool: Spool, count: int) -> None:
    for _ in range(count):
        spool.append(RECORD)


def drain(spool: Spool) -> list[bytes]:
    """Return this process's records, acknowledging all."""
    records = []
    while batch := spool.take(1000):
        records += batch.records
        spool.acknowledge(batch)
    return records


def drain_left(spool: Spool) -> list[bytes]:
    """Return what dead processes left, acknowledging all."""
    records = []
    while segment := spool.adopt():
        batch = segment.take(1000)
        assert batch
        records += batch.records
        segment.acknowledge(batch)
    return records


@pytest.mark.parametrize("is_synced", [False, True])
def test_what_is_appended_is_taken_in_order(tmp_path: Path, *, is_synced: bool) -> None:
    spool = make_spool(tmp_path, is_synced=is_synced)
    records = [b"%d" % number for number in range(3000)]
    for record in records:
        spool.append(record)

    assert spool.waiting == 3000
    assert drain(spool) == records
    assert spool.waiting == 0
    spool.append(b"later")
    assert drain(spool) == [b"later"]


def test_files_are_deleted_when_they_are_sent(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    append_many(spool, 10_000)
    assert len(list(spool.folder.iterdir())) == 3

    assert len(drain(spool)) == 10_000
    spool.tidy()

    assert list(spool.folder.iterdir()) == []
    spool.append(b"after the end")
    assert drain(spool) == [b"after the end"]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.append(RECORD)
    spool.set_aside([RECORD], "bad")

    for path in (spool.folder, *spool.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_full_spool_refuses_until_something_was_sent(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, limit_bytes=MIB)
    with pytest.raises(SpoolFull, match="MLTRACE_SPOOL_LIMIT allows 1 MiB"):
        append_many(spool, 2000)
    count = spool.waiting
    assert count == pytest.approx(MIB / 1012, abs=20)
    assert drain(spool) == [RECORD] * count
    spool.append(b"again")
    assert drain(spool) == [b"again"]


def test_the_limit_counts_what_others_left_and_what_was_refused(tmp_path: Path) -> None:
    others = make_spool(tmp_path)
    append_many(others, 500)
    others.set_aside([RECORD] * 500, "bad")
    spool = make_spool(tmp_path, limit_bytes=MIB)

    with pytest.raises(SpoolFull):
        spool.append(RECORD)
    with pytest.raises(SpoolFull):
        spool.set_aside([RECORD], "bad")


def test_what_a_dead_process_left_is_sent_by_one_other_and_its_last_words_at_the_end(
    tmp_path: Path,
) -> None:
    dead, alive, taker = (make_spool(tmp_path) for _ in range(3))
    for number in range(5):
        dead.append(b"%d" % number)
    dead.keep(b"8 bytes.", b"aborted")
    alive.append(b"mine")
    alive.keep(b"8 bytes.", b"still running")
    sent = dead.take(2)
    assert sent
    dead.acknowledge(sent)
    dead.close()

    assert drain_left(taker) == [b"2", b"3", b"4", b"aborted"]
    assert drain_left(taker) == []
    assert drain(alive) == [b"mine"]


def test_a_taker_that_dies_leaves_what_it_did_not_send(tmp_path: Path) -> None:
    dead, taker, next_taker = (make_spool(tmp_path) for _ in range(3))
    for number in range(4):
        dead.append(b"%d" % number)
    dead.close()
    segment = taker.adopt()
    assert segment
    batch = segment.take(1)
    assert batch
    segment.acknowledge(batch)
    assert next_taker.adopt() is None
    taker.close()

    assert drain_left(next_taker) == [b"1", b"2", b"3"]


def test_files_that_are_no_spool_are_left_alone(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.folder.mkdir()
    (spool.folder / "empty-0-1.runs").touch()
    (spool.folder / "notes.txt").write_text("mine")
    (spool.folder / "link-0-1.runs").symlink_to(spool.folder / "notes.txt")
    (spool.folder / "folder-0-1.runs").mkdir()

    assert spool.adopt() is None
    assert {path.name for path in spool.folder.iterdir()} == {
        *("notes.txt", "link-0-1.runs", "folder-0-1.runs")
    }


def test_refused_records_are_counted_by_reason(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.set_aside([RECORD, RECORD], "HTTP 400: no name")
    spool.set_aside([b"\xff\x00"], "damaged on disk")
    (path,) = spool.rejected.iterdir()
    with path.open("a") as file:
        file.write('{"cut sho')

    assert count_rejected(spool.rejected) == {
        "HTTP 400: no name": 2,
        "damaged on disk": 1,
        "unreadable": 1,
    }


def test_a_program_that_closes_all_its_files_loses_nothing(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.append(b"before")
    segment = spool._current
    assert isinstance(segment, Segment)
    os.close(segment._descriptor)

    spool.append(b"after")
    assert spool.waiting == 2

    assert drain(spool) == [b"after"]
    assert spool.waiting == 0, "what is left in the closed file is for others"
    assert drain_left(make_spool(tmp_path)) == [b"before"]


def test_threads_append_while_another_sends(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    records = {b"%d-%d" % (thread, number) + RECORD for thread in range(4) for number in range(500)}

    def append(thread: int) -> None:
        for number in range(500):
            spool.append(b"%d-%d" % (thread, number) + RECORD)

    threads = [threading.Thread(target=append, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    sent: list[bytes] = []
    while len(sent) < len(records):
        sent += drain(spool)
    for thread in threads:
        thread.join()

    assert len(sent) == len(records)
    assert set(sent) == records


def test_a_run_that_ends_while_another_is_appended_loses_neither(tmp_path: Path) -> None:
    """Abandoned generators end their runs wherever the interpreter collects garbage."""
    spool = make_spool(tmp_path)
    appended: list[bytes] = []

    class Abandoned:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            record = b"abandoned %d" % len(appended)
            appended.append(record)
            spool.append(record)

    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for number in range(500):
            Abandoned()
            record = b"%d" % number
            appended.append(record)
            spool.append(record)
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()

    assert sorted(drain(spool)) == sorted(appended)
    assert len(appended) == 1000
