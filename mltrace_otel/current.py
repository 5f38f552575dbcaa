"""The run that the program is in. In: what a call says as it begins and ends. Out: that, asked for.

Context variables carry it, so each thread and each asynchronous task sees its own.
"""

from contextvars import ContextVar, Token
from dataclasses import dataclass

from opentelemetry.trace import SpanContext

from mltrace_otel.runs import ComponentRun


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """A run that has begun and not ended.

    Attributes:
        component: name of its component.
        run: what is being recorded of it.
        span: the identity it will be recorded under.
        contents: digests of the values that it loaded and saved, by their ids, so that auto logging
            can leave them out; None if it does not log by itself.
    """

    component: str
    run: ComponentRun
    span: SpanContext
    contents: dict[int, str] | None = None


_CURRENT: ContextVar[CurrentRun | None] = ContextVar("mltrace_current_run", default=None)


def get_run() -> CurrentRun | None:
    """Return the innermost run that the program is in; None outside of any."""
    return _CURRENT.get()


def enter(run: CurrentRun) -> Token[CurrentRun | None]:
    """Say that a run begins. Returns what `leave` takes."""
    return _CURRENT.set(run)


def leave(token: Token[CurrentRun | None]) -> None:
    """Say that the run that gave ``token`` has ended, in the context where it began."""
    _CURRENT.reset(token)
