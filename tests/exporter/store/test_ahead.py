"""Long answers, read in parts."""

from collections.abc import Collection
from threading import Event

import pytest

from mltrace_exporter.store.ahead import read_ahead


def test_all_parts_come_in_order() -> None:
    asked = range(4500)

    parts = list(read_ahead(list, asked))

    assert [len(part) for part in parts] == [2000, 2000, 500]
    assert [one for part in parts for one in part] == list(asked)


def test_the_next_part_is_read_while_the_last_is_worked_on() -> None:
    second_is_read = Event()

    def read(part: Collection[int]) -> int:
        if 2000 in part:
            second_is_read.set()
        return len(part)

    parts = read_ahead(read, range(2001))

    assert next(parts) == 2000
    assert second_is_read.wait(5)


def test_a_failure_to_read_reaches_the_caller() -> None:
    def read(part: Collection[int]) -> int:
        return 1 // (2000 not in part)

    with pytest.raises(ZeroDivisionError):
        list(read_ahead(read, range(2001)))
