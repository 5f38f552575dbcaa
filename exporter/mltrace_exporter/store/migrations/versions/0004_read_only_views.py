"""Indexes for long histories, and the role that dashboards read with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create what questions about a million runs need."""
    _create_indexes()


def _create_indexes() -> None:
    op.create_index(
        "run_io_content_idx",
        "run_io",
        ["digest", "pointer_id", "moment"],
        postgresql_where=sa.text("direction = 'output' AND digest IS NOT NULL"),
    )
    op.create_index(
        "component_run_kin_idx",
        "component_run",
        ["component", sa.text("left(coalesce(partition, ''), 200)"), "started_at", "id"],
    )
