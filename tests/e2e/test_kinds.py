"""Everything that a person can send travels both ways, or is answered."""

from crm.texts import texts
from tests.e2e.world import Json, World

FILES = ("photo", "document", "voice", "video", "video_note", "sticker", "animation", "audio")
PLACES: dict[str, Json] = {
    "location": {"location": {"latitude": 43.24, "longitude": 76.91}},
    "contact": {"contact": {"phone_number": "+77010000000", "first_name": "Асель"}},
}


async def test_every_kind_both_ways(world: World) -> None:
    await world.ready()
    case = await world.case("all kinds of things")

    async def arrived(chat: int, viewer: int, thread: int | None) -> list[str]:
        found = [m for m in await world.messages(chat, viewer, thread) if m["from"]["id"] == world.bot]
        kinds = [kind for m in found for kind in (*FILES, *PLACES) if kind in m]
        # An animation is shown as a document too.
        for _ in range(kinds.count("animation")):
            kinds.remove("document")
        return sorted(kinds)

    everything = sorted((*FILES, *PLACES))
    for kind in (*FILES, *PLACES):
        await world.sandbox.say(case.customer, world.bot, kind=kind, **PLACES.get(kind, {}))

    async def inside() -> bool:
        return await arrived(world.group, world.lead, case.thread) == everything

    await world.until(inside, "every kind in the topic")
    await world.settled()
    sent = [
        await world.sandbox.say(world.engineer, world.group, kind=kind, **PLACES.get(kind, {}), **case.reply)
        for kind in (*FILES, *PLACES)
    ]

    async def outside() -> bool:
        return await arrived(world.bot, case.customer, None) == everything

    await world.until(outside, "every kind at the customer's")
    for message in sent:
        await world.reaction(message, "👌")
    await world.untroubled()


async def test_what_cannot_travel_is_answered(world: World) -> None:
    await world.ready()
    case = await world.case("shall we vote")
    poll: Json = {"kind": "poll", "poll": {"question": "Restart?", "options": ["yes", "no"]}}
    sent = await world.sandbox.say(case.customer, world.bot, **poll)
    answer = await world.in_chat(case.customer, "We cannot forward polls.")
    assert answer["reply_to_message"]["message_id"] == sent["message_id"]
    await world.in_group(
        texts("ru")("The customer sent something that cannot be forwarded and was told so"), thread=case.thread
    )
    await world.sandbox.say(world.engineer, world.group, **poll, **case.reply)
    await world.in_group(texts("ru")("We cannot forward polls."), thread=case.thread)
    await world.untroubled()
