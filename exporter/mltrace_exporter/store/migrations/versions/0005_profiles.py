"""Profiles of what runs read and wrote, and their metrics."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Keep distributions of variables, and numbers, beside the runs that told them."""
    op.create_table(
        "profile",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("variable", sa.Text(), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("columns_left_out", sa.Integer(), nullable=False),
        sa.Column("columns", postgresql.JSON(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["component_run.id"], name="profile_run_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "direction", "variable", name="profile_pkey"),
    )
    op.create_table(
        "metric_value",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_output", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["component_run.id"], name="metric_value_run_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", "is_output", name="metric_value_pkey"),
    )
