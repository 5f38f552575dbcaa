"""Statements that PostgreSQL plans once for a connection.

To plan ours takes longer than to run them, and psycopg2 prepares none by itself. What `prepared`
marks is sent whole once, then by its name and values. Source: PostgreSQL documentation, PREPARE.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

IS_SHARED = "mltrace_is_shared"
"""Stands in the info of connections behind which a pooler may change PostgreSQL's own at any time.

What is prepared on one would be unknown on the next, or be another statement.
"""

_IS_PREPARED = "mltrace_is_prepared"
_Statement = TypeVar("_Statement", bound=sa.Executable)


def prepared(build: Callable[[], _Statement]) -> Callable[[], _Statement]:
    """Let a function build its statement once in the life of the process, and have it prepared.

    The types of the statement's parameters must show from their places in it.
    """
    return cache(lambda: build().execution_options(**{_IS_PREPARED: True}))


def prepare_statements(engine: sa.Engine) -> None:
    """Have an engine prepare what `prepared` marks, on each connection that it opens."""
    sa.event.listen(engine, "before_cursor_execute", _send_values, retval=True)


def _send_values(  # noqa: PLR0913, PLR0917 - what SQLAlchemy gives
    connection: sa.Connection,
    cursor: DBAPICursor,
    statement: str,
    parameters: Any,  # noqa: ANN401 - a mapping for what we prepare
    context: sa.ExecutionContext | None,
    executemany: bool,  # noqa: FBT001
) -> tuple[str, Any]:
    del executemany
    is_prepared = context is not None and context.execution_options.get(_IS_PREPARED)
    if not is_prepared or IS_SHARED in connection.info:
        return statement, parameters
    names = connection.info.setdefault(_IS_PREPARED, {})
    if statement not in names:
        name = f"mltrace_{len(names)}"
        cursor.execute(f"PREPARE {name} AS {_number_parameters(statement, parameters)}")
        # It outlives the transaction, also one that is rolled back.
        names[statement] = name
    values = ", ".join(f"%({parameter})s" for parameter in parameters)
    return f"EXECUTE {names[statement]}{f' ({values})' if values else ''}", parameters


def _number_parameters(statement: str, parameters: Mapping[str, object]) -> str:
    """Return a statement with ``$1`` and so on in place of psycopg2's ``%(name)s``."""
    return statement % {name: f"${place}" for place, name in enumerate(parameters, start=1)}
