"""What retention deletes, and what it keeps."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from builders import at, make_profile, make_run, read, wrote
from summarising import make_numeric

from mltrace_exporter.marks import flag_outputs, resolve_flags
from mltrace_exporter.model import MetricValue, Run
from mltrace_exporter.queries.lineage import trace_output
from mltrace_exporter.store.arrivals.totals import RUNS_TOTAL
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.schema import component_run, io_pointer, metric_total
from mltrace_exporter.store.upkeep.inspection import count_dangling, count_rows
from mltrace_exporter.store.upkeep.retention import KEPT_DEPTH, Limits, count_doomed, prune
from mltrace_otel.contract.api import FlagRequest, UnflagRequest


def store(engine: sa.Engine, runs: Sequence[Run]) -> None:
    with engine.begin() as connection:
        write_runs(connection, runs)


def list_starts(engine: sa.Engine) -> list[tuple[str, float]]:
    """Return component and start, in minutes, of every run that is left."""
    query = sa.select(component_run.c.component, component_run.c.started_at).order_by(
        component_run.c.started_at
    )
    with engine.connect() as connection:
        return [
            (name, (started - at(0)).total_seconds() / 60)
            for name, started in connection.execute(query)
        ]


def list_names(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(io_pointer.c.name)))


def test_old_runs_go_with_their_names_code_and_distributions(engine: sa.Engine) -> None:
    told: dict[str, Any] = {
        "profiles": (make_profile(make_numeric("x", [1.0])),),
        "metrics": (MetricValue("mae", 1.5),),
    }
    store(
        engine,
        [
            make_run("etl", 0, io=[wrote("old"), wrote("shared")], code="was", **told),
            make_run("etl", 10, io=[wrote("new"), wrote("shared")], code="is", **told),
        ],
    )

    assert prune(engine, Limits(began_before=at(5))) == 1

    assert list_starts(engine) == [("etl", 10)]
    assert list_names(engine) == {"new", "shared"}
    with engine.connect() as connection:
        left = count_rows(connection)
        assert (left["code"], left["profile"], left["metric_value"]) == (1, 1, 1)
        assert not any(count_dangling(connection).values())


def test_the_newest_run_of_a_component_is_kept_with_what_it_came_from(engine: sa.Engine) -> None:
    store(
        engine,
        [
            make_run("etl", 0, io=[wrote("a")]),
            make_run("train", 2, io=[read("a"), wrote("m")]),
            make_run("etl", 4, io=[wrote("a")]),
        ],
    )

    assert prune(engine, Limits(began_before=at(1000))) == 0
    assert len(list_starts(engine)) == 3


def test_of_a_long_chain_the_newest_run_keeps_some_steps(engine: sa.Engine) -> None:
    count = KEPT_DEPTH + 20
    store(
        engine,
        [
            make_run("state", 2 * step, io=[read(f"s{step - 1}"), wrote(f"s{step}")])
            for step in range(count)
        ],
    )

    assert prune(engine, Limits(began_before=at(1000))) == count - KEPT_DEPTH - 1


def test_the_lineage_of_a_flagged_output_is_kept_until_the_flag_is_resolved(
    engine: sa.Engine,
) -> None:
    old = [
        make_run("etl", 0, io=[wrote("a")]),
        make_run("other", 1, io=[wrote("b")]),
        make_run("train", 2, io=[read("a"), wrote("m")]),
    ]
    new = [make_run(name, 100) for name in ("etl", "other", "train")]
    store(engine, [*old, *new])
    with engine.begin() as connection:
        flag_outputs(connection, FlagRequest(["m"]))
        before = trace_output(connection, "m")

    assert prune(engine, Limits(began_before=at(50))) == 1
    assert ("other", 1) not in list_starts(engine)
    with engine.begin() as connection:
        assert trace_output(connection, "m") == before
        resolve_flags(connection, UnflagRequest(["m"]))
    assert prune(engine, Limits(began_before=at(50))) == 2
    with engine.connect() as connection:
        assert count_rows(connection)["flag"] == 1
        assert not any(count_dangling(connection).values())


def test_so_many_runs_of_each_component_are_kept(engine: sa.Engine) -> None:
    store(engine, [make_run(name, step) for step in range(5) for name in ("a", "b")])
    store(engine, [make_run("rare", 0)])

    assert prune(engine, Limits(runs_per_component=2)) == 6
    assert sorted(list_starts(engine)) == [("a", 3), ("a", 4), ("b", 3), ("b", 4), ("rare", 0)]


def test_counters_do_not_fall(engine: sa.Engine) -> None:
    store(engine, [make_run("etl", step) for step in range(5)])
    query = sa.select(metric_total.c.labels, metric_total.c.total).where(
        metric_total.c.metric == RUNS_TOTAL
    )
    with engine.connect() as connection:
        before = connection.execute(query).all()
    prune(engine, Limits(runs_per_component=1))
    with engine.connect() as connection:
        assert connection.execute(query).all() == before == [(["etl", "succeeded"], 5)]


def test_what_would_go_is_counted_once_and_stays(engine: sa.Engine) -> None:
    store(engine, [make_run("etl", step) for step in range(5)])

    with engine.connect() as connection:
        assert count_doomed(connection, Limits(at(3), 1)) == (4, 1)
    assert len(list_starts(engine)) == 5


def test_many_runs_go_in_several_transactions(engine: sa.Engine) -> None:
    store(engine, [make_run("etl", step, io=[wrote(f"o{step}")]) for step in range(2500)])
    reports: list[int] = []

    assert prune(engine, Limits(runs_per_component=1), reports.append) == 2499
    assert reports == [1000, 2000, 2499]
    assert list_names(engine) == {"o2499"}
