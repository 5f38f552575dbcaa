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


def begin(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return the beginning of a text, which any index can hold."""
    return sa.func.left(text, sa.text("200"))


def split_words(text: sa.ColumnElement[str]) -> sa.ColumnElement[object]:
    """Return the words of a text as the full-text indexes have them; of a book, its beginning."""
    beginning = sa.func.left(text, sa.text("20000"))
    return sa.func.to_tsvector(sa.text("'simple'::regconfig"), beginning)


def key_partition(run: sa.FromClause) -> sa.ColumnElement[str]:
    """Return a run's partition as an index can find it; none has the key of an empty name."""
    return begin(sa.func.coalesce(run.c.partition, sa.text("''::text")))


component = sa.Table(
    "component",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text),
    sa.Column("description", sa.Text),
    # Those of the newest run's words and those that people added, each once.
    sa.Column("tags", _TEXTS, nullable=False, server_default="{}"),
    sa.Column("said_tags", _TEXTS, nullable=False, server_default="{}"),
    sa.Column("added_tags", _TEXTS, nullable=False, server_default="{}"),
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
    sa.Column("ended_at", _TIME),
    # Of a run that has not ended: when it was last known to be alive, and the span that said so.
    sa.Column("alive_at", _TIME),
    sa.Column("marked_by", sa.LargeBinary),
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
# Runs of one component and partition: those that may have replaced what one of them wrote.
sa.Index(
    "component_run_kin_idx",
    component_run.c.component,
    key_partition(component_run),
    component_run.c.started_at,
    component_run.c.id,
)
sa.Index(
    "component_run_not_ok_idx",
    component_run.c.started_at,
    component_run.c.id,
    postgresql_where=component_run.c.execution != sa.literal_column("'ok'"),
)
sa.Index(
    "component_run_partition_idx",
    begin(component_run.c.partition),
    component_run.c.started_at,
    component_run.c.id,
    postgresql_where=component_run.c.partition.is_not(None),
)
sa.Index(
    "component_run_declared_idx",
    component_run.c.started_at,
    postgresql_where=component_run.c.upstream != sa.literal_column("'{}'::text[]"),
)
sa.Index(
    "component_run_notes_idx",
    split_words(component_run.c.notes),
    postgresql_using="gin",
    postgresql_where=component_run.c.notes.is_not(None),
)

# Notes of people; the one that a run brought along is its own.
run_note = sa.Table(
    "run_note",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column(
        "run_id",
        sa.BigInteger,
        sa.ForeignKey("component_run.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("author", sa.Text),
    sa.Column("noted_at", _TIME, nullable=False, server_default=sa.func.now()),
)
sa.Index("run_note_run_id_idx", run_note.c.run_id, run_note.c.id)
sa.Index(
    "run_note_text_idx",
    split_words(run_note.c.text),
    postgresql_using="gin",
)

io_pointer = sa.Table(
    "io_pointer",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
)
# What a name, and the last part of a path, begins with. A full-text index would find words in its
# middle, too, and cost each new name four times as much.
_name = io_pointer.c.name.collate("C")
whole_name = sa.func.lower(begin(_name))
last_part = sa.func.lower(
    begin(sa.func.split_part(_name, sa.text("'/'::text"), sa.text("'-1'::integer")))
)
sa.Index("io_pointer_name_idx", whole_name)
sa.Index("io_pointer_last_part_idx", last_part)

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
# The same content under the same name: a content that never changes is written a million times.
sa.Index(
    "run_io_content_idx",
    run_io.c.digest,
    run_io.c.pointer_id,
    run_io.c.moment,
    postgresql_where=sa.and_(_is_output, run_io.c.digest.is_not(None)),
)
# Who read it? The way from a run to those that depend on it.
sa.Index(
    "run_io_read_digest_idx",
    run_io.c.digest,
    run_io.c.moment,
    postgresql_where=sa.and_(_is_input, run_io.c.digest.is_not(None)),
)
sa.Index(
    "run_io_linked_idx",
    run_io.c.producer_span_id,
    postgresql_where=run_io.c.producer_span_id.is_not(None),
)

# Spans that carried pointers for runs. One whose run is not there yet keeps them until it comes.
io_part = sa.Table(
    "io_part",
    metadata,
    sa.Column("span_id", sa.LargeBinary, primary_key=True),
    sa.Column("trace_id", sa.LargeBinary, primary_key=True),
    sa.Column("parent_span_id", sa.LargeBinary, nullable=False),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("component_run.id", ondelete="CASCADE")),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("io", pg.JSONB),
    sa.Column("received_at", _TIME, nullable=False, server_default=sa.func.now()),
)
sa.Index(
    "io_part_waiting_idx",
    io_part.c.parent_span_id,
    io_part.c.trace_id,
    postgresql_where=io_part.c.run_id.is_(None),
)
sa.Index("io_part_run_id_idx", io_part.c.run_id)

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
sa.Index(
    "test_result_failed_idx",
    test_result.c.run_id,
    postgresql_where=test_result.c.status != sa.literal_column("'pass'"),
)
# The index knows these conditions only where their values are literals.
is_failed_test = test_result.c.status.in_(
    [sa.literal_column("'fail'"), sa.literal_column("'error'")]
)
is_skipped_test = test_result.c.status == sa.literal_column("'skip'")

# What variables of a run held: the columns as they came, and their figures for dashboards.
profile = sa.Table(
    "profile",
    metadata,
    sa.Column(
        "run_id",
        sa.BigInteger,
        sa.ForeignKey("component_run.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("direction", sa.Text, primary_key=True),
    sa.Column("variable", sa.Text, primary_key=True),
    sa.Column("pointer", sa.Text),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("looked_at", sa.BigInteger, nullable=False),
    sa.Column("columns_left_out", sa.Integer, nullable=False),
    sa.Column("columns", pg.JSON, nullable=False),
    sa.Column("figures", pg.JSONB, nullable=False),
)

# Numbers that runs logged, or that their functions gave.
metric_value = sa.Table(
    "metric_value",
    metadata,
    sa.Column(
        "run_id",
        sa.BigInteger,
        sa.ForeignKey("component_run.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("is_output", sa.Boolean, primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
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
    sa.Column("severity", sa.Text),
)
sa.Index("flag_run_id_idx", flag.c.run_id)
sa.Index("flag_pointer_idx", flag.c.pointer_id, flag.c.id)
sa.Index(
    "flag_open_idx", flag.c.pointer_id, unique=True, postgresql_where=flag.c.resolved_at.is_(None)
)

# Spans that could not be stored, so that somebody can see what was sent and why it was refused.
dead_letter = sa.Table(
    "dead_letter",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("received_at", _TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("component", sa.Text),
    sa.Column("encoding", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

# Counters are kept, not counted: rows that retention deletes must not make a counter fall.
metric_total = sa.Table(
    "metric_total",
    metadata,
    sa.Column("metric", sa.Text, primary_key=True),
    sa.Column("labels", _TEXTS, primary_key=True),
    sa.Column("total", sa.BigInteger, nullable=False),
)

# The numbers that a column of an output held in all runs, counted between bounds that never change.
output_total = sa.Table(
    "output_total",
    metadata,
    # Of the three names: they may be longer than what an index holds.
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("component", sa.Text, nullable=False),
    sa.Column("output", sa.Text, nullable=False),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("bounds", pg.ARRAY(sa.Double), nullable=False),
    sa.Column("counts", pg.ARRAY(sa.BigInteger), nullable=False),
)
