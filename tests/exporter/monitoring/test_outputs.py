"""What a snapshot says of outputs: what they held, in the newest run and in all, and drift."""

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import nan
from typing import Any

import pytest
import sqlalchemy as sa
from builders import at, make_profile, make_run
from summarising import make_categorical, make_numeric

from mltrace_exporter import metrics
from mltrace_exporter.metrics import OVERFLOW
from mltrace_exporter.model import MetricValue, Run, VariableProfile
from mltrace_exporter.monitoring.budget import fit_series
from mltrace_exporter.monitoring.drifts import Drifts
from mltrace_exporter.monitoring.exposition import Exposition, Format
from mltrace_exporter.monitoring.firing import find_alerts
from mltrace_exporter.monitoring.reading import OUTPUTS_READ, Habits, read_snapshot
from mltrace_exporter.monitoring.snapshot import Distribution, Snapshot
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_otel.contract.api import Alert

DELAY = ("etl", "flights", "delay")
NOW_S = at(100).timestamp()


def hold(
    seed: int, factor: float = 1, nulls: int = 0, name: str = "delay", **fields: Any
) -> VariableProfile:
    rng = random.Random(seed)  # noqa: S311 - data
    delays: list[float | None] = [factor * rng.gauss(10, 4) for _ in range(400 - nulls)]
    carriers = make_categorical("carrier", rng.choices(["UA", "AA"], k=400))
    columns = (make_numeric(name, [*delays, *[None] * nulls]), carriers)
    return make_profile(*columns, **{"variable": "flights", **fields})


def etl(start: int, factor: float = 1, nulls: int = 0) -> Run:
    return make_run("etl", start, profiles=(hold(start, factor, nulls),))


def score(value: float, start: int) -> Run:
    return make_run("score", start, metrics=(MetricValue("risk", value, is_output=True),))


def look(connection: sa.Connection, drifts: Drifts | None = None) -> Snapshot:
    return read_snapshot(connection, Habits(), NOW_S, drifts)


def find(connection: sa.Connection, name: str) -> Sequence[Alert]:
    return [each for each in find_alerts(look(connection), NOW_S) if each.name == name]


def count(snapshot: Snapshot, *labels: str) -> Distribution:
    found = snapshot.values[metrics.OUTPUT_VALUES][labels]
    assert isinstance(found, Distribution)
    return found


def test_the_newest_run_tells_quantiles_nulls_and_rows(connection: sa.Connection) -> None:
    write_runs(connection, [etl(2, nulls=100), etl(1, 60)])
    values = look(connection).values

    assert values[metrics.OUTPUT_ROWS] == {("etl", "flights"): 400}
    assert values[metrics.OUTPUT_NULL_RATIO] == {DELAY: 0.25, ("etl", "flights", "carrier"): 0}
    assert values[metrics.OUTPUT_QUANTILE][*DELAY, "0.5"] == pytest.approx(10, abs=1)
    assert len(values[metrics.OUTPUT_QUANTILE]) == 3


def test_values_of_all_runs_are_counted_once_between_bounds_that_stay(
    connection: sa.Connection,
) -> None:
    runs = [etl(number) for number in range(3)]
    write_runs(connection, runs[:1])
    first = count(look(connection), *DELAY)
    write_runs(connection, runs)
    write_runs(connection, runs[1:])
    write_runs(connection, [etl(9, 60)])
    last = count(look(connection), *DELAY)

    assert first.bounds == last.bounds
    assert len(first.bounds) <= 21
    assert (sum(first.counts), sum(last.counts)) == (400, 1600)
    # What came in seconds is seen: it is not all over the last bound.
    assert last.counts[-1] == 0
    far = sum(
        number for bound, number in zip(last.bounds, last.counts, strict=False) if bound > 100
    )
    assert far > 350


def test_two_exporters_at_once_choose_the_same_bounds(engine: sa.Engine) -> None:
    def write(number: int) -> None:
        with engine.begin() as connection:
            write_runs(connection, [etl(number, 1 + number)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    with engine.connect() as connection:
        assert sum(count(look(connection), *DELAY).counts) == 12 * 400


def test_drift_scores_exceed_thresholds_where_the_output_drifted_only(
    connection: sa.Connection,
) -> None:
    write_runs(connection, [etl(number) for number in range(5)])
    assert find(connection, "MltraceOutputDrift") == []
    write_runs(connection, [etl(6, 60)])
    snapshot = look(connection)
    scores, limits = (
        snapshot.values[each]
        for each in (metrics.OUTPUT_DRIFT_SCORE, metrics.OUTPUT_DRIFT_THRESHOLD)
    )

    above = {labels for labels, value in scores.items() if value > limits[labels]}  # type: ignore[operator]
    assert above == {(*DELAY, "psi"), (*DELAY, "range")}
    assert ("etl", "flights", "", "rows") in scores
    assert "etl" in snapshot.troubled
    [first, second] = find(connection, "MltraceOutputDrift")
    assert [first.summary, second.summary] == [
        "flights of etl drifted: psi of delay",
        "flights of etl drifted: range of delay",
    ]
    assert (first.component, first.labels["column"]) == ("etl", "delay")
    assert first.since == at(7)
    write_runs(connection, [etl(8)])
    assert find(connection, "MltraceOutputDrift") == []


def test_missing_values_have_an_alert_of_their_own(connection: sa.Connection) -> None:
    write_runs(connection, [*(etl(number) for number in range(5)), etl(6, nulls=100)])

    [alert] = find(connection, "MltraceOutputNulls")
    assert alert.summary == "Missing values of delay in flights of etl changed"
    assert "differs by 25% from" in alert.description
    assert find(connection, "MltraceOutputDrift") == []


def test_single_numbers_are_a_distribution_over_runs(connection: sa.Connection) -> None:
    rng = random.Random(1)  # noqa: S311 - data
    risks = [rng.gauss(0.3, 0.05) for _ in range(60)]
    write_runs(connection, [score(value, number) for number, value in enumerate(risks)])
    values = look(connection).values

    assert sum(count(look(connection), "score", "risk", "").counts) == 60
    assert values[metrics.OUTPUT_QUANTILE]["score", "risk", "", "0.5"] == pytest.approx(0.3, abs=1)
    assert find(connection, "MltraceOutputDrift") == []

    write_runs(connection, [score(rng.gauss(0.9, 0.05), 60 + number) for number in range(20)])
    assert find(connection, "MltraceOutputDrift")
    write_runs(connection, [score(nan, 90)])
    ratio = look(connection).values[metrics.OUTPUT_NULL_RATIO]["score", "risk", ""]
    assert ratio == pytest.approx(1 / 81)


def test_a_run_that_arrives_late_is_compared_with_at_the_next_renewal(
    connection: sa.Connection,
) -> None:
    drifts = Drifts()
    write_runs(connection, [etl(5, 60), etl(1, 60)])
    before = look(connection, drifts).values[metrics.OUTPUT_DRIFT_SCORE][*DELAY, "psi"]
    write_runs(connection, [etl(4), etl(3), etl(2)])
    drifts.renew()
    after = look(connection, drifts).values[metrics.OUTPUT_DRIFT_SCORE][*DELAY, "psi"]

    assert isinstance(before, float)
    assert isinstance(after, float)
    assert before < 0.2 < after
    assert look(connection).values[metrics.OUTPUT_DRIFT_SCORE][*DELAY, "psi"] == after


def test_hostile_names_stay_valid_and_apart(connection: sa.Connection) -> None:
    names = ['"quoted"\n\\', "x" * 10_000, "x" * 10_001, "tab\tand\x07bell", "é" * 300]
    profiles = tuple(hold(place, name=name, variable=name) for place, name in enumerate(names))
    write_runs(connection, [make_run('odd "name"\n\\', 1, profiles=profiles)])
    snapshot = fit_series(look(connection), 10_000)

    shown = snapshot.values[metrics.OUTPUT_VALUES]
    assert len(shown) == len(names)
    lines = Exposition(snapshot).write(Format.TEXT).decode().splitlines()
    assert all(len(line) < 1_000 and line.isprintable() for line in lines)


def test_a_hundred_thousand_outputs_are_bounded_and_what_is_folded_is_counted(
    connection: sa.Connection,
) -> None:
    given = tuple(MetricValue(f"output-{number:03}", 1.0, is_output=True) for number in range(900))
    write_runs(connection, [make_run("wide", metrics=given)])
    more = """INSERT INTO output_total SELECT sha256(n::text::bytea), 'wide', 'other-' || n, '',
        '{1}', '{0,1}' FROM generate_series(1, 99100) AS n"""
    connection.execute(sa.text(more))
    snapshot = look(connection)
    fitted = fit_series(snapshot, 2_000)

    assert snapshot.folded == 100_000 - OUTPUTS_READ
    assert fitted.series <= 2_000
    assert fitted.folded > 99_000
    assert (OVERFLOW, "", "") in fitted.values[metrics.OUTPUT_NULL_RATIO]


def test_what_other_senders_write_is_counted_too(connection: sa.Connection) -> None:
    numbers = {"infinite": 0, "scale": 0, "zeros": 3, "positive": {"offset": 1, "counts": [2]}}
    column = {"name": "delay", "kind": "numeric", "count": 5, "nulls": 0, "new": [[]]}
    text = json.dumps([{**column, "numbers": {**numbers, "negative": None}}])
    nested = text.replace("[[]]", "[" * 900 + "]" * 900)
    write_runs(
        connection,
        [
            make_run("etl", n, profiles=(make_profile(variable="flights")._replace(columns=each),))
            for n, each in enumerate((text, nested))
        ],
    )

    assert sum(count(look(connection), *DELAY).counts) == 10
