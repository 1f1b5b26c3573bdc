"""Trials: what one is granted once for has a row of its own, so that a person may have several addresses."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ONCE = ("person_id", "organization_id", "phone", "domain")


def upgrade() -> None:
    for column in ONCE:
        op.execute(f"drop index trial_{column}")
    op.execute("""
        alter table trial drop column domain,
            add column organization text,
            add column phone_verified boolean not null default false,
            add column opened_at timestamptz""")
    op.execute("create index trial_opened on trial (desk) where state = 'opened'")
    op.execute("""
        create table trial_claim (
            desk text not null,
            kind text not null check (kind in ('organization', 'person', 'phone', 'domain')),
            value text not null,
            trial_id bigint not null references trial,
            primary key (desk, kind, value)
        )""")
    op.execute("create index trial_claim_trial on trial_claim (trial_id)")


def downgrade() -> None:
    op.execute("drop table trial_claim")
    op.execute("drop index trial_opened")
    op.execute("""
        alter table trial drop column opened_at, drop column phone_verified, drop column organization,
            add column domain text""")
    for column in ONCE:
        op.execute(f"create unique index trial_{column} on trial (desk, {column}) where state <> 'refused'")
