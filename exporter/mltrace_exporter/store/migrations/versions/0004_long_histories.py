"""Indexes for long histories.

The read-only schema stands beside the revisions, see `store.views`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Let lineage, staleness and retention find their rows among millions."""
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
    op.create_index("flag_run_id_idx", "flag", ["run_id"])
