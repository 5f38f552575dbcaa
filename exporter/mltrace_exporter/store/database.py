"""The connection to PostgreSQL: engine and migrations."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

# Any number will do, as long as every exporter asks for the same one.
_MIGRATION_LOCK = 0x6D6C7472


def open_engine(url: str, pool_size: int = 10) -> sa.Engine:
    """Return an engine on the database at ``url``; no connection is made yet.

    Args:
        url: ``postgresql://...`` or ``postgresql+psycopg2://...``.
        pool_size: connections kept open; as many again are opened under load.
    """
    return sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # It takes a lateral that refers to its left side for a cartesian product.
        enable_from_linting=False,
        connect_args={"application_name": "mltrace-exporter"},
    )


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to its newest version. Exporters that start together take turns."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
