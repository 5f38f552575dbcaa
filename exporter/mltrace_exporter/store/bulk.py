"""Many values at once: into a table by ``COPY ... FROM STDIN``, into a query as arrays.

Source: PostgreSQL documentation, COPY, "Text Format"; Arrays, "Array Input and Output Syntax".
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import encodings
from sqlalchemy.dialects import postgresql as pg

# For each piece psycopg2 waits for Python's lock: milliseconds, while another thread decodes.
_PIECE_BYTES = 1024 * 1024
_NEEDS_ESCAPE = re.compile(r"[\\\t\n\r]").search
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_rows(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Append ``rows`` to ``table`` within the connection's transaction.

    Args:
        connection: its driver must be psycopg2.
        table: where to.
        columns: names of the columns that each row gives, in the row's order.
        rows: values of str, bytes, bool, int, float, datetime, tuple of str, dict (JSON) or None.

    Raises:
        psycopg2.errors.UniqueViolation: a key is there already; roll the transaction back.
    """
    copy_lines(connection, table, columns, map(encode_cells, rows))


def copy_lines(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], lines: Iterable[str]
) -> None:
    """Append rows that are encoded already, each as a line without its end, as `copy_rows` does."""
    body = "\n".join(lines)
    if not body:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        statement = f'COPY "{table.name}" ({names}) FROM STDIN'
        written = body.encode(encodings[driver.encoding])
        cursor.copy_expert(statement, io.BytesIO(written), _PIECE_BYTES)


def encode_cells(row: Iterable[object]) -> str:
    """Return some cells of a row as COPY reads them."""
    encoders = _ENCODERS
    return "\t".join([encoders[type(value)](value) for value in row])


def encode_text(value: str | None) -> str:
    """Return a cell that holds text, as COPY reads it."""
    if value is None:
        return r"\N"
    # Most texts need no escape, and looking is several times faster than translating.
    return value.translate(_ESCAPES) if _NEEDS_ESCAPE(value) else value


def unnest(
    **columns: tuple[Sequence[object], type[sa.types.TypeEngine[Any]]],
) -> sa.TableValuedAlias:
    """Return a row source that has each column's values, given with their type."""
    arrays = [
        # One literal: for an array of many, PostgreSQL plans longer than it reads.
        sa.cast(sa.literal(write_array(values), sa.Text), pg.ARRAY(type_))
        for values, type_ in columns.values()
    ]
    return sa.func.unnest(*arrays).table_valued(*columns).render_derived()


def ask(**columns: type[sa.types.TypeEngine[Any]]) -> sa.TableValuedAlias:
    """Return the row source that `unnest` returns, of values that come with the execution.

    Each column's values are the parameter of its name. For statements that are built once.
    """
    arrays = [
        sa.cast(
            sa.bindparam(name, type_=_Numbers() if type_ is sa.BigInteger else _Array()),
            pg.ARRAY(type_),
        )
        for name, type_ in columns.items()
    ]
    return sa.func.unnest(*arrays).table_valued(*columns).render_derived()


class _Array(sa.types.TypeDecorator[Sequence[object]]):
    """Values as one literal: PostgreSQL takes longer to plan an array of many than to read it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[object] | None, dialect: sa.Dialect) -> str | None:
        del dialect
        return None if value is None else write_array(value)


class _Numbers(_Array):
    """The same of many numbers, in half the time."""

    cache_ok = True

    def process_bind_param(self, value: Sequence[object] | None, dialect: sa.Dialect) -> str | None:
        del dialect
        if value is None:
            return None
        # Python writes lists as PostgreSQL reads them, but for brackets and the word for nothing.
        return f"{{{str(list(value))[1:-1].replace('None', 'NULL')}}}"


def write_array(values: Iterable[object]) -> str:
    """Return an array of str, bytes, int or None as PostgreSQL reads it."""
    writers = _ELEMENTS
    return f"{{{','.join([writers[type(value)](value) for value in values])}}}"


def _quote(value: str) -> str:
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


_ELEMENTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    str: _quote,
    bytes: lambda value: rf'"\\x{value.hex()}"',
    int: str,
}


def _encode_array(values: Sequence[str]) -> str:
    return encode_text(write_array(values)) if values else "{}"


def _encode_json(value: Mapping[str, object]) -> str:
    if not value:
        return "{}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


_ENCODERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: r"\N",
    str: encode_text,
    bytes: lambda value: rf"\\x{value.hex()}",
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    datetime: datetime.isoformat,
    tuple: _encode_array,
    dict: _encode_json,
}
