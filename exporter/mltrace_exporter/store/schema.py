"""The tables. What runs said is stored; whatever follows from it is computed when asked.

The one fact kept twice is ``run_io.moment``, a copy of the run's end (outputs) or start (inputs),
because "who last wrote this before then?" must be answered from one index.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

_TIME = pg.TIMESTAMP(timezone=True)
_TEXTS = pg.ARRAY(sa.Text)

component = sa.Table(
    "component",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text),
    sa.Column("description", sa.Text),
    sa.Column("tags", _TEXTS, nullable=False, server_default="{}"),
    # The run whose words these are: the latest by (start, span), whatever order runs arrive in.
    sa.Column("described_at", _TIME),
    sa.Column("described_by", sa.LargeBinary),
)
sa.Index("component_tags_idx", component.c.tags, postgresql_using="gin")

code = sa.Table(
    "code",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
)

component_run = sa.Table(
    "component_run",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("trace_id", sa.LargeBinary, nullable=False),
    sa.Column("span_id", sa.LargeBinary, nullable=False),
    sa.Column("parent_span_id", sa.LargeBinary),
    sa.Column("component", sa.Text, nullable=False),
    sa.Column("started_at", _TIME, nullable=False),
    sa.Column("ended_at", _TIME, nullable=False),
    sa.Column("execution", sa.Text, nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("error_type", sa.Text),
    sa.Column("notes", sa.Text),
    sa.Column("partition", sa.Text),
    sa.Column("staleness_threshold_s", sa.Double),
    sa.Column("upstream", _TEXTS, nullable=False, server_default="{}"),
    sa.Column("infers_dependencies", sa.Boolean, nullable=False, server_default=sa.text("true")),
    sa.Column("code_hash", sa.LargeBinary),
    sa.Column("code_function", sa.Text),
    sa.Column("code_file", sa.Text),
    sa.Column("code_line", sa.Integer),
    sa.Column("git_hash", sa.Text),
    sa.Column("git_ref", sa.Text),
    sa.Column("git_repository", sa.Text),
    sa.Column("git_tags", _TEXTS, nullable=False, server_default="{}"),
    sa.Column("git_dirty", sa.Boolean),
    sa.Column("resource", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("attributes", pg.JSONB, nullable=False, server_default="{}"),
    sa.UniqueConstraint("span_id", "trace_id"),
)
sa.Index("component_run_started_at_idx", component_run.c.started_at, component_run.c.id)
sa.Index(
    "component_run_component_idx",
    component_run.c.component,
    component_run.c.started_at,
    component_run.c.id,
)

io_pointer = sa.Table(
    "io_pointer",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
)

run_io = sa.Table(
    "run_io",
    metadata,
    sa.Column(
        "run_id",
        sa.BigInteger,
        sa.ForeignKey("component_run.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("pointer_id", sa.BigInteger, nullable=False),
    sa.Column("moment", _TIME, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("digest", sa.Text),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("labels", _TEXTS, nullable=False, server_default="{}"),
    sa.Column("producer_trace_id", sa.LargeBinary),
    sa.Column("producer_span_id", sa.LargeBinary),
)
_is_output = run_io.c.direction == sa.literal_column("'output'")
_is_input = run_io.c.direction == sa.literal_column("'input'")
sa.Index("run_io_written_idx", run_io.c.pointer_id, run_io.c.moment, postgresql_where=_is_output)
sa.Index("run_io_read_idx", run_io.c.pointer_id, run_io.c.moment, postgresql_where=_is_input)
sa.Index(
    "run_io_digest_idx",
    run_io.c.digest,
    run_io.c.moment,
    postgresql_where=sa.and_(_is_output, run_io.c.digest.is_not(None)),
)

test_result = sa.Table(
    "test_result",
    metadata,
    sa.Column(
        "run_id",
        sa.BigInteger,
        sa.ForeignKey("component_run.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("suite", sa.Text, nullable=False),
    sa.Column("case", sa.Text, nullable=False),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("duration_s", sa.Double),
)

flag = sa.Table(
    "flag",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("pointer_id", sa.BigInteger, nullable=False),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("component_run.id", ondelete="SET NULL")),
    sa.Column("flagged_by", sa.Text),
    sa.Column("flagged_at", _TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("reason", sa.Text),
    sa.Column("resolved_at", _TIME),
    sa.Column("resolved_by", sa.Text),
    sa.Column("resolution", sa.Text),
)
sa.Index(
    "flag_open_idx", flag.c.pointer_id, unique=True, postgresql_where=flag.c.resolved_at.is_(None)
)

# Counters are kept, not counted: rows that retention deletes must not make a counter fall.
metric_total = sa.Table(
    "metric_total",
    metadata,
    sa.Column("metric", sa.Text, primary_key=True),
    sa.Column("labels", _TEXTS, primary_key=True),
    sa.Column("total", sa.BigInteger, nullable=False),
)
