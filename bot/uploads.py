"""Files that change the channel: what came by mail goes into the topic, what an engineer attached goes by mail."""

from datetime import datetime
from typing import Any

from bot.claim import Row
from bot.client import Outcome, Refused, Sent, Upload
from bot.delivery import NOTHING_TO_DO, Desk, Result, paired, target
from bot.mail_views import caption
from bot.views import Look
from crm.db import transaction
from crm.mail import recording
from crm.mail.letter import File
from crm.outbox import Outgoing, Priority

# Telegram takes larger pictures as documents only.
PHOTO_LIMIT = 10_000_000
_PHOTOS = ("image/jpeg", "image/png")
_FILE = """
    select filename, content_type, data from attachment where message_ref = $1 order by id offset $2 limit 1
"""
# What Telegram calls a file that has no name.
_NAMES = {
    "photo": ("photo.jpg", "image/jpeg"),
    "voice": ("voice.ogg", "audio/ogg"),
    "video": ("video.mp4", "video/mp4"),
    "video_note": ("video.mp4", "video/mp4"),
    "animation": ("animation.mp4", "video/mp4"),
    "audio": ("audio.mp3", "audio/mpeg"),
    "sticker": ("sticker.webp", "image/webp"),
}


async def upload(desk: Desk, row: Row, now: datetime) -> Result:
    """A file of a mail, or its whole text as one, into the topic."""
    file = await _file(desk, row)
    if file is None:
        return Result(NOTHING_TO_DO)
    chat_id, params = target(row)
    look = Look(desk.profile, desk.profile.team_language, now)
    photo = file.content_type in _PHOTOS and file.size <= PHOTO_LIMIT
    outcome = await _sent(desk, params, look, file, "photo" if photo else "document")
    if photo and isinstance(outcome, Refused) and outcome.migrate_to is None:
        # What Telegram cannot take for a picture is still a file.
        outcome = await _sent(desk, params, look, file, "document")
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return Result(outcome, [paired(desk, chat_id, outcome.result, "copy", row.ticket_id, row.message_id)])


async def _sent(desk: Desk, params: dict[str, Any], look: Look, file: File, kind: str) -> Any:
    method = {"photo": "sendPhoto", "document": "sendDocument"}[kind]
    made = {**params, "caption": caption(look, {"name": file.filename})}
    return await desk.client.call(method, made, files={kind: Upload(file.filename, file.content_type, file.data)})


async def _file(desk: Desk, row: Row) -> File | None:
    place = row.payload["file"]
    if place == "text":
        return File(f"{row.reference}.txt", "text/plain", ((row.content or {}).get("text", "")).encode())
    async with desk.sessions() as session:
        found = await session.rows(_FILE, row.message_id, place)
    return File(found[0]["filename"], found[0]["content_type"], found[0]["data"]) if found else None


async def fetch(desk: Desk, row: Row, now: datetime) -> Result:
    """An engineer's file is stored; then the mail that carries it may leave.

    Of an album one mail leaves, behind its last file, without those that could not be had.
    """
    content = row.content or {}
    fetched = await desk.client.download(content["file_id"])
    if isinstance(fetched, bytes):
        await _keep(desk, row, content, fetched)
        return Result(NOTHING_TO_DO, follow=await _mail(desk, row, NOTHING_TO_DO))
    return Result(fetched, follow=await _mail(desk, row, fetched))


async def _keep(desk: Desk, row: Row, content: dict[str, Any], fetched: bytes) -> None:
    name, kind = _NAMES.get(content["type"], ("file", "application/octet-stream"))
    file = File(content.get("file_name") or name, content.get("mime_type") or kind, fetched)
    async with transaction(desk.sessions) as session:
        await session.rows("delete from attachment where message_ref = $1", row.message_id)
        await recording.attach(session, row.message_id or 0, [file])


_ALBUM = """
    select exists (select from outbox o where o.lane = $1 and o.id > $2 and o.kind = 'fetch' and o.state = 'queued'
                   and o.payload -> 'then' ->> 'dedupe_key' = $3) as more,
           (select m.id from message m join attachment a on a.message_ref = m.id
            where m.ticket_id = $4 and m.album_id = $5 and m.relayed_at is null order by m.id limit 1) as kept
"""


async def _mail(desk: Desk, row: Row, outcome: Outcome) -> list[Outgoing]:
    """The mail, if all of its files that can be had are there."""
    message_id = row.message_id if isinstance(outcome, Sent) else None
    if row.album_id is not None and isinstance(outcome, Sent | Refused):
        key = row.payload["then"]["dedupe_key"]
        async with desk.sessions() as session:
            [album] = await session.rows(_ALBUM, row.lane, row.id, key, row.ticket_id, row.album_id)
        message_id = None if album["more"] else album["kept"]
    if message_id is None:
        return []
    then = {**row.payload["then"], "priority": Priority(row.payload["then"]["priority"])}
    return [Outgoing(**then, ticket_id=row.ticket_id, message_id=message_id)]
