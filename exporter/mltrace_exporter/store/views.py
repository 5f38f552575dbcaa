"""The schema that dashboards read: stable views over tables that change, and a role for it.

A view is a query and what each of its columns means; the meanings become comments in the database
and the page docs/reference/sql-views.md. They are no migrations: whenever tables were migrated, or
this module says something else than the database has, all are dropped and created anew.

Lineage has a parameter, the output, so it comes as two functions. Both hold at most ``NODE_LIMIT``
runs, nearest first, and no edge leads out of these: Grafana's node graph takes no more. Coverage is
asked of so many flags, which bounds what it costs.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.view_queries import flags, lineage, outputs, runs

SCHEMA = "mltrace_ro"
READER = "mltrace_reader"
NODE_LIMIT = lineage.NODE_LIMIT

_DIALECT: sa.Dialect = pg.dialect()  # type: ignore[no-untyped-call] # none of the dialects is typed


@dataclass(frozen=True, slots=True)
class View:
    """A view, or with parameters a function that returns rows.

    Attributes:
        name: its name in the schema.
        meaning: what a row is.
        query: the rows.
        columns: what each column means, in the query's order.
        parameters: names and types, of a function.
    """

    name: str
    meaning: str
    query: sa.Select[tuple[object, ...]]
    columns: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


def drop(connection: sa.Connection) -> None:
    """Drop the schema with everything in it."""
    connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))


def create(connection: sa.Connection) -> None:
    """Create the schema, unless the database has it as it is here."""
    script = _render_script()
    fingerprint = f"mltrace views {hashlib.sha256(script.encode()).hexdigest()[:16]}"
    known = sa.text("SELECT obj_description(to_regnamespace(:name), 'pg_namespace')")
    if connection.scalar(known, {"name": SCHEMA}) != fingerprint:
        drop(connection)
        connection.exec_driver_sql(script)
        connection.execute(sa.text(f"COMMENT ON SCHEMA {SCHEMA} IS '{fingerprint}'"))
    _let_read(connection)


def _let_read(connection: sa.Connection) -> None:
    """Grant to the role that reads, made first if it is not there and we may."""
    exists = "SELECT FROM pg_roles WHERE rolname = "
    may_create = "SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole)"
    connection.exec_driver_sql(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS ({exists} '{READER}') AND EXISTS ({may_create}) THEN
                BEGIN
                    CREATE ROLE {READER} NOLOGIN;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END;
            END IF;
            IF EXISTS ({exists} '{READER}') THEN
                GRANT USAGE ON SCHEMA {SCHEMA} TO {READER};
                GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {READER};
                GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {SCHEMA} TO {READER};
            END IF;
        END $$
        """
    )


@cache
def _render_script() -> str:
    statements = [f"CREATE SCHEMA {SCHEMA}"]
    for view in VIEWS:
        statements += _render_function(view) if view.parameters else _render_view(view)
    return ";\n".join(statements)


def _render_view(view: View) -> Iterator[str]:
    name = f"{SCHEMA}.{view.name}"
    yield f"CREATE VIEW {name} AS {_render(view.query)}"
    yield f"COMMENT ON VIEW {name} IS {_quote(view.meaning)}"
    for column, meaning in view.columns.items():
        yield f"COMMENT ON COLUMN {name}.{column} IS {_quote(meaning)}"


def _render_function(view: View) -> Iterator[str]:
    """A function's columns can be told of only where they have a type of their own."""
    kind = f"{SCHEMA}.{view.name}_row"
    types = {column.name: column.type.compile(_DIALECT) for column in view.query.selected_columns}
    yield f"CREATE TYPE {kind} AS ({', '.join(f'{name} {type_}' for name, type_ in types.items())})"
    for column, meaning in view.columns.items():
        yield f"COMMENT ON COLUMN {kind}.{column} IS {_quote(meaning)}"
    head = ", ".join(f"{name} {type_}" for name, type_ in view.parameters.items())
    signature = f"{SCHEMA}.{view.name}({', '.join(view.parameters.values())})"
    yield (
        f"CREATE FUNCTION {SCHEMA}.{view.name}({head}) RETURNS SETOF {kind} "
        # As its owner, for its readers may read nothing else.
        "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET jit = off "
        f"AS $query$ {_render(view.query)} $query$"
    )
    yield f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC"
    yield f"COMMENT ON FUNCTION {signature} IS {_quote(view.meaning)}"


def _render(query: sa.Select[tuple[object, ...]]) -> str:
    return str(query.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_RUN = {
    "run_id": "The run's number.",
    "component": "Name of its component.",
    "owner": "Owner of its component.",
    "tags": "Tags of its component.",
    "started_at": "When it began.",
    "ended_at": "When it ended; of an aborted run, when it was last known to go on.",
    "duration_s": "Seconds from start to end.",
    "execution": "How it ended: running, ok, error or aborted.",
    "tests": "What its tests found: passed, failed or none.",
    "failed_tests": "How many of its tests failed.",
    "message": "What was raised, if it failed.",
    "partition": "The part of the data that it was about.",
    "git_hash": "The git commit.",
    "service_name": "The program, as OpenTelemetry names it: service.name.",
    "trace_id": "OpenTelemetry's id of its trace, in hex.",
    "span_id": "OpenTelemetry's id of its span, in hex.",
}

VIEWS = (
    View(
        "components",
        "A component that has run, or that somebody described.",
        runs.select_components(),
        {
            "component": "Its name.",
            "owner": "Its owner.",
            "description": "What it does.",
            "tags": "Its tags.",
        },
    ),
    View(
        "recent_runs",
        "A component run. Ask with a limit on started_at, or newest first with a LIMIT.",
        runs.select_runs(),
        _RUN,
    ),
    View(
        "component_history",
        "A component run beside the component's run before it. Ask with a component.",
        runs.select_history(),
        {
            **{name: _RUN[name] for name in ("run_id", "component", "started_at", "ended_at")},
            **{name: _RUN[name] for name in ("duration_s", "execution", "tests", "partition")},
            "input_count": "How many things it read.",
            "output_count": "How many things it wrote.",
            "git_hash": "The git commit.",
            "run_before_id": "Number of the component's run before.",
            "since_run_before_s": "Seconds from the start of the run before to the start of this.",
            "code_changed": "Whether its code differs from that of the run before.",
            "git_changed": "Whether its git commit differs from that of the run before.",
        },
    ),
    View(
        "staleness",
        "A reason why the newest run of a component is stale. Other runs have no rows here.",
        lineage.select_staleness(),
        {
            "run_id": "The component's newest run.",
            "component": "Name of the component.",
            "started_at": "When the run began.",
            "kind": "Why it is stale: old_input or fresher_run.",
            "dependency_id": "Number of the run that it depends on.",
            "dependency_component": "Component of that run.",
            "age_s": "Seconds from the end of that run to the start of this one.",
            "threshold_s": "Above so many seconds of age the run counts as stale.",
            "fresher_count": "Runs that had replaced what was read, counted up to 1000.",
        },
    ),
    View(
        "test_outcomes",
        "What one test of a run found. Ask with a limit on started_at, or with a component.",
        runs.select_tests(),
        {
            "run_id": "Number of the run.",
            "component": "Name of its component.",
            "started_at": "When the run began.",
            "suite": "Name of the test's class.",
            "test": "Name of the test.",
            "phase": "Whether it was run before or after the function: before or after.",
            "outcome": "passed, failed, errored (it could not be run) or skipped.",
            "message": "What it complained of.",
            "duration_s": "How many seconds it took.",
        },
    ),
    View(
        "output_profiles",
        "A column of what a run wrote, in figures. Ask with a component, or with a limit on "
        "started_at. Of texts and nested values, numbers are of their lengths; of moments, seconds "
        "since 1970.",
        outputs.select_profiles(),
        {
            **{name: _RUN[name] for name in ("run_id", "component", "started_at")},
            "variable": "Name of the variable that was written.",
            "output": "Name of the output that it is; NULL if nobody said.",
            "column_name": "Name of the column; of an array or series without one, its variable.",
            "kind": "What its values are: numeric, boolean, categorical, text, datetime or nested.",
            "rows": "How many rows there are.",
            "looked_at": "How many of them the figures are of: fewer than rows if it was a sample.",
            "nulls": "How many values are missing, of the rows looked at.",
            "null_ratio": "The share of them.",
            "min": "The smallest number.",
            "max": "The largest number.",
            "mean": "The mean.",
            "stddev": "The standard deviation.",
            "p5": "The number that a twentieth do not exceed, within the error of the histogram.",
            "p25": "The lower quartile.",
            "p50": "The median.",
            "p75": "The upper quartile.",
            "p95": "The number that all but a twentieth do not exceed.",
            "distinct_estimate": "About how many different values there are; NULL of numbers.",
        },
    ),
    View(
        "run_metrics",
        "A number that a run logged, or that its function gave. Ask with a component, or with a "
        "limit on started_at.",
        outputs.select_metrics(),
        {
            **{name: _RUN[name] for name in ("run_id", "component", "started_at")},
            "metric": "What was measured; of an output, the variable.",
            "value": "The number.",
            "is_output": "Whether the function gave it, instead of logging it.",
        },
    ),
    View(
        "flagged_outputs",
        "A flag on an output, open or resolved.",
        flags.select_flags(),
        {
            "flag_id": "The flag's number.",
            "output": "Name of the output.",
            "run_id": "The run that had written it when it was flagged; NULL if none is known.",
            "component": "Component of that run.",
            "severity": "How bad it is: low, medium or high; NULL if nobody said.",
            "reason": "Why it was flagged.",
            "flagged_by": "Who flagged it.",
            "flagged_at": "When.",
            "is_open": "Whether it is flagged still.",
            "resolved_at": "When the flag was resolved.",
            "resolved_by": "Who resolved it.",
            "resolution": "How.",
        },
    ),
    View(
        "flag_coverage",
        "A run behind outputs that are flagged, and how many of them it is behind. Those of the "
        "newest open flags count, as many as asked for; of a flag without a run nothing is known.",
        flags.select_coverage(),
        {
            **{name: _RUN[name] for name in ("run_id", "component", "started_at", "execution")},
            "tests": _RUN["tests"],
            "flagged_with": "How many of the flagged outputs it wrote, or is upstream of.",
            "flagged_total": "How many flagged outputs were looked at.",
            "coverage": "The share of them: flagged_with / flagged_total.",
        },
        {"flags": "integer"},
    ),
    View(
        "outputs",
        "Something that a run wrote. Ask with a component, newest first with a LIMIT.",
        outputs.select_outputs(),
        {
            "run_id": "The run that wrote it.",
            "component": "Component of that run.",
            "started_at": "When that run began.",
            "output": "Its name.",
            "type": "What it is: data, model, endpoint or unknown.",
        },
    ),
    View(
        "lineage_nodes",
        "A run behind an output: the one that last wrote it, and those upstream of it, nearest "
        f"first, at most {NODE_LIMIT}. Columns are named as Grafana's node graph wants them.",
        lineage.select_nodes(),
        {
            "id": "The run's number, as text.",
            "title": "Name of its component.",
            "subtitle": "When it began, in UTC.",
            "mainstat": "How it ended; failed tests, if any.",
            "secondarystat": "How long it took.",
            "color": "Green if it went well, red if it or a test failed, yellow of others.",
            "detail__git_hash": "The git commit.",
            "detail__partition": "The part of the data that it was about.",
            "detail__owner": "Owner of its component.",
        },
        {"output": "text"},
    ),
    View(
        "lineage_edges",
        "A run that read from another, of those in lineage_nodes.",
        lineage.select_edges(),
        {
            "id": "A number for the edge, as text.",
            "source": "The run that wrote, as text.",
            "target": "The run that read, as text.",
            "mainstat": "What was read; how many things, if several.",
            "secondarystat": "What told it: link, digest, name or declared.",
            "color": "Red if somebody altered the content in between.",
        },
        {"output": "text"},
    ),
)
"""All views."""
