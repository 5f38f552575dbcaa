"""What speaks against a run besides its place in the lineage."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.edges import is_final
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run, is_failed_test, test_result


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run's record: how it ended, which tests failed, what had changed since the run before."""

    run_id: int
    started_at: datetime
    error: str | None
    failed_tests: list[str]
    code_changed: bool
    commit_changed: bool

    @property
    def failed(self) -> bool:
        """True if the run itself or one of its tests failed."""
        return self.error is not None or bool(self.failed_tests)

    def sentences(self) -> list[str]:
        """Return the evidence in words."""
        said = [] if self.error is None else [f"The function failed: {self.error}"]
        said += [f"Test {test} failed." for test in self.failed_tests]
        if self.code_changed:
            said.append("The code had changed since the component's run before.")
        elif self.commit_changed:
            said.append("The git commit had changed since the component's run before.")
        return said


def read_evidence(connection: sa.Connection, run_ids: Collection[int]) -> dict[int, Evidence]:
    """Return the evidence against each run by its id."""
    rows = connection.execute(_select_evidence(), {"id": list(run_ids)})
    return {row[0]: Evidence(*row) for row in rows}


def list_failed_tests(run: sa.Table) -> sa.ScalarSelect[list[str]]:
    """Return the names of a run's tests that failed, as "Suite.case", in their order."""
    name = test_result.c.suite + "." + test_result.c["case"]
    none = sa.cast(pg.array([]), pg.ARRAY(sa.Text))
    names = sa.func.array_agg(pg.aggregate_order_by(name, test_result.c.position))
    return (
        sa.select(sa.func.coalesce(names, none))
        .where(test_result.c.run_id == run.c.id, is_failed_test)
        .correlate(run)
        .scalar_subquery()
    )


@prepared
def _select_evidence() -> sa.Select[int, datetime, str | None, list[str], bool, bool]:
    asked, run = ask(id=sa.BigInteger), component_run
    before = _run_before(run)
    return sa.select(
        run.c.id,
        run.c.started_at,
        sa.case((run.c.execution == "error", sa.func.coalesce(run.c.message, "no message"))),
        list_failed_tests(run),
        _changed(run.c.code_hash, before.c.code_hash),
        _changed(run.c.git_hash, before.c.git_hash),
    ).select_from(asked.join(run, run.c.id == asked.c.id).outerjoin(before, sa.true()))


def _run_before(run: sa.Table) -> sa.FromClause:
    earlier = component_run.alias("earlier")
    return (
        sa.select(earlier.c.code_hash, earlier.c.git_hash)
        .where(
            earlier.c.component == run.c.component,
            earlier.c.started_at < run.c.started_at,
            is_final(earlier),
        )
        .order_by(earlier.c.started_at.desc(), earlier.c.span_id)
        .limit(1)
        .lateral("before")
    )


def _changed(
    now: sa.ColumnElement[object], before: sa.ColumnElement[object]
) -> sa.ColumnElement[bool]:
    """True if both are known and differ."""
    return sa.func.coalesce(now != before, sa.false())
