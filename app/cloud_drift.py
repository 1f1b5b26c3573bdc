"""`kezekshi cloud drift`: where the cloud allows something else than the desk has granted."""

from rich.table import Table

from app.boxes import console
from app.organizations import Desk, chosen, with_errors
from crm.cloud import drift as service


def drift(desk: Desk = None) -> None:
    """Quotas that are not as this desk set them: somebody changed them in the cloud itself."""
    place = chosen(desk)
    found = with_errors(lambda session: service.listing(session, place))
    table = Table("organization", "project", "resource", "granted", "in the cloud", "since (UTC)")
    for one in found:
        numbers = ("no limit" if number < 0 else str(number) for number in (one.granted, one.allowed))
        since = f"{one.drifted_at:%Y-%m-%d %H:%M}"
        table.add_row(one.organization or "–", one.project, one.resource, *numbers, since)
    console.print(table if found else "Quotas are as they were granted.")
