"""Messages with a file, and albums."""

from collections.abc import Callable
from typing import Final

from sandbox.telegram.entities import caption_fields
from sandbox.telegram.errors import bad
from sandbox.telegram.files import FILE_KINDS, file_for, media_content
from sandbox.telegram.methods.sending import refuse_parse_mode, send
from sandbox.telegram.model import Bot, Json
from sandbox.telegram.world import World

NO_CAPTION: Final = frozenset({"sticker", "video_note"})
ALBUM_KINDS: Final = frozenset({"photo", "video", "document", "audio"})


def media_fields(world: World, kind: str, params: Json, field: str) -> Json:
    """The content of a message with the file named by that parameter."""
    refuse_parse_mode(params)
    content = media_content(file_for(world, kind, params[field], params))
    if kind in NO_CAPTION:
        return content
    content |= caption_fields(params.get("caption"), params.get("caption_entities"))
    if params.get("has_spoiler"):
        content["has_media_spoiler"] = True
    if params.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    return content


def _sender(kind: str) -> Callable[[World, Bot, Json], Json]:
    def send_file(world: World, bot: Bot, params: Json) -> Json:
        world.room_for(bot, params["chat_id"])
        return send(world, bot, params, media_fields(world, kind, params, kind)).data

    return send_file


def _send_media_group(world: World, bot: Bot, params: Json) -> list[Json]:
    media: list[Json] = params["media"]
    check_album([item["type"] for item in media])
    world.room_for(bot, params["chat_id"])
    contents = [media_fields(world, item["type"], item, "media") for item in media]
    album = new_album(world)
    return [send(world, bot, params, content, album).data for content in contents]


def check_album(kinds: list[str]) -> None:
    """2–10 items; documents and audio only among their own kind."""
    if not kinds:
        raise bad("there are no messages to send")
    if not 2 <= len(kinds) <= 10:
        raise bad("media group must include 2-10 items" if len(kinds) < 2 else "too many messages to send as an album")
    if not ALBUM_KINDS.issuperset(kinds):
        raise bad("only photos, videos, documents and audio files can be sent as an album")
    if len(set(kinds)) > 1 and {"document", "audio"} & set(kinds):
        raise bad("document and audio can't be mixed with other media types")


def new_album(world: World) -> str:
    return str(world.count("albums", 13_000_000_000_001))


METHODS: dict[str, Callable[[World, Bot, Json], object]] = {
    **{"send" + kind.replace("_", " ").title().replace(" ", ""): _sender(kind) for kind in FILE_KINDS},
    "sendMediaGroup": _send_media_group,
}
