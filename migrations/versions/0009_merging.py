"""Tickets that are merged into another of the same requester."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table ticket
        add column merged_into_id bigint references ticket,
        add check (merged_into_id is null or status = 'closed' and merged_into_id <> id)
    """)
    op.execute("create index ticket_merged on ticket (merged_into_id) where merged_into_id is not null")


def downgrade() -> None:
    op.execute("alter table ticket drop column merged_into_id")
