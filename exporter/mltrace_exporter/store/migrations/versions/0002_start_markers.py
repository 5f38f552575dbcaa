"""Runs that have not ended, pointers that came beside their runs, spans that cannot be stored."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let a run be stored before it ends, and make the tables for what cannot go with it."""
    op.alter_column("component_run", "ended_at", nullable=True)
    op.add_column("component_run", sa.Column("alive_at", postgresql.TIMESTAMP(timezone=True)))
    op.add_column("component_run", sa.Column("marked_by", sa.LargeBinary()))
    _create_io_part()
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _received_at(),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=True),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="dead_letter_pkey"),
        sa.UniqueConstraint("hash", name="dead_letter_hash_key"),
    )


def _create_io_part() -> None:
    op.create_table(
        "io_part",
        sa.Column("span_id", sa.LargeBinary(), nullable=False),
        sa.Column("trace_id", sa.LargeBinary(), nullable=False),
        sa.Column("parent_span_id", sa.LargeBinary(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("io", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        _received_at(),
        sa.ForeignKeyConstraint(
            ["run_id"], ["component_run.id"], name="io_part_run_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("span_id", "trace_id", name="io_part_pkey"),
    )
    op.create_index(
        "io_part_waiting_idx",
        "io_part",
        ["parent_span_id", "trace_id"],
        unique=False,
        postgresql_where=sa.text("run_id IS NULL"),
    )
    op.create_index("io_part_run_id_idx", "io_part", ["run_id"], unique=False)


def _received_at() -> sa.Column[object]:
    return sa.Column(
        "received_at",
        postgresql.TIMESTAMP(timezone=True),
        server_default=sa.text("now()"),
        nullable=False,
    )
