"""What people say: notes with author and time, tags, severity; and indexes for their questions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Keep every note, what people told of components, and find both."""
    _create_notes()
    for name in ("said_tags", "added_tags"):
        op.add_column(
            "component",
            sa.Column(name, postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        )
    op.execute("UPDATE component SET said_tags = tags")
    op.add_column("flag", sa.Column("severity", sa.Text(), nullable=True))
    op.create_index("flag_pointer_idx", "flag", ["pointer_id", "id"])
    _index_filters()
    _index_readers()
    _index_names()


def _create_notes() -> None:
    op.create_table(
        "run_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column(
            "noted_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["component_run.id"], name="run_note_run_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="run_note_pkey"),
    )
    op.create_index("run_note_run_id_idx", "run_note", ["run_id", "id"])
    op.create_index(
        "run_note_text_idx",
        "run_note",
        [sa.text("to_tsvector('simple', left(text, 20000))")],
        postgresql_using="gin",
    )
    op.create_index(
        "component_run_notes_idx",
        "component_run",
        [sa.text("to_tsvector('simple', left(notes, 20000))")],
        postgresql_using="gin",
        postgresql_where=sa.text("notes IS NOT NULL"),
    )


def _index_filters() -> None:
    op.create_index(
        "component_run_not_ok_idx",
        "component_run",
        ["started_at", "id"],
        postgresql_where=sa.text("execution <> 'ok'"),
    )
    op.create_index(
        "component_run_partition_idx",
        "component_run",
        [sa.text("left(partition, 200)"), "started_at", "id"],
        postgresql_where=sa.text("partition IS NOT NULL"),
    )
    op.create_index(
        "test_result_failed_idx",
        "test_result",
        ["run_id"],
        postgresql_where=sa.text("status <> 'pass'"),
    )


def _index_readers() -> None:
    op.create_index(
        "component_run_declared_idx",
        "component_run",
        ["started_at"],
        postgresql_where=sa.text("upstream <> '{}'::text[]"),
    )
    op.create_index(
        "run_io_read_digest_idx",
        "run_io",
        ["digest", "moment"],
        postgresql_where=sa.text("direction = 'input' AND digest IS NOT NULL"),
    )
    op.create_index(
        "run_io_linked_idx",
        "run_io",
        ["producer_span_id"],
        postgresql_where=sa.text("producer_span_id IS NOT NULL"),
    )


def _index_names() -> None:
    op.create_index(
        "io_pointer_name_idx", "io_pointer", [sa.text('lower(left(name COLLATE "C", 200))')]
    )
    op.create_index(
        "io_pointer_last_part_idx",
        "io_pointer",
        [sa.text("lower(left(split_part(name COLLATE \"C\", '/', -1), 200))")],
    )
