"""The first schema: runs, what they read and wrote, what their tests found, flags, totals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _create_components()
    _create_runs()
    _create_io()
    _create_marks()


def _create_components() -> None:
    op.create_table(
        "code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="code_pkey"),
    )
    op.create_table(
        "component",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("described_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("described_by", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="component_pkey"),
    )
    op.create_index(
        "component_tags_idx", "component", ["tags"], unique=False, postgresql_using="gin"
    )


def _create_runs() -> None:
    op.create_table(
        "component_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("trace_id", sa.LargeBinary(), nullable=False),
        sa.Column("span_id", sa.LargeBinary(), nullable=False),
        sa.Column("parent_span_id", sa.LargeBinary(), nullable=True),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("error_type", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("partition", sa.Text(), nullable=True),
        sa.Column("staleness_threshold_s", sa.Double(), nullable=True),
        sa.Column("upstream", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "infers_dependencies", sa.Boolean(), server_default=sa.text("true"), nullable=False
        ),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_function", sa.Text(), nullable=True),
        sa.Column("code_file", sa.Text(), nullable=True),
        sa.Column("code_line", sa.Integer(), nullable=True),
        sa.Column("git_hash", sa.Text(), nullable=True),
        sa.Column("git_ref", sa.Text(), nullable=True),
        sa.Column("git_repository", sa.Text(), nullable=True),
        sa.Column("git_tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("git_dirty", sa.Boolean(), nullable=True),
        sa.Column(
            "resource", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="component_run_pkey"),
        sa.UniqueConstraint("span_id", "trace_id", name="component_run_span_id_trace_id_key"),
    )
    op.create_index(
        "component_run_component_idx",
        "component_run",
        ["component", "started_at", "id"],
        unique=False,
    )
    op.create_index(
        "component_run_started_at_idx", "component_run", ["started_at", "id"], unique=False
    )
    op.create_table(
        "test_result",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["component_run.id"], name="test_result_run_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name="test_result_pkey"),
    )


def _create_io() -> None:
    op.create_table(
        "io_pointer",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="io_pointer_pkey"),
    )
    op.create_table(
        "run_io",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("pointer_id", sa.BigInteger(), nullable=False),
        sa.Column("moment", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("labels", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("producer_trace_id", sa.LargeBinary(), nullable=True),
        sa.Column("producer_span_id", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["component_run.id"], name="run_io_run_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name="run_io_pkey"),
    )
    op.create_index(
        "run_io_digest_idx",
        "run_io",
        ["digest", "moment"],
        unique=False,
        postgresql_where=sa.text("direction = 'output' AND digest IS NOT NULL"),
    )
    op.create_index(
        "run_io_read_idx",
        "run_io",
        ["pointer_id", "moment"],
        unique=False,
        postgresql_where=sa.text("direction = 'input'"),
    )
    op.create_index(
        "run_io_written_idx",
        "run_io",
        ["pointer_id", "moment"],
        unique=False,
        postgresql_where=sa.text("direction = 'output'"),
    )


def _create_marks() -> None:
    op.create_table(
        "metric_total",
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("metric", "labels", name="metric_total_pkey"),
    )
    op.create_table(
        "flag",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pointer_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("flagged_by", sa.Text(), nullable=True),
        sa.Column(
            "flagged_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["component_run.id"], name="flag_run_id_fkey", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="flag_pkey"),
    )
    op.create_index(
        "flag_open_idx",
        "flag",
        ["pointer_id"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
