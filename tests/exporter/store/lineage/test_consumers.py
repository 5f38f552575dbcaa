from collections.abc import Callable, Sequence

import sqlalchemy as sa
from builders import make_run, read, wrote

from mltrace_exporter.model import Run
from mltrace_exporter.queries.consumers import Consumer, Consumers, list_consumers

Store = Callable[[Sequence[Run]], object]
OUTPUTS = ("model", "report")


def test_consumers_are_told_by_what_they_read(connection: sa.Connection, store: Store) -> None:
    store(
        [
            make_run("training", 0, io=[wrote("model", "xxh3:01"), wrote("report")]),
            make_run("inference", 5, io=[read("model"), read("report")]),
            make_run("copying", 6, io=[read("elsewhere", "xxh3:01")]),
            make_run("ops", 7, upstream=("training",)),
            make_run("other", 8, io=[read("something")]),
        ]
    )

    assert list_consumers(connection, 1, OUTPUTS, 200).of == {
        "model": [Consumer(2, "inference"), Consumer(3, "copying")],
        "report": [Consumer(2, "inference")],
        None: [Consumer(4, "ops")],
    }
    assert list_consumers(connection, 2, (), 200) == Consumers({}, are_all=True)


def test_of_many_consumers_so_many_are_told_as_are_asked_for(
    connection: sa.Connection, store: Store
) -> None:
    store([make_run("training", 0, io=[wrote("model")])])
    store([make_run("inference", 5 + number, io=[read("model")]) for number in range(9)])

    some = list_consumers(connection, 1, OUTPUTS, 4)
    assert len(some.of["model"]) == 4
    assert not some.are_all


def test_who_read_an_output_in_two_ways_is_told_once(
    connection: sa.Connection, store: Store
) -> None:
    store([make_run("training", 0, io=[wrote("model", "xxh3:01")])])
    store([make_run("inference", 5, io=[read("model", "xxh3:01"), read("copy", "xxh3:01")])])

    both = list_consumers(connection, 1, OUTPUTS, 2)
    assert both == Consumers({"model": [Consumer(2, "inference")]}, are_all=False)
