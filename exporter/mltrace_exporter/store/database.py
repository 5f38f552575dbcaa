"""The connection to PostgreSQL: engine, migrations, and which of them have been run."""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg2.extensions
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.pool import ConnectionPoolEntry

from mltrace_exporter.errors import SettingsError, Unavailable
from mltrace_exporter.store import views
from mltrace_exporter.store.preparation import IS_SHARED, prepare_statements

# Any number will do, as long as every exporter asks for the same one.
_MIGRATION_LOCK = 0x6D6C7472
_SETTINGS = (
    "jit = off",
    "random_page_cost = 1.1",
    "plan_cache_mode = force_generic_plan",
    # Whoever waits is told so while it still listens: senders and browsers give up some time.
    "lock_timeout = '5s'",
)
# Source: PostgreSQL documentation, PostgreSQL Error Codes.
_ADVICE = {
    "42501": "Name a role that owns mltrace's tables, or may make them (GRANT CREATE ON SCHEMA).",
    "42P07": "There are tables of somebody else: give mltrace a database of its own.",
}
_log = logging.getLogger(__name__)


def open_engine(url: str, pool_size: int = 10) -> sa.Engine:
    """Return an engine on the database at ``url``; no connection is made yet.

    Args:
        url: ``postgresql://...`` or ``postgresql+psycopg2://...``.
        pool_size: connections kept open; as many again are opened under load.
    """
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # The connection that was used last has its statements planned.
        pool_use_lifo=True,
        # It takes a lateral that refers to its left side for a cartesian product.
        enable_from_linting=False,
        connect_args={"application_name": "mltrace-exporter"},
    )
    sa.event.listen(engine, "connect", _tune)
    sa.event.listen(engine, "begin", _tune_transaction)
    prepare_statements(engine)
    return engine


def _tune(connection: "psycopg2.extensions.connection", record: ConnectionPoolEntry) -> None:
    """Tell the planner of questions that read few rows by indexes, each in a few milliseconds.

    What pays for questions that run for seconds is turned off. A page costs about the same wherever
    it is; the usual setting is of disks that turn, and takes small tables for better read whole. A
    plan is made once, for any values: for thousands of ids at hand it would read whole tables, too.
    Not as a start-up option: poolers such as PgBouncer refuse these.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [(backend_pid,)] = cursor.fetchall()
        # A pooler has told us a process id of its own making.
        if backend_pid != connection.get_backend_pid():
            record.info[IS_SHARED] = True
        else:
            cursor.execute("; ".join(f"SET {setting}" for setting in _SETTINGS))
    connection.commit()


def _tune_transaction(connection: sa.Connection) -> None:
    """Do the same where the next transaction may be on another connection of a pooler's."""
    if IS_SHARED in connection.info:
        connection.exec_driver_sql("; ".join(f"SET LOCAL {setting}" for setting in _SETTINGS))


def open_snapshot(engine: sa.Engine) -> sa.Connection:
    """Return a connection that sees one state of the database, and changes nothing.

    What is read on it agrees even while runs arrive.
    """
    # The driver says so as it begins: a statement of its own would be a question more.
    return engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to its newest version. Exporters that start together take turns.

    Raises:
        SettingsError: the tables are of a newer version than this one.
    """
    config = _configure()
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        config.attributes["connection"] = connection
        before, newest = read_revision(connection), find_newest_revision()
        if before != newest:
            _require_known(before)
            _log.info("The tables are brought to revision %s, from %s.", newest, before or "none")
            # They stand on the tables, which could not change under them.
            views.drop(connection)
            command.upgrade(config, "head")
        views.create(connection)


def read_revision(connection: sa.Connection) -> str | None:
    """Return the revision of the tables, None if there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


@cache
def find_newest_revision() -> str:
    """Return the revision that this version of the exporter works with."""
    return ScriptDirectory.from_config(_configure()).get_current_head() or ""


def _require_known(revision: str | None) -> None:
    known = {each.revision for each in ScriptDirectory.from_config(_configure()).walk_revisions()}
    if revision is not None and revision not in known:
        raise SettingsError(
            f"The database's tables are of revision {revision}, which this version of mltrace does "
            "not know: use the newest version that has worked with them."
        )


def check_revision(connection: sa.Connection) -> None:
    """Make sure that the tables are those that this version works with.

    Raises:
        Unavailable: they are not; the message says what to do.
    """
    found, wanted = read_revision(connection), find_newest_revision()
    if found is None:
        raise Unavailable("The database has no tables yet: run `mltrace db upgrade`.")
    if found != wanted:
        raise Unavailable(
            f"The database's tables are of revision {found}, not {wanted}: "
            "run `mltrace db upgrade` with the newest version in use."
        )


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a database says of itself.

    Attributes:
        version: of PostgreSQL.
        size_bytes: what the database takes on disk.
        revision: of the tables; None if there are none.
    """

    version: str
    size_bytes: int
    revision: str | None


def read_facts(connection: sa.Connection) -> DatabaseFacts:
    """Return what the database says of itself."""
    size = sa.func.pg_database_size(sa.func.current_database())
    version = sa.func.current_setting("server_version")
    row = connection.execute(sa.select(version, size)).one()
    return DatabaseFacts(row[0].partition(" ")[0], row[1], read_revision(connection))


def explain(error: sa.exc.DBAPIError) -> str:
    """Return on one line what PostgreSQL complains of, and what to do if that is known."""
    advice = _ADVICE.get(getattr(error.orig, "pgcode", None) or "", "")
    return " ".join(f"{error.orig} {advice}".split())


def _configure() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
