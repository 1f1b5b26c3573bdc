"""The sweep of a cloud: when each part of it was looked at, since when it is away, which drift was told."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# tried_at: the last sweep, good or bad; away_at: since when it gives no answer; told_at: the engineers know.
STATE = ("tried_at", "projects_at", "looked_at", "away_at", "told_at")


def upgrade() -> None:
    columns = ", ".join(f"add column {name} timestamptz" for name in STATE)
    op.execute(f"alter table cloud_state {columns}")
    # Null: the machine has changed since its log was read.
    op.execute("alter table vm add column logged_at timestamptz")
    op.execute("create index vm_unread on vm (desk, project_id) where logged_at is null and deleted_at is null")
    # What the cloud allowed when the difference was told.
    op.execute("alter table cloud_quota add column drifted_to bigint")


def downgrade() -> None:
    op.execute("alter table cloud_quota drop column drifted_to")
    op.execute("alter table vm drop column logged_at")
    op.execute(f"alter table cloud_state {', '.join(f'drop column {name}' for name in STATE)}")
