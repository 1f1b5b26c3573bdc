"""sendMessage and what else needs no file: contact, location, venue, poll, dice."""

import random
from typing import Final

from sandbox.telegram.entities import text_fields
from sandbox.telegram.errors import bad
from sandbox.telegram.keyboards import inline_part, show_reply_keyboard
from sandbox.telegram.model import Bot, Json, Message
from sandbox.telegram.posting import Draft, post
from sandbox.telegram.replies import placed
from sandbox.telegram.world import World

DICE: Final = {"🎲": 6, "🎯": 6, "🏀": 5, "⚽": 5, "🎳": 6, "🎰": 64}


def refuse_parse_mode(params: Json, name: str = "parse_mode") -> None:
    """Entities only: parsing markup here would be a second, doubtful reading of it."""
    if params.get(name):
        raise bad(f"can't parse entities: the sandbox takes entities, not {name}")


def send(world: World, bot: Bot, params: Json, content: Json, album: str | None = None) -> Message:
    """Put a bot's message where the parameters say."""
    room = world.room_for(bot, params["chat_id"])
    thread, reply = placed(world, bot, room, params)
    markup = params.get("reply_markup")
    inline = inline_part(room, markup)
    if inline is not None:
        content = {**content, "reply_markup": inline}
    protect = bool(params.get("protect_content"))
    message = post(world, room, Draft(bot.data, content, thread, reply, album=album, protect=protect))
    show_reply_keyboard(world, room, markup)
    return message


def text_content(params: Json) -> Json:
    refuse_parse_mode(params)
    content = text_fields(params["text"], params.get("entities"))
    if params.get("link_preview_options"):
        content["link_preview_options"] = params["link_preview_options"]
    return content


def _send_message(world: World, bot: Bot, params: Json) -> Json:
    return send(world, bot, params, text_content(params)).data


def _picked(params: Json, *names: str) -> Json:
    return {name: params[name] for name in names if params.get(name) is not None}


def contact_content(params: Json) -> Json:
    if not params["phone_number"] or not params["first_name"]:
        raise bad("contact phone number and first name must be non-empty")
    return {"contact": _picked(params, "phone_number", "first_name", "last_name", "user_id", "vcard")}


def location_content(params: Json) -> Json:
    if not (-90 <= params["latitude"] <= 90 and -180 <= params["longitude"] <= 180):
        raise bad("wrong location specified")
    return {"location": _picked(params, "latitude", "longitude", "horizontal_accuracy", "live_period")}


def venue_content(params: Json) -> Json:
    place = location_content(params)
    extra = _picked(params, "foursquare_id", "foursquare_type", "google_place_id", "google_place_type")
    return {"venue": {**place, "title": params["title"], "address": params["address"], **extra}, **place}


def poll_content(world: World, params: Json) -> Json:
    """A poll nobody has voted in."""
    options = [option if isinstance(option, str) else option["text"] for option in params["options"]]
    if not 1 <= len(options) <= 12:
        raise bad("poll must have at least 1 option" if not options else "poll can't have more than 12 options")
    if not params["question"]:
        raise bad("poll question must be non-empty")
    listed = [{"persistent_id": str(at), "text": text, "voter_count": 0} for at, text in enumerate(options, start=1)]
    poll: Json = {
        "id": str(world.count("polls", 5_000_001)),
        "question": params["question"],
        "options": listed,
        "total_voter_count": 0,
        "is_closed": bool(params.get("is_closed")),
        "is_anonymous": params.get("is_anonymous", True),
        "type": params.get("type", "regular"),
        "allows_multiple_answers": bool(params.get("allows_multiple_answers")),
        "allows_revoting": bool(params.get("allows_revoting")),
        "members_only": bool(params.get("members_only")),
    }
    return {"poll": poll}


def dice_content(params: Json) -> Json:
    emoji = params.get("emoji", "🎲")
    if emoji not in DICE:
        raise bad("dice emoji is invalid")
    return {"dice": {"emoji": emoji, "value": random.randint(1, DICE[emoji])}}


def _send_poll(world: World, bot: Bot, params: Json) -> Json:
    for name in ("question_parse_mode", "explanation_parse_mode", "description_parse_mode"):
        refuse_parse_mode(params, name)
    return send(world, bot, params, poll_content(world, params)).data


METHODS = {
    "sendMessage": _send_message,
    "sendContact": lambda world, bot, params: send(world, bot, params, contact_content(params)).data,
    "sendLocation": lambda world, bot, params: send(world, bot, params, location_content(params)).data,
    "sendVenue": lambda world, bot, params: send(world, bot, params, venue_content(params)).data,
    "sendDice": lambda world, bot, params: send(world, bot, params, dice_content(params)).data,
    "sendPoll": _send_poll,
}
