"""Reads from the store what a snapshot says."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, isfinite, isnan
from typing import Any

import sqlalchemy as sa

from mltrace_exporter import metrics
from mltrace_exporter.metrics import DURATION_BUCKETS_S, Metric
from mltrace_exporter.monitoring.definitions import SILENCE_FACTOR
from mltrace_exporter.monitoring.drifts import Drifts, Score, score_values
from mltrace_exporter.monitoring.labels import label
from mltrace_exporter.monitoring.snapshot import Distribution, Example, Labels, Snapshot, Value
from mltrace_exporter.store import outputs, vitals
from mltrace_exporter.store.arrivals import totals
from mltrace_exporter.store.lineage.ancestors import read_edges
from mltrace_exporter.store.lineage.staleness import read_stale
from mltrace_exporter.store.references import ProfileKey
from mltrace_exporter.store.replication import read_lag_s
from mltrace_otel.profiles.shapes import ColumnKind

_LAST_OUTCOMES = {**totals.RUN_OUTCOMES, "aborted": "aborted"}
_BUCKET_NAMES = (*map(str, DURATION_BUCKETS_S), "+Inf")
_MICROSECOND_S = 1e-6
_FIGURES = dict(zip(("p5", "p50", "p95"), metrics.QUANTILES, strict=True))

OUTPUTS_READ = 20_000
"""Distributions of outputs that are read: more than any limit on series has room for."""

Rows = Sequence[sa.Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Habits:
    """What changes slowly and takes longer to find out, by component.

    Attributes:
        pauses_s: see `store.vitals.read_pauses`.
        stale_inputs: how many dependencies of the newest run make it stale.
    """

    pauses_s: Mapping[str, float] = field(default_factory=dict)
    stale_inputs: Mapping[str, int] = field(default_factory=dict)


def read_habits(connection: sa.Connection, until: datetime) -> Habits:
    """Return what is usual for components, from runs that began before ``until``."""
    newest = {row.newest_id: row.name for row in vitals.read_components(connection)}
    newest.pop(None, None)
    stale: defaultdict[str, set[int]] = defaultdict(set)
    for each in read_stale(connection, read_edges(connection, list(newest))):
        stale[newest[each.consumer_id]].add(each.producer_id)
    pauses_s = vitals.read_pauses(connection, until)
    return Habits(pauses_s, {name: len(producers) for name, producers in stale.items()})


def read_snapshot(
    connection: sa.Connection, habits: Habits, now_s: float, drifts: Drifts | None = None
) -> Snapshot:
    """Return what the store says now, with everything it could ever say at 0.

    Args:
        connection: to the database, in a transaction that sees one state of it.
        habits: what `read_habits` returned last.
        now_s: the time it is, in seconds since 1970.
        drifts: what is remembered of outputs from the last time.
    """
    draft = _Draft()
    components = vitals.read_components(connection)
    draft.tell_components(components, habits, now_s)
    draft.tell_flags(vitals.read_flags(connection))
    draft.tell_run_totals(connection)
    draft.tell_examples(components)
    draft.tell_tests(vitals.read_tests(connection))
    draft.tell_test_totals(connection)
    draft.tell_outputs(outputs.read_newest(connection))
    draft.tell_values(outputs.read_newest_values(connection))
    draft.tell_drift(drifts or Drifts(), connection)
    unread = draft.tell_output_totals(connection)
    dead = vitals.read_last_dead_letter(connection)
    return Snapshot(
        taken_s=now_s,
        values={metric: draft.values.get(metric, {}) for metric in metrics.STORE_METRICS},
        owners={label(row.name): label(row.owner) for row in components if row.owner},
        examples=draft.examples,
        troubled=frozenset(draft.troubled),
        last_dead_letter_s=dead.timestamp() if dead else 0.0,
        folded=unread,
        replica_lag_s=read_lag_s(connection),
    )


class _Draft:
    """A snapshot in the making."""

    def __init__(self) -> None:
        self.values: defaultdict[Metric, dict[Labels, Value]] = defaultdict(dict)
        self.examples: dict[tuple[Metric, Labels], Example] = {}
        self.troubled: set[str] = set()
        self._profiled: dict[ProfileKey, str] = {}

    def tell_components(self, components: Rows, habits: Habits, now_s: float) -> None:
        for row in components:
            name = label(row.name)
            self._start_component(name)
            if row.newest_id is None:
                continue
            self._set(metrics.LAST_RUN, (name,), row.newest_at.timestamp())
            self._set(metrics.STALE_INPUTS, (name,), float(habits.stale_inputs.get(row.name, 0)))
            if row.success_at:
                self._set(metrics.LAST_SUCCESS, (name,), row.success_at.timestamp())
            if row.outcome:
                self._set(metrics.LAST_OUTCOME, (name, _LAST_OUTCOMES[row.outcome]), 1.0)
            pause_s = habits.pauses_s.get(row.name)
            if pause_s is not None:
                self._set(metrics.EXPECTED_INTERVAL, (name,), pause_s)
            is_silent = (
                pause_s is not None and now_s - row.newest_at.timestamp() > SILENCE_FACTOR * pause_s
            )
            if is_silent or row.outcome in {"error", "aborted"} or row.name in habits.stale_inputs:
                self.troubled.add(name)

    def tell_flags(self, flags: Rows) -> None:
        for row in flags:
            name = label(row.component or "")
            self._set(metrics.FLAGGED_OUTPUTS, (name,), float(row.total))
            self._set(metrics.OLDEST_FLAG, (name,), row.oldest.timestamp())
            self.troubled.add(name)

    def tell_run_totals(self, connection: sa.Connection) -> None:
        for (name, outcome), total in totals.read_totals(connection, totals.RUNS_TOTAL).items():
            self._set(metrics.RUNS, (label(name), outcome), float(total))
        counts: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(_BUCKET_NAMES))
        for (name, bucket), total in totals.read_totals(connection, totals.DURATIONS).items():
            counts[name][_BUCKET_NAMES.index(bucket)] = total
        sums_us = totals.read_totals(connection, totals.DURATION_SUM_US)
        for name, each in counts.items():
            sum_s = sums_us.get((name,), 0) * _MICROSECOND_S
            value = Distribution(DURATION_BUCKETS_S, tuple(each), sum_s)
            self._set(metrics.RUN_DURATION, (label(name),), value)

    def tell_examples(self, components: Rows) -> None:
        for row in components:
            name = label(row.name)
            if row.success_at:
                ids = row.success_trace_id, row.success_span_id
                self._show(metrics.RUNS, (name, "succeeded"), ids, 1.0, row.success_at)
            ids = row.trace_id, row.span_id
            if row.outcome == "error":
                self._show(metrics.RUNS, (name, "failed"), ids, 1.0, row.ended_at)
            if row.duration_s is not None:
                took_s = max(0.0, float(row.duration_s))
                self._show(metrics.RUN_DURATION, (name,), ids, took_s, row.ended_at)

    def tell_tests(self, tests: Rows) -> None:
        for row in tests:
            test = _name_test(row.component, row.suite, row.case, row.phase)
            outcome = totals.TEST_OUTCOMES[row.status]
            for each in totals.TEST_OUTCOMES.values():
                self._set(metrics.TEST_LAST_OUTCOME, (*test, each), float(each == outcome))
            if row.ended_at:
                self._set(metrics.TEST_LAST_RUN, test, row.ended_at.timestamp())
            if outcome in {"failed", "errored"}:
                self.troubled.add(test[0])

    def tell_test_totals(self, connection: sa.Connection) -> None:
        found = totals.read_totals(connection, totals.TESTS_TOTAL)
        for (*test, outcome), total in found.items():
            names = _name_test(*test)
            for each in totals.TEST_OUTCOMES.values():
                self.values[metrics.TESTS].setdefault((*names, each), 0.0)
            self._set(metrics.TESTS, (*names, outcome), float(total))

    def tell_outputs(self, rows: outputs.Rows) -> None:
        for row in rows:
            output = (label(row.component), label(row.variable))
            self._profiled[ProfileKey(row.run_id, "output", row.variable)] = output[0]
            self._set(metrics.OUTPUT_ROWS, output, float(row.rows))
            for figures in row.figures:
                column = (*output, label(figures["name"]))
                if figures["null_ratio"] is not None:
                    self._set(metrics.OUTPUT_NULL_RATIO, column, figures["null_ratio"])
                if figures["kind"] == ColumnKind.NUMERIC:
                    self._tell_quantiles(column, {each: figures[each] for each in _FIGURES})

    def tell_values(self, rows: outputs.Rows) -> None:
        for row in rows:
            column = (label(row.component), label(row.name), "")
            known = sorted(value for value in row.values if isfinite(value))
            nulls = sum(isnan(value) for value in row.values)
            self._set(metrics.OUTPUT_NULL_RATIO, column, nulls / len(row.values))
            if known:
                places = {name: ceil(share * len(known)) - 1 for name, share in _FIGURES.items()}
                self._tell_quantiles(column, {name: known[at] for name, at in places.items()})
            self._tell_scores(column[:2], score_values(row.values))

    def _tell_quantiles(self, column: Labels, found: Mapping[str, float | None]) -> None:
        for name, value in found.items():
            if value is not None:
                self._set(metrics.OUTPUT_QUANTILE, (*column, str(_FIGURES[name])), value)

    def tell_drift(self, drifts: Drifts, connection: sa.Connection) -> None:
        for key, scores in drifts.look(connection, self._profiled).items():
            self._tell_scores((self._profiled[key], label(key.variable)), scores)

    def _tell_scores(self, output: Labels, scores: Iterable[Score]) -> None:
        for column, method, score, threshold in scores:
            labels = (*output, label(column), method)
            self._set(metrics.OUTPUT_DRIFT_SCORE, labels, score)
            self._set(metrics.OUTPUT_DRIFT_THRESHOLD, labels, threshold)
            if score > threshold:
                self.troubled.add(output[0])

    def tell_output_totals(self, connection: sa.Connection) -> int:
        """Return how many there are that were not read."""
        rows = outputs.read_totals(connection, OUTPUTS_READ)
        for component, output, column, bounds, counts in rows:
            labels = (label(component), label(output), label(column))
            self._set(
                metrics.OUTPUT_VALUES, labels, Distribution(tuple(bounds), tuple(counts), None)
            )
        return outputs.count_totals(connection) - len(rows) if len(rows) == OUTPUTS_READ else 0

    def _start_component(self, name: str) -> None:
        for outcome in totals.RUN_OUTCOMES.values():
            self._set(metrics.RUNS, (name, outcome), 0.0)
        for outcome in _LAST_OUTCOMES.values():
            self._set(metrics.LAST_OUTCOME, (name, outcome), 0.0)
        self._set(metrics.FLAGGED_OUTPUTS, (name,), 0.0)

    def _set(self, metric: Metric, labels: Labels, value: Value) -> None:
        self.values[metric][labels] = value

    def _show(
        self,
        metric: Metric,
        labels: Labels,
        ids: tuple[bytes, bytes],
        value: float,
        moment: datetime,
    ) -> None:
        trace_id, span_id = ids
        example = Example(trace_id.hex(), span_id.hex(), value, moment.timestamp())
        self.examples[metric, labels] = example


def _name_test(*names: str) -> Labels:
    return tuple(map(label, names))
