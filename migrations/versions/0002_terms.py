"""Promises keep the terms on which they were made: calendar, what stops the clock, steps; and have rounds."""

from alembic import op

from crm.sla.calendar import ALWAYS
from crm.sla.policy import ENDINGS, USUAL_STEPS, Terms

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create table sla_terms (hash text primary key, body jsonb not null)")
    op.execute("alter table sla_target add column round smallint not null default 1")
    op.execute("alter table sla_target add column terms_hash text references sla_terms")
    _keep_what_was_promised()
    op.execute("alter table sla_target alter column terms_hash set not null, alter column round drop default")
    op.execute("alter table sla_target drop constraint sla_target_ticket_id_metric_key")
    op.execute("alter table sla_target add unique (ticket_id, metric, round)")
    op.execute("alter table sla_target drop constraint sla_target_metric_check")
    op.execute("""alter table sla_target add check (metric in
                  ('first_response', 'next_response', 'resolution', 'inform'))""")


def _keep_what_was_promised() -> None:
    """Around the clock, stopped by any wait, warned of at half and four fifths: so it was until now."""
    import json

    from sqlalchemy import text

    terms = Terms(ALWAYS, frozenset({"pending", "on_hold", "maintenance"}) | ENDINGS, "resume", USUAL_STEPS)
    values = {"hash": terms.hash, "body": json.dumps(terms.body())}
    op.get_bind().execute(
        text("insert into sla_terms select :hash, cast(:body as jsonb) where exists (select from sla_target)"), values
    )
    op.get_bind().execute(text("update sla_target set terms_hash = :hash"), values)


def downgrade() -> None:
    op.execute("delete from sla_target where metric in ('next_response', 'inform') or round > 1")
    op.execute("alter table sla_target drop constraint sla_target_metric_check")
    op.execute("alter table sla_target add check (metric in ('first_response', 'resolution'))")
    op.execute("alter table sla_target drop column terms_hash, drop column round")
    op.execute("alter table sla_target add unique (ticket_id, metric)")
    op.execute("drop table sla_terms")
