"""Is everything in the database that its rows refer to?"""

import sqlalchemy as sa

from mltrace_exporter.store.schema import (
    code,
    component,
    component_run,
    flag,
    io_part,
    io_pointer,
    metadata,
    run_io,
)


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows each table has, by its name."""
    return {
        table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in metadata.sorted_tables
    }


def count_dangling(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows refer to something that is not there, by a sentence about them."""
    run, day = component_run, sa.text("interval '1 day'")
    pointers = sa.union(sa.select(run_io.c.pointer_id), sa.select(flag.c.pointer_id)).subquery()
    questions = {
        "inputs, outputs or flags have no name": sa.select(sa.func.count())
        .select_from(pointers.outerjoin(io_pointer, io_pointer.c.id == pointers.c.pointer_id))
        .where(io_pointer.c.id.is_(None)),
        "runs lack their code": sa.select(sa.func.count())
        .select_from(run.outerjoin(code, code.c.hash == run.c.code_hash))
        .where(run.c.code_hash.is_not(None), code.c.hash.is_(None)),
        "runs lack their component": sa.select(sa.func.count())
        .select_from(
            component_run.outerjoin(component, component.c.name == component_run.c.component)
        )
        .where(component.c.name.is_(None)),
        "spans with pointers have waited for their run for more than a day": sa.select(
            sa.func.count()
        )
        .select_from(io_part)
        .where(io_part.c.run_id.is_(None), io_part.c.received_at < sa.func.now() - day),
    }
    return {name: connection.scalar(query) or 0 for name, query in questions.items()}
