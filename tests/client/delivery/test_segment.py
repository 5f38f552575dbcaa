"""A file of records loses none that was written whole, whatever happens to the others."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrace_otel.delivery.segment import HEAD_BYTES, Gone, Segment

RECORDS = [b"first", b"", b"x" * 5000, b"\xabRUN in disguise", b"last"]


def write(folder: Path, records: list[bytes]) -> Path:
    """Return a file that a process left."""
    segment = Segment.create(folder, ".runs")
    for record in records:
        segment.append(record)
    segment.close()
    return segment.path


def read(path: Path) -> tuple[list[bytes], list[bytes]]:
    segment = Segment.adopt(path)
    assert segment
    batch = segment.take(1000)
    segment.close()
    return (batch.records, batch.damaged) if batch else ([], [])


def test_records_come_in_order_and_once_acknowledged_never_again(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path, ".runs")
    for record in RECORDS:
        segment.append(record)

    first = segment.take(2)
    assert first
    assert first.records == RECORDS[:2]
    assert segment.take(2) == first, "what was not acknowledged comes again"
    segment.acknowledge(first)
    segment.close()

    adopted = Segment.adopt(segment.path)
    assert adopted
    rest = adopted.take(1000)
    assert rest
    assert rest.records == RECORDS[2:]
    adopted.acknowledge(rest)
    assert adopted.take(1) is None
    assert adopted.is_drained()
    adopted.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_batch_is_as_large_as_a_request_may_be_but_never_empty(tmp_path: Path) -> None:
    path = write(tmp_path, [b"x" * 2_000_000, b"y" * 2_000_000, b"z" * 7_000_000])
    segment = Segment.adopt(path)
    assert segment
    sizes = []
    while batch := segment.take(1000):
        sizes.append([len(record) for record in batch.records])
        segment.acknowledge(batch)
    assert sizes == [[2_000_000], [2_000_000], [7_000_000]]


@given(st.data())
def test_damage_anywhere_costs_only_the_records_that_it_hits(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), RECORDS)
        content = bytearray(path.read_bytes())
        start = data.draw(st.integers(0, len(content) - 1))
        garbage = data.draw(st.binary(min_size=1, max_size=60))
        content[start : start + len(garbage)] = garbage
        path.write_bytes(content)
        hit = touched_records(start, start + len(garbage))

        records, damaged = read(path)

        unhit = [record for number, record in enumerate(RECORDS) if number not in hit]
        assert [record for record in records if record in unhit] == unhit
        assert records == RECORDS or (damaged and set(records) <= set(RECORDS))


def touched_records(start: int, end: int) -> set[int]:
    """Return the numbers of the records that lie within a range of the file."""
    touched = set()
    offset = HEAD_BYTES
    for number, record in enumerate(RECORDS):
        length = 12 + len(record)
        if start < offset + length and end > offset:
            touched.add(number)
        offset += length
    return touched


@given(st.integers(0, 5200))
def test_a_file_cut_short_has_all_that_is_whole(size_bytes: int) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), RECORDS)
        size_bytes = min(size_bytes, path.stat().st_size)
        os.truncate(path, size_bytes)
        hit = touched_records(size_bytes, 1 << 30)

        records, _ = read(path)

        assert records == [record for number, record in enumerate(RECORDS) if number not in hit]


def test_a_file_belongs_to_one_owner_however_many_ask(tmp_path: Path) -> None:
    for _ in range(20):
        path = write(tmp_path, [b"record"])
        adopted: list[Segment] = []
        barrier = threading.Barrier(4)

        def adopt(
            path: Path = path,
            adopted: list[Segment] = adopted,
            barrier: threading.Barrier = barrier,
        ) -> None:
            barrier.wait()
            if segment := Segment.adopt(path):
                adopted.append(segment)

        threads = [threading.Thread(target=adopt) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (owner,) = adopted
        assert Segment.adopt(path) is None
        owner.remove()
        assert Segment.adopt(path) is None


def test_a_file_of_the_program_that_took_our_number_is_never_touched(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path, ".runs")
    segment.append(b"record")
    mine = tmp_path / "mine.txt"
    mine.write_text("years of work")
    with mine.open("r+") as taken:
        os.dup2(taken.fileno(), segment._descriptor)
        for touch in actions(segment):
            with pytest.raises(Gone):
                touch()
        segment.close()
        os.fstat(segment._descriptor)  # still open
        os.close(segment._descriptor)
    assert mine.read_text() == "years of work"
    assert read(segment.path) == ([b"record"], []), "others send what was in the file"


def actions(segment: Segment) -> list[Callable[[], object]]:
    return [
        lambda: segment.append(b"more"),
        lambda: segment.take(1),
        segment.is_drained,
        segment.empty,
    ]


def test_a_file_that_was_deleted_takes_no_more(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path, ".runs")
    segment.append(b"record")
    segment.path.unlink()

    with pytest.raises(Gone):
        segment.append(b"more")
    batch = segment.take(10)
    assert batch
    assert batch.records == [b"record"], "what was in it is sent nevertheless"
