"""Which outputs are flagged?"""

import sqlalchemy as sa

from mltrace_exporter.store.flags import count_open_flags, read_open_flags
from mltrace_otel.contract.api import FLAG_LIMIT, Flag


def list_flags(connection: sa.Connection, *, limit: int = FLAG_LIMIT) -> list[Flag]:
    """Return open flags, newest first."""
    return [Flag(**row._asdict()) for row in read_open_flags(connection, limit)]


def count_flags(connection: sa.Connection) -> int:
    """Return the number of open flags."""
    return count_open_flags(connection)
