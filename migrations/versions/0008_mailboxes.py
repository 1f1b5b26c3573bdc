"""What was ever taken out of a mailbox, and what of it is still lying there."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Outlives the inbox, which is pruned: 16 bytes a mail and its index, about 90 MB a million.
    op.execute("create table mail_seen (digest uuid primary key)")
    op.execute("""
        create table mailbox (
            source text not null,
            account text not null,
            uidvalidity bigint not null,
            unmoved int8multirange not null default '{}',
            staying int8multirange not null default '{}',
            entered_at timestamptz not null,
            primary key (source, account)
        )
    """)


def downgrade() -> None:
    op.execute("drop table mailbox")
    op.execute("drop table mail_seen")
