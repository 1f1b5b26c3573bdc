"""A customer who writes faster than the group's limit admits: what waits travels together.

A forum group is one chat to Telegram's limit, so a flood in one topic would take the minute of all the others.
"""

from collections.abc import Sequence
from typing import Any

from bot.content import utf16
from crm.db import Session

# So many texts waiting in one lane are a flood; fewer are just somebody who writes in short lines.
FLOOD = 6
# Leaves room for the heading and for the mark of a repeat.
ROOM = 3800
GAP = 2

# Up to the first that is no text, or that quotes something else than the head does: one message has one quote.
_WAITING = """
    select lane, id, words from (
        select lane, id, words, bool_and(plain and alike) over (partition by lane order by id) as rides
        from (
            select o.lane, o.id, m.content ->> 'text' as words,
                   o.kind = 'relay' and o.payload ->> 'to' = 'topic' and m.content ->> 'type' = 'text'
                    and not m.content ? 'mail'
                   and m.deleted_at is null as plain,
                   o.repeats = first_value(o.repeats) over lane_so_far
                   and m.content ->> 'reply_to' is not distinct from first_value(m.content ->> 'reply_to')
                       over lane_so_far as alike,
                   row_number() over lane_so_far as place
            from outbox o left join message m on m.id = o.message_id
            where o.lane = any($1::text[]) and o.state = 'queued'
            window lane_so_far as (partition by o.lane order by o.id)) waiting
        where place <= 400) first
    where rides order by lane, id
"""


async def riders(session: Session, lanes: Sequence[str]) -> list[int]:
    """Rows that travel with the heads of these lanes: the texts right behind them, as many as one message holds."""
    if not lanes:
        return []
    waiting: dict[str, list[Any]] = {}
    for row in await session.rows(_WAITING, list(lanes)):
        waiting.setdefault(row["lane"], []).append(row)
    return [rider for rows in waiting.values() if len(rows) >= FLOOD for rider in _fitting(rows)]


def _fitting(rows: Sequence[Any]) -> list[int]:
    """Without the first, which is the head itself."""
    used, ids = utf16(rows[0]["words"]), []
    for row in rows[1:]:
        used += utf16(row["words"]) + GAP
        if used > ROOM:
            break
        ids.append(row["id"])
    return ids
