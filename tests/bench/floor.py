"""The floor: a bare loop that writes the rows the desk writes, and sends. No features, no concurrency, no recovery.

    python -m tests.bench.floor DATABASE STAND_IN TOKEN GROUP one|all TOPICS

`one`: a single send for an update, into one of TOPICS topics made before. `all`: for a new person the same calls
as the desk's (topic, card, pin, copy, acknowledgement, rules).
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import uvloop

from tests.bench.stage import READY, connect

Json = dict[str, Any]

DESK = "prodata"
INBOX = """insert into inbox (source, external_key, lane, payload, received_at, due_at, state, attempts, settled_at,
           disposition) values ($1, $2, $3, $4, $5, $5, 'done', 1, $5, 'added')"""
PERSON = """with p as (insert into person (name, language, created_at) values ($1, 'ru', $2) returning id)
            insert into identity (person_id, desk, channel, address, created_at)
            select id, 'prodata', 'telegram', $3, $2 from p returning person_id"""
TICKET = """insert into ticket (desk, reference, queue, requester_id, channel, request_type, priority, status, subject,
            group_id, opened_at, updated_at)
            values ('prodata', 'PD-' || nextval('ticket_number'), 'support', $1, 'telegram', 'incident', 'normal',
            'new', $2, $3, $4, $4) returning id"""
TARGETS = """insert into sla_target (ticket_id, metric, round, terms_hash, started_at, budget, due_at, stage, next_at)
             values ($1, 'first_response', 1, 'floor', $2, 600, $3, 0, $3),
                    ($1, 'resolution', 1, 'floor', $2, 7200, $4, 0, $4)"""
MESSAGE = """with m as (insert into message (desk, ticket_id, requester_id, kind, author_kind, author_id, author_name,
             channel, content, sent_at) values ('prodata', $1, $2, 'public', 'requester', $2, $3, 'telegram', $4, $5)
             returning id)
             insert into telegram_message (desk, chat_id, message_id, ticket_id, message_ref, role)
             select 'prodata', $6, $7, $1, id, 'origin' from m returning message_ref"""
EVENT = """insert into ticket_event (ticket_id, at, actor_kind, actor_id, actor_name, channel, kind, data)
           values ($1, $2, 'requester', $3, $4, 'telegram', $5, $6)"""
OUTBOX = """insert into outbox (desk, channel, bucket, lane, kind, payload, ticket_id, message_id, priority, state,
            attempts, due_at, created_at)
            select 'prodata', 'telegram', 'prodata:group:1', 'ticket:' || $1::bigint, k, $3, $1, $2, 2, 'attempting', 1,
            $4, $4 from unnest($5::text[]) k returning id"""
SETTLE = """with done as (update outbox set state = 'sent', settled_at = $2 where id = any($1::bigint[]))
            insert into telegram_message (desk, chat_id, message_id, ticket_id, message_ref, role)
            values ('prodata', $3, $4, $5, $6, 'copy')"""
OPENED = ["topic.open", "card", "pin", "relay", "say", "say"]


class Floor:
    """One connection, one HTTP session, one update after the other."""

    def __init__(
        self, database: asyncpg.Connection, http: aiohttp.ClientSession, base: str, group: int, every_call: bool
    ) -> None:
        self._db = database
        self._http = http
        self._base = base
        self._group = group
        self._every_call = every_call
        self._desk_group = 0
        self._topics: list[int] = []
        # What the desk reads from the database for each message, the floor simply remembers.
        self._people: dict[int, tuple[int, int, int]] = {}

    async def prepare(self, topics: int) -> None:
        self._desk_group = await self._db.fetchval(
            """insert into desk_group (desk, chat_id, title, state, rights)
               values ('prodata', $1, 'bench', 'connected', '{}') returning id""",
            self._group,
        )
        await self._db.execute("insert into sla_terms values ('floor', '{}')")
        for number in range(topics):
            made = await self.call("createForumTopic", chat_id=self._group, name=f"PD-{number} · floor")
            self._topics.append(made["message_thread_id"])

    async def run(self) -> None:
        offset = 0
        while True:
            updates = await self.call(
                "getUpdates", offset=offset, timeout=25, limit=100, allowed_updates=["message", "edited_message"]
            )
            for update in updates:
                offset = update["update_id"] + 1
                message = update.get("message", {})
                if message.get("chat", {}).get("type") == "private":
                    await self._handle(update, message)

    async def _handle(self, update: Json, message: Json) -> None:
        chat = message["chat"]["id"]
        now = datetime.now(UTC)
        fresh = chat not in self._people
        async with self._db.transaction():
            payload = json.dumps(update, separators=(",", ":")).encode()
            key = str(update["update_id"])
            await self._db.execute(INBOX, f"telegram:{DESK}", key, f"{DESK}:{chat}", payload, now)
            person, ticket, thread = await self._open(message, now) if fresh else self._people[chat]
            content = json.dumps({"type": "text", "text": message["text"]})
            name, sent_at = message["from"]["first_name"], datetime.fromtimestamp(message["date"], UTC)
            ref = await self._db.fetchval(MESSAGE, ticket, person, name, content, sent_at, chat, message["message_id"])
            kind, facts = ("opened", {"subject": message["text"]}) if fresh else ("wrote", {"message": ref})
            await self._db.execute(EVENT, ticket, now, person, name, kind, json.dumps(facts))
            kinds = OPENED if fresh else ["relay"]
            rows = await self._db.fetch(OUTBOX, ticket, ref, json.dumps({"to": "topic", "album": None}), now, kinds)
        if fresh and self._every_call:
            thread = await self._open_topic(chat)
            self._people[chat] = (person, ticket, thread)
        sent = await self.call("sendMessage", chat_id=self._group, message_thread_id=thread, text=message["text"])
        ids = [row["id"] for row in rows]
        await self._db.execute(SETTLE, ids, now, self._group, sent["message_id"], ticket, ref)

    async def _open(self, message: Json, now: datetime) -> tuple[int, int, int]:
        chat, name = message["chat"]["id"], message["from"]["first_name"]
        person = await self._db.fetchval(PERSON, name, now, str(chat))
        ticket = await self._db.fetchval(TICKET, person, message["text"][:80], self._desk_group, now)
        await self._db.execute(TARGETS, ticket, now, now + timedelta(minutes=10), now + timedelta(hours=2))
        thread = self._topics[len(self._people) % len(self._topics)] if self._topics else 0
        self._people[chat] = (person, ticket, thread)
        return person, ticket, thread

    async def _open_topic(self, chat: int) -> int:
        """The other calls that the desk makes for a new ticket, in a bare form."""
        made = await self.call("createForumTopic", chat_id=self._group, name="PD-1 · floor")
        thread: int = made["message_thread_id"]
        card = await self.call("sendMessage", chat_id=self._group, message_thread_id=thread, text="card")
        await self.call("pinChatMessage", chat_id=self._group, message_id=card["message_id"])
        await self.call("sendMessage", chat_id=chat, text="acknowledged")
        await self.call("sendMessage", chat_id=chat, text="rules")
        return thread

    async def call(self, method: str, **params: Any) -> Any:
        async with self._http.post(f"{self._base}/{method}", json=params) as answer:
            body = await answer.json()
        if not body["ok"]:
            raise RuntimeError(f"{method}: {body['description']}")
        return body["result"]


async def main(database: str, base: str, token: str, group: str, calls: str, topics: str) -> None:
    connection = await connect(database)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        floor = Floor(connection, http, f"{base}/bot{token}", int(group), calls == "all")
        await floor.prepare(int(topics))
        print(READY, flush=True)
        await floor.run()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
