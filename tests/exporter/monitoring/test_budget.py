"""However many components, tests and names there are, the number of series is bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrace_exporter import metrics
from mltrace_exporter.metrics import OVERFLOW
from mltrace_exporter.monitoring.budget import fit_series
from mltrace_exporter.monitoring.exposition import Exposition, Format
from mltrace_exporter.monitoring.snapshot import Distribution, Labels, Snapshot, Value

RUNS_EACH = 3.0
STATES = (metrics.LAST_OUTCOME, metrics.LAST_RUN, metrics.STALE_INPUTS)


def make_snapshot(components: int, tests: int, troubled: frozenset[str] = frozenset()) -> Snapshot:
    """Return a snapshot of components, each of which has so many tests."""
    names = [f"c{number:05}" for number in range(components)]
    cases = [(name, "Suite", f"t{number}", "after") for name in names for number in range(tests)]
    took = Distribution((1.0, 10.0), (1, 1, 1), 12.5)
    runs: dict[Labels, Value] = {
        (name, outcome): RUNS_EACH for name in names for outcome in ("succeeded", "failed")
    }
    return Snapshot(
        1.0,
        {
            metrics.RUNS: runs,
            metrics.RUN_DURATION: {(name,): took for name in names},
            metrics.LAST_OUTCOME: {(name, "failed"): float(name in troubled) for name in names},
            metrics.LAST_RUN: {(name,): float(number) for number, name in enumerate(names)},
            metrics.STALE_INPUTS: {(name,): 0.0 for name in names},
            metrics.TESTS: {(*case, "passed"): 1.0 for case in cases},
            metrics.TEST_LAST_OUTCOME: {(*case, "passed"): 1.0 for case in cases},
        },
        owners=dict.fromkeys(names, "anna"),
        troubled=troubled,
    )


def count_series(snapshot: Snapshot) -> int:
    """Return the number of series as Prometheus would see them."""
    lines = Exposition(snapshot).write(Format.TEXT).decode().splitlines()
    return sum(not line.startswith("#") for line in lines)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 300), st.integers(0, 20), st.integers(100, 3_000))
def test_the_limit_is_kept_and_what_is_left_out_is_counted(
    components: int, tests: int, limit: int
) -> None:
    every = make_snapshot(components, tests)
    whole, fitted = fit_series(every, 10**9), fit_series(every, limit)

    assert fitted.series == count_series(fitted)
    assert fitted.series <= limit
    assert (fitted.folded == 0) == (fitted.series == whole.series)


def test_what_fits_is_left_as_it_is() -> None:
    every = make_snapshot(20, 2)
    fitted = fit_series(every, 10_000)

    assert fitted.folded == 0
    assert {**fitted.values, metrics.COMPONENT_INFO: {}} == {
        **every.values,
        metrics.COMPONENT_INFO: {},
    }
    assert fitted.values[metrics.COMPONENT_INFO][("c00003", "anna")] == 1


def test_totals_of_what_is_folded_add_up() -> None:
    fitted = fit_series(make_snapshot(500, 0), 1_000)

    runs = fitted.values[metrics.RUNS]
    assert runs["c00000", "failed"] == RUNS_EACH
    assert runs[OVERFLOW, "failed"] == RUNS_EACH * (500 - (len(runs) // 2 - 1))
    took = fitted.values[metrics.RUN_DURATION][(OVERFLOW,)]
    assert isinstance(took, Distribution)
    shown = len(fitted.values[metrics.RUN_DURATION]) - 1
    assert took.counts == (500 - shown,) * 3
    assert took.sum == 12.5 * (500 - shown)


def test_components_that_somebody_should_look_at_are_the_last_to_go() -> None:
    troubled = frozenset({"c00498", "c00250"})
    fitted = fit_series(make_snapshot(500, 0, troubled), 1_000)

    last = fitted.values[metrics.LAST_OUTCOME]
    assert {labels[0] for labels, value in last.items() if value} == troubled
    assert last[OVERFLOW, "failed"] == 0


def test_every_component_that_is_named_has_an_owner_to_be_joined() -> None:
    fitted = fit_series(make_snapshot(500, 5, frozenset({"c00499"})), 1_000)

    named = {labels[0] for metric in fitted.values for labels in fitted.values[metric]}
    owned = {component for component, _ in fitted.values[metrics.COMPONENT_INFO]}
    assert named == owned
    assert OVERFLOW in owned


@pytest.mark.parametrize("metric", STATES)
def test_a_component_that_has_the_name_of_the_rest_is_folded_with_it(
    metric: metrics.Metric,
) -> None:
    snapshot = make_snapshot(500, 0)
    key = (OVERFLOW, "failed") if metric is metrics.LAST_OUTCOME else (OVERFLOW,)
    values = {**snapshot.values, metric: {**snapshot.values[metric], key: 7.0}}
    fitted = fit_series(Snapshot(1.0, values, troubled=frozenset({OVERFLOW})), 1_000)

    value = fitted.values[metric][key]
    assert isinstance(value, float)
    assert value >= 7
