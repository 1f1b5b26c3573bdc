"""Supergroups in which engineers work: seen, connected, migrated, left."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from crm.changes import Changes
from crm.db import Session
from crm.outbox import Outgoing, group_bucket
from crm.tickets import outward
from crm.tickets.models import DeskGroup
from crm.tickets.status import REACHABLE


async def by_chat(session: Session, desk: str, chat_id: int) -> DeskGroup | None:
    found = await session.scalars(select(DeskGroup).where(DeskGroup.desk == desk, DeskGroup.chat_id == chat_id))
    return found.one_or_none()


async def current(session: Session, desk: str) -> int | None:
    """The group that new tickets go to; None while no group is connected."""
    found: int | None = await session.scalar(
        select(DeskGroup.id)
        .where(DeskGroup.desk == desk, DeskGroup.state == "connected")
        .order_by(DeskGroup.connected_at.desc())
        .limit(1)
    )
    return found


async def seen(session: Session, desk: str, chat_id: int, title: str, rights: dict[str, Any] | None) -> DeskGroup:
    """Remember a group that the bot is in, and what it may do there."""
    group = await by_chat(session, desk, chat_id)
    if group is None:
        group = DeskGroup(desk=desk, chat_id=chat_id, title=title, state="added", rights={})
        session.add(group)
    group.title = title
    if rights is not None:
        group.rights = rights
    if group.state == "left":
        group.state = "added"
    await session.flush()
    return group


async def connect(session: Session, desk: str, group: DeskGroup, now: datetime) -> int:
    """New tickets go to this group from now on; gives how many had waited for one."""
    group.state, group.connected_at = "connected", now
    await session.flush()
    lost = await session.scalars(select(DeskGroup.id).where(DeskGroup.desk == desk, DeskGroup.state == "left"))
    homeless = [None, *lost.all()]
    values = {
        "desk": desk,
        "group": group.id,
        "lost": [group_id for group_id in homeless if group_id is not None],
        "bucket": group_bucket(desk, group.id),
        "buckets": [group_bucket(desk, group_id) for group_id in homeless],
        "reachable": sorted(REACHABLE),
    }
    moved = await session.execute(
        text("""
            with old as (select id, group_id from ticket where desk = :desk and status = any(:reachable)
                         and (group_id is null or group_id = any(:lost)))
            update ticket t set group_id = :group, thread_id = null, card_message_id = null
            from old where old.id = t.id returning t.id, old.group_id as old_group
        """),
        values,
    )
    tickets = moved.all()
    await session.execute(
        text("""update outbox set bucket = :bucket
                where desk = :desk and bucket = any(:buckets) and state = 'queued' and kind <> 'board'"""),
        values,
    )
    outgoing = [outward.board(desk, group.id, now - outward.BOARD_PACE)]
    for ticket in tickets:
        if ticket.old_group is not None:
            outgoing += rebuild(desk, group.id, ticket.id)
    await Changes(outgoing=outgoing).write(session, desk, now)
    return len(tickets)


async def left(session: Session, group: DeskGroup) -> None:
    group.state = "left"


async def migrate(session: Session, desk: str, old_chat: int, new_chat: int, now: datetime) -> bool:
    """Follow a group to its new id, in one transaction.

    Ids of its messages and topics are void with the old one, so the topics of living tickets are built anew.
    False if it was followed before.
    """
    group = await by_chat(session, desk, old_chat)
    if group is None:
        return False
    twin = await by_chat(session, desk, new_chat)
    if twin is not None:
        # The bot's own entry into the new group may be told before the migration is.
        twin.chat_id = -twin.id
        twin.state = "left"
        await session.flush()
    group.chat_id, group.board_message_id = new_chat, None
    found = await session.execute(
        text("""
            update ticket set thread_id = null, card_message_id = null where group_id = :group
            returning id, status
        """),
        {"group": group.id},
    )
    outgoing: list[Outgoing] = []
    for row in found.all():
        if row.status in REACHABLE:
            outgoing += rebuild(desk, group.id, row.id)
    outgoing.append(outward.board(desk, group.id, now))
    await Changes(outgoing=outgoing).write(session, desk, now)
    return True


def rebuild(desk: str, group_id: int | None, ticket_id: int) -> list[Outgoing]:
    """A topic made anew: itself, its card, and the history so far."""
    digest = Outgoing(
        bucket=group_bucket(desk, group_id),
        lane=f"ticket:{ticket_id}",
        kind="digest",
        ticket_id=ticket_id,
        dedupe_key=f"digest:{ticket_id}",
    )
    return [*outward.open_topic(desk, group_id, ticket_id), digest]
