"""Alembic's entry: runs the revisions on the connection that `store.database.migrate` opened."""

from alembic import context

from mltrace_exporter.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
