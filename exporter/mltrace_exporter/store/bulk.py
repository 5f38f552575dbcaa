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
from sqlalchemy.dialects import postgresql as pg

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
    encoders = _ENCODERS
    body = "".join(
        ["\t".join([encoders[type(value)](value) for value in row]) + "\n" for row in rows]
    )
    if not body:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert(f'COPY "{table.name}" ({names}) FROM STDIN', io.StringIO(body))


def unnest(
    **columns: tuple[Sequence[object], type[sa.types.TypeEngine[Any]]],
) -> sa.TableValuedAlias:
    """Return a row source that has each column's values, given with their type."""
    arrays = [sa.literal(list(values), pg.ARRAY(type_)) for values, type_ in columns.values()]
    return sa.func.unnest(*arrays).table_valued(*columns).render_derived()


def ask(**columns: type[sa.types.TypeEngine[Any]]) -> sa.TableValuedAlias:
    """Return the row source that `unnest` returns, of values that come with the execution.

    Each column's values are the parameter of its name. For statements that are built once.
    """
    arrays = [
        sa.cast(sa.bindparam(name, type_=_Numbers()), pg.ARRAY(type_))
        if type_ is sa.BigInteger
        else sa.bindparam(name, type_=pg.ARRAY(type_))
        for name, type_ in columns.items()
    ]
    return sa.func.unnest(*arrays).table_valued(*columns).render_derived()


class _Numbers(sa.types.TypeDecorator[Sequence[int | None]]):
    """Numbers as one literal: PostgreSQL takes longer to plan an array of many than to read it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[int | None] | None, dialect: sa.Dialect
    ) -> str | None:
        del dialect
        if value is None:
            return None
        return f"{{{','.join('NULL' if each is None else str(each) for each in value)}}}"


def _encode_text(value: str) -> str:
    # Most texts need no escape, and looking is several times faster than translating.
    return value.translate(_ESCAPES) if _NEEDS_ESCAPE(value) else value


def _encode_array(values: Sequence[str]) -> str:
    if not values:
        return "{}"
    quoted = ",".join(
        '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"' for value in values
    )
    return f"{{{quoted}}}".translate(_ESCAPES)


def _encode_json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


_ENCODERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: r"\N",
    str: _encode_text,
    bytes: lambda value: rf"\\x{value.hex()}",
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    datetime: datetime.isoformat,
    tuple: _encode_array,
    dict: _encode_json,
}
