"""Distributions of outputs over all runs, for metrics."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Keep counts between bounds that never change; they begin with what arrives from now on."""
    op.create_table(
        "output_total",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("bounds", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("counts", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="output_total_pkey"),
    )
