"""Rows that tell people about a ticket: builders of `Outgoing`, with the lanes and buckets they belong to.

`say` rows carry a notice's name and its facts; the words are chosen where the row is delivered.
"""

from datetime import datetime, timedelta
from typing import Any

from crm.outbox import Outgoing, Priority, chat_bucket, group_bucket

# On an engineer's message: it has arrived, it has not.
DELIVERED, UNDELIVERED = "👌", "💔"
# Albums come as separate updates without an end mark; this long after the last part they are taken as whole.
ALBUM_SETTLES = timedelta(seconds=1.5)
CARD_DEBOUNCE = timedelta(seconds=0.7)
BOARD_PACE = timedelta(seconds=20)


def _topic(desk: str, group_id: int | None, ticket_id: int, kind: str, **more: Any) -> Outgoing:
    return Outgoing(
        bucket=group_bucket(desk, group_id),
        lane=f"ticket:{ticket_id}",
        kind=kind,
        ticket_id=ticket_id,
        **more,
    )


def open_topic(desk: str, group_id: int | None, ticket_id: int) -> list[Outgoing]:
    """The topic, then its card, in one lane: nothing else of the ticket can be seen before them."""
    return [
        _topic(desk, group_id, ticket_id, "topic.open", dedupe_key=f"topic:{ticket_id}"),
        # It is pinned in the same go.
        _topic(desk, group_id, ticket_id, "card", dedupe_key=f"card:{ticket_id}", cost=2),
    ]


def card(desk: str, group_id: int | None, ticket_id: int, now: datetime) -> Outgoing:
    return Outgoing(
        bucket=group_bucket(desk, group_id),
        lane=f"card:{ticket_id}",
        kind="card",
        ticket_id=ticket_id,
        dedupe_key=f"card:{ticket_id}",
        priority=Priority.CARD,
        due_at=now + CARD_DEBOUNCE,
    )


def board(desk: str, group_id: int | None, now: datetime) -> Outgoing:
    return Outgoing(
        bucket=group_bucket(desk, group_id),
        lane=f"board:{desk}:{group_id or 'none'}",
        kind="board",
        payload={"group": group_id},
        dedupe_key=f"board:{desk}:{group_id or 'none'}",
        priority=Priority.BOARD,
        due_at=now + BOARD_PACE,
    )


def shown(desk: str, group_id: int | None, ticket_id: int, now: datetime) -> list[Outgoing]:
    """What has to be drawn again after a ticket changed."""
    return [card(desk, group_id, ticket_id, now), board(desk, group_id, now)]


def topic_state(desk: str, group_id: int | None, ticket_id: int) -> Outgoing:
    """The topic is closed with its ticket, and opened again with it."""
    return Outgoing(
        bucket=group_bucket(desk, group_id),
        lane=f"card:{ticket_id}",
        kind="topic.state",
        ticket_id=ticket_id,
        dedupe_key=f"topic.state:{ticket_id}",
        priority=Priority.CARD,
    )


def alarm(desk: str, group_id: int | None, notice: str, **facts: Any) -> Outgoing:
    """A notice to the engineers in General."""
    return Outgoing(
        bucket=group_bucket(desk, group_id),
        lane=f"alarm:{desk}",
        kind="alarm",
        payload={"notice": notice, "facts": facts},
        priority=Priority.WARNING,
    )


def say_in_topic(
    desk: str,
    group_id: int | None,
    ticket_id: int,
    notice: str,
    priority: Priority = Priority.WARNING,
    **facts: Any,
) -> Outgoing:
    return _topic(
        desk,
        group_id,
        ticket_id,
        "say",
        payload={"to": "topic", "notice": notice, "facts": facts},
        priority=priority,
    )


def say_to_requester(
    desk: str, chat_id: int, language: str, ticket_id: int | None, notice: str, **facts: Any
) -> Outgoing:
    return Outgoing(
        bucket=chat_bucket(desk, chat_id),
        lane=chat_bucket(desk, chat_id),
        kind="say",
        payload={"to": "requester", "chat": chat_id, "language": language, "notice": notice, "facts": facts},
        ticket_id=ticket_id,
        priority=Priority.REPLY,
    )


def react(desk: str, group_id: int | None, ticket_id: int | None, chat: int, message: int, emoji: str) -> Outgoing:
    """A mark on an engineer's own message: what has become of it."""
    return Outgoing(
        bucket=group_bucket(desk, group_id),
        lane=f"react:{chat}:{message}",
        kind="react",
        payload={"chat": chat, "message": message, "emoji": emoji},
        ticket_id=ticket_id,
        priority=Priority.REACTION,
    )


def relay_to_topic(
    desk: str, group_id: int | None, ticket_id: int, message_id: int, album: str | None, now: datetime
) -> Outgoing:
    return _topic(
        desk,
        group_id,
        ticket_id,
        "relay",
        payload={"to": "topic", "album": album},
        message_id=message_id,
        dedupe_key=f"album:{ticket_id}:{album}" if album else None,
        due_at=now + ALBUM_SETTLES if album else None,
    )


def relay_to_requester(
    desk: str, chat_id: int, ticket_id: int, message_id: int, album: str | None, language: str, now: datetime
) -> Outgoing:
    return Outgoing(
        bucket=chat_bucket(desk, chat_id),
        lane=chat_bucket(desk, chat_id),
        kind="relay",
        payload={"to": "requester", "chat": chat_id, "language": language, "album": album},
        ticket_id=ticket_id,
        message_id=message_id,
        dedupe_key=f"album:{ticket_id}:{album}" if album else None,
        priority=Priority.REPLY,
        due_at=now + ALBUM_SETTLES if album else None,
    )
