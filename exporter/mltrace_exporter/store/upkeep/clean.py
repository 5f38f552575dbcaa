"""Deleting everything."""

import sqlalchemy as sa

from mltrace_exporter.store.schema import component_run, metadata


def delete_everything(connection: sa.Connection) -> int:
    """Empty every table and return how many runs there were. Numbers of runs are not used again.

    Raises:
        sqlalchemy.exc.OperationalError: somebody holds a table.
    """
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    connection.execute(sa.text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    count = connection.scalar(sa.select(sa.func.count()).select_from(component_run)) or 0
    connection.execute(sa.text(f"TRUNCATE {names}"))
    return count
