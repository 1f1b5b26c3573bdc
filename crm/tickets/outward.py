"""Rows that tell people about a ticket: builders of `Outgoing`, with the lanes and buckets they belong to.

`say` rows carry a notice's name and its facts; the words are chosen where the row is delivered.
"""

from datetime import datetime, timedelta
from typing import Any

from crm.mail.shown import dealt
from crm.outbox import Outgoing, Priority, chat_bucket, group_bucket, mail_bucket, mail_lane
from crm.people.reach import Reach

# On an engineer's message: it has arrived, it has not.
DELIVERED, UNDELIVERED = "👌", "💔"
# Albums come as separate updates without an end mark; this long after the last part they are taken as whole.
ALBUM_SETTLES = timedelta(seconds=1.5)
# More files of one mail give way to what others write: the group takes twenty messages a minute.
PROMPT_FILES = 10
# A picture inside of a text that is smaller, in bytes, is decoration.
DECORATION = 8_000
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


def _to_requester(desk: str, reach: Reach, kind: str, ticket_id: int | None, payload: Any, **more: Any) -> Outgoing:
    """A private chat is a lane of its own; of mail, each ticket's is: a thread keeps order."""
    told = {"to": "requester", "language": reach.language, **payload}
    if reach.channel == "email":
        bucket, lane = mail_bucket(desk), mail_lane(desk, ticket_id)
        told |= {"address": reach.address, "name": reach.name}
    else:
        bucket = lane = chat_bucket(desk, reach.chat_id)
        told |= {"chat": reach.chat_id}
    return Outgoing(
        bucket=bucket,
        lane=lane,
        kind=kind,
        payload=told,
        ticket_id=ticket_id,
        priority=Priority.REPLY,
        channel=reach.channel,
        **more,
    )


def say_to_requester(desk: str, reach: Reach, ticket_id: int | None, notice: str, **facts: Any) -> Outgoing:
    return _to_requester(desk, reach, "say", ticket_id, {"notice": notice, "facts": facts})


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
    desk: str,
    group_id: int | None,
    ticket_id: int,
    message_id: int,
    content: dict[str, Any],
    album: str | None,
    now: datetime,
) -> list[Outgoing]:
    """What a requester wrote. A mail may need several messages: the parts of its text, then its files."""

    def row(kind: str, priority: Priority = Priority.TOPIC, **payload: Any) -> Outgoing:
        return _topic(
            desk,
            group_id,
            ticket_id,
            kind,
            payload={"to": "topic", **payload},
            priority=priority,
            message_id=message_id,
            dedupe_key=f"album:{ticket_id}:{album}" if album else None,
            due_at=now + ALBUM_SETTLES if album else None,
        )

    if "mail" not in content:
        return [row("relay", album=album)]
    pieces, whole = dealt(content["text"])
    shown = [place for place, file in enumerate(content.get("files", ())) if worth_showing(file)]
    files = [
        row("upload", Priority.TOPIC if number < PROMPT_FILES else Priority.REACTION, file=place)
        for number, place in enumerate(shown)
    ]
    parts = [row("relay", album=None, part=place) for place in range(len(pieces))]
    return [*parts, *([row("upload", file="text")] if whole else []), *files]


def worth_showing(file: dict[str, Any]) -> bool:
    """Small pictures inside of a mail are logos and lines of signatures."""
    return not file["inline"] or int(file["size"]) >= DECORATION


def relay_to_requester(
    desk: str,
    reach: Reach,
    ticket_id: int,
    message_id: int,
    content: dict[str, Any],
    album: str | None,
    now: datetime,
) -> Outgoing:
    """An agent's public reply. A file that is to go by mail has to be fetched from Telegram first."""
    key = f"album:{ticket_id}:{album}:{reach.channel}" if album else None
    if reach.channel == "telegram":
        due = now + ALBUM_SETTLES if album else None
        payload: dict[str, Any] = {"album": album}
        return _to_requester(
            desk, reach, "relay", ticket_id, payload, message_id=message_id, dedupe_key=key, due_at=due
        )
    payload = {"album": album, "cc": list(reach.copies)}
    mail = _to_requester(desk, reach, "relay", ticket_id, payload, message_id=message_id, dedupe_key=key)
    if "file_id" not in content:
        return mail
    # An album leaves with the last of its files (bot/uploads.py).
    then = {name: getattr(mail, name) for name in ("bucket", "lane", "kind", "payload", "dedupe_key", "channel")}
    return Outgoing(
        bucket=f"{desk}:files",
        lane=f"{desk}:files:{ticket_id}",
        kind="fetch",
        payload={"then": {**then, "priority": int(mail.priority)}},
        ticket_id=ticket_id,
        message_id=message_id,
        priority=Priority.REPLY,
        due_at=now + ALBUM_SETTLES if album else None,
    )
