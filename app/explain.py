"""What `kezekshi sla explain` prints: every interval of every promise of a ticket, and the sum."""

from datetime import datetime

from rich.table import Table

from app.boxes import console
from bot import why_views
from bot.views import Look
from crm.db import Session
from crm.desks import Language, load_profile
from crm.sla import accounts
from crm.sla.explain import Account
from crm.tickets import queries


async def gather(
    session: Session, reference: str, language: Language, now: datetime
) -> tuple[Look, list[Account]] | None:
    one = await queries.by_reference(session, reference)
    if one is None:
        return None
    return Look(load_profile(one.desk), language, now), await accounts.of_ticket(session, one.id, now)


def show(look: Look, account: Account) -> None:
    t = look.t
    table = Table(t("when"), t("what"), t("how long"))
    for interval in account.past:
        table.add_row(*why_views.row(look, interval))
    if account.ahead:
        table.add_row("", t("– now –"), "", style="dim")
    for interval in account.ahead:
        table.add_row(*why_views.row(look, interval))
    console.print(why_views.heading(look, account), style="bold")
    console.print(table)
    console.print(why_views.summing(look, account) + "\n")
