"""What API and panel share: a database connection for each request, in one transaction."""

from collections.abc import Iterator
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request


def _read(request: Request) -> Iterator[sa.Connection]:
    engine: sa.Engine = request.app.state.engine
    with engine.connect() as connection:
        # One snapshot for the whole answer: its parts agree even while runs arrive.
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        yield connection


def _write(request: Request) -> Iterator[sa.Connection]:
    engine: sa.Engine = request.app.state.engine
    with engine.begin() as connection:
        yield connection


Reading = Annotated[sa.Connection, Depends(_read, scope="function")]
"""A connection on which a route reads."""

Writing = Annotated[sa.Connection, Depends(_write, scope="function")]
"""A connection on which a route writes; committed before the answer is sent."""
