"""Runs that have not ended: which ones, and what is shown of them.

A run is final once its own span has arrived. Until then it is ``running`` or, when its process is
known to have ended before it, ``aborted``. A running one of which nothing has been heard for
``SILENCE_LIMIT`` is shown as aborted; that is computed when asked, so that a later sign of life
corrects it.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from mltrace_exporter.store.schema import component_run

SILENCE_LIMIT = timedelta(minutes=15)
"""Signs of life come every five minutes: three of them may be late or lost."""


def shown_execution(run: sa.FromClause = component_run) -> sa.ColumnElement[str]:
    """Return how a run ended or goes on, as people are told."""
    return sa.case((_is_silent(run), "aborted"), else_=run.c.execution)


def shown_end(run: sa.FromClause = component_run) -> sa.ColumnElement[datetime | None]:
    """Return when a run ended; of an aborted one, when it was last known to be alive."""
    return sa.case((_is_silent(run), run.c.alive_at), else_=run.c.ended_at)


def explain_abort(execution: str, shown: str, alive_at: datetime | None) -> str | None:
    """Say how it is known that a run was aborted; None of a run that was not.

    Args:
        execution: what the row says.
        shown: what `shown_execution` says.
        alive_at: what the row says.
    """
    if shown != "aborted" or alive_at is None:
        return None
    last = f"{alive_at:%Y-%m-%d %H:%M:%S} UTC"
    if execution == shown:
        return f"The process ended before this run did; the run was last known to go on at {last}."
    minutes = SILENCE_LIMIT // timedelta(minutes=1)
    return f"Nothing was heard of this run for more than {minutes} minutes, last at {last}."


def _is_silent(run: sa.FromClause) -> sa.ColumnElement[bool]:
    since = sa.func.now() - sa.cast(SILENCE_LIMIT, sa.Interval)
    return (run.c.execution == "running") & (run.c.alive_at < since)
