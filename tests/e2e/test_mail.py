"""Customers who write mail, between real processes: IMAP and SMTP on one side, the topic on the other."""

import signal
from typing import Any

import pytest

from app.demo_mail import ADDRESSES, DESK
from crm.texts import texts
from tests.e2e.world import TEAM, Case, Json, World, said

AIGERIM, IVAN, EMMA = ADDRESSES
PDF, PNG = b"%PDF-1.4 a contract", b"\x89PNG\r\n\x1a\n a screenshot" * 500


@pytest.fixture
async def world(world: World) -> World:
    await world.by_mail()
    return world


async def writes(world: World, words: str, subject: str = "Cabinet", sender: str = EMMA, **more: Any) -> Case:
    """A request by mail, once it stands in its topic."""
    asked = await world.sandbox.mail.send(sender, words, to=[DESK], subject=subject, **more)
    thread = (await world.topic(subject))["thread"]
    return Case(0, asked, thread, await world.in_group(words, thread=thread))


async def got(world: World, words: str, owner: str = EMMA, count: int = 1) -> Json:
    """The last mail to them with these words."""
    return (await world.sandbox.mail.wait(owner, containing=words, count=count, timeout=30))[-1]


async def answers(world: World, mail: Json, words: str, owner: str = EMMA) -> None:
    """By their mail program, to that mail."""
    await world.sandbox.mail.send(owner, words, reply_to=mail["id"])


async def with_media(world: World, thread: int, kind: str) -> Json:
    return await world.find(lambda m: kind in m, kind, world.group, world.lead, thread)


async def tickets(world: World) -> list[str]:
    return [row["status"] for row in await world.fetch("select status from ticket order by id")]


async def waits(world: World) -> None:
    """Until a mail was not taken for now."""

    async def look() -> Any:
        return await world.fetch("select 1 from outbox where channel = 'email' and state = 'queued' and attempts > 0")

    await world.until(look, "a mail that waits")


async def at_once(world: World) -> None:
    """What waits to be sent again by mail waits no longer."""
    await world.fetch("update outbox set due_at = now() where channel = 'email' and state = 'queued'")


async def test_from_the_first_mail_to_the_confirmation(world: World) -> None:
    await world.ready()
    sandbox, mail = world.sandbox, world.sandbox.mail
    files = [
        await sandbox.upload("Договор «А» 1.pdf", PDF, "application/pdf"),
        await sandbox.upload("screen.png", PNG, "image/png"),
    ]
    case = await writes(world, "I cannot log in to my cabinet", files=files)
    assert EMMA in said(case.copy)
    assert "Emma" in said(case.copy)
    contract = await with_media(world, case.thread, "document")
    assert (said(contract), contract["document"]["file_name"]) == ("✉️ Договор «А» 1.pdf", "Договор «А» 1.pdf")
    assert "screen.png" in said(await with_media(world, case.thread, "photo"))
    promised = await got(world, "is registered")
    assert promised["in_reply_to"] == case.asked["message_id"]

    # A note stays inside, a reply leaves with what is attached to it.
    await sandbox.say(world.engineer, world.group, "/note she forgot it", thread=case.thread)
    shot = await sandbox.upload("steps.png", PNG, "image/png")
    await sandbox.say(world.engineer, world.group, kind="photo", caption="Press here", file=shot, **case.reply)
    answer = await got(world, "Press here")
    assert answer["in_reply_to"] == case.asked["message_id"]
    assert promised["message_id"] in answer["references"]
    [token] = [one["address"] for one in answer["reply_to"]]
    assert token.startswith("support+pd-1001.")
    assert [(one["mime"], one["size"]) for one in answer["attachments"]] == [("image/jpeg", len(PNG))]

    await answers(world, answer, "Which button, the green one?")
    again = await world.in_group("Which button, the green one?", thread=case.thread)
    assert "Press here" not in said(again)
    manual = await sandbox.upload("manual.pdf", PDF, "application/pdf")
    place = {"thread": case.thread, "reply_to": again["message_id"]}
    await sandbox.say(world.engineer, world.group, kind="document", caption="It is all in here", file=manual, **place)
    assert [one["name"] for one in (await got(world, "It is all in here"))["attachments"]] == ["manual.pdf"]

    await world.settled()
    await world.press_card(world.engineer, case.thread, "Resolve")
    await answers(world, await got(world, "is solved"), "Yes, it works. Thank you!")
    await world.in_group("Yes, it works. Thank you!", thread=case.thread)
    await world.untroubled()
    assert await tickets(world) == ["closed"]
    mails = await mail.mails(EMMA)
    assert len({one["thread"] for one in mails}) == 1
    assert not any("she forgot it" in one["text"] for one in mails)


async def test_an_album_is_one_mail_whatever_of_it_can_be_had(world: World) -> None:
    await world.ready()
    case = await writes(world, "How do I renew a key?")
    huge = await world.sandbox.upload("film.mp4", b"\0" * (20 * 1024 * 1024 + 1), "video/mp4")
    items: list[Json] = [{"kind": "photo", "caption": "three steps"}, {"kind": "photo"}, {"kind": "photo"}]
    sent = await world.sandbox.album(world.engineer, world.group, items, **case.reply)
    await world.reaction(sent[0], "👌")
    items = [{"kind": "photo", "caption": "and a film"}, {"kind": "video", "file": huge}]
    await world.sandbox.album(world.engineer, world.group, items, **case.reply)
    await world.in_group("file is too big", thread=case.thread)
    await world.sandbox.say(world.engineer, world.group, kind="voice", **case.reply)
    await got(world, "", count=4)
    await world.settled()
    found = [one for one in await world.sandbox.mail.mails(EMMA, "INBOX") if one["attachments"]]
    assert [len(one["attachments"]) for one in found] == [3, 1, 1]
    assert ["steps" in found[0]["said"], "film" in found[1]["said"]] == [True, True]
    assert [one["name"] for one in found[2]["attachments"]] == ["voice.ogg"]
    # Words that have gone cannot be changed, whichever of the pictures had them.
    await world.sandbox.edit(world.engineer, world.group, sent[1]["message_id"], caption="a fourth")
    await world.in_group(texts(TEAM)("This answer has gone by mail and stays as it was; write again to correct it."))


async def test_what_the_server_refuses_is_said_and_what_it_defers_arrives(world: World) -> None:
    await world.ready()
    mail = world.sandbox.mail
    case = await writes(world, "Nothing arrives")
    await got(world, "is registered")
    await mail.fault("refuse", recipient=EMMA, text="5.7.1 we take nothing from you")
    refused = await world.answer(case, "the first answer")
    await world.reaction(refused, "💔")
    await world.in_group("we take nothing from you", thread=case.thread)
    await mail.fault("defer", recipient=EMMA)
    deferred = await world.answer(case, "the second answre")
    await waits(world)
    # What no server has taken can still be mended, or taken back.
    await world.sandbox.edit(world.engineer, world.group, deferred["message_id"], "the second answer")
    await world.settled()
    await at_once(world)
    await got(world, "the second answer")
    await world.reaction(deferred, "👌")
    await mail.fault("defer", recipient=EMMA)
    regretted = await world.answer(case, "the third answer")
    await waits(world)
    await world.sandbox.say(
        world.engineer, world.group, "/delete", thread=case.thread, reply_to=regretted["message_id"]
    )
    await world.settled()
    await at_once(world)
    await world.settled()
    stays = texts(TEAM)("This answer has gone by mail and stays as it was; write again to correct it.")
    assert stays not in [said(one)[3:] for one in await world.messages(world.group, world.lead, case.thread)]
    said_to_her = "".join(one["said"] for one in await mail.mails(EMMA, "INBOX"))
    assert "answre" not in said_to_her
    assert "the first answer" not in said_to_her
    assert "the third answer" not in said_to_her


async def test_answers_go_where_the_customer_wrote_last(world: World) -> None:
    await world.ready()
    sandbox = world.sandbox
    case = await writes(world, "My key has expired")
    customer = await world.customer()
    await sandbox.say(customer, world.bot, f"/email {EMMA}")
    letter = await got(world, "code")
    code = next(word for word in letter["text"].replace("\n", " ").split() if word.isdigit() and len(word) == 8)
    await world.in_chat(customer, EMMA)
    await sandbox.say(customer, world.bot, code)
    await world.settled()

    await sandbox.say(customer, world.bot, "It is urgent")
    there = await world.copy("It is urgent", case.thread)
    await world.answer(Case(customer, {}, case.thread, there), "renewed")
    await world.in_chat(customer, "renewed")
    await answers(world, await got(world, "is registered"), "Still expired, says my mail")
    there = await world.in_group("Still expired, says my mail", thread=case.thread)
    await world.answer(Case(customer, {}, case.thread, there), "now it is")
    await got(world, "now it is")
    await world.untroubled()
    assert "now it is" not in await world.words(customer)
    assert await tickets(world) == ["open"]


async def test_a_mail_from_nobody_is_put_aside_whole_and_a_programs_is_asked_about(world: World) -> None:
    desk = await world.ready()
    raw = "From: friends:;\r\nSubject: who\r\nMessage-ID: <n@x>\r\n\r\nwords of nobody\r\n"
    await world.sandbox.mail.send_raw(raw, [DESK])
    await desk.wait_line("inbox.quarantined")
    [item] = await world.fetch("select id from inbox where state = 'quarantined'")
    assert "words of nobody" in await world.command("inbox", "show", str(item["id"]), "--raw")
    await world.command("inbox", "dismiss", str(item["id"]))

    for name in ("forms", "monitor"):
        raw = f"From: {name}@site.kz\r\nAuto-Submitted: auto-generated\r\nSubject: {name}\r\n\r\nfrom {name}\r\n"
        await world.sandbox.mail.send_raw(raw, [DESK])

    async def both() -> Any:
        held = await world.fetch("select id from inbox where disposition = 'held' order by id")
        return held if len(held) == 2 else None

    items = await world.until(both, "two held mails")
    await world.fetch("update outbox set due_at = now() where dedupe_key like 'held:%'")
    told = await world.in_group("forms")
    assert "monitor" in said(told)
    for item in items:
        await world.press(world.engineer, world.group, await world.in_group("monitor"), str(item["id"]))
    await world.topic("forms")
    await world.topic("monitor")
    await world.untroubled()


INWARD = ("mail.before_commit", "mail.stored", "process.before_commit", "process.committed")
OUTWARD = {"mail.claimed": 1, "mail.called": 2, "mail.settled": 1}


@pytest.mark.parametrize("place", INWARD)
async def test_killed_while_a_mail_comes_in(world: World, place: str) -> None:
    first = await world.ready()
    await first.end(signal.SIGKILL)
    await world.leases_run_out()
    dying = await world.start_desk(ready=False, KEZEKSHI_FAILPOINT=place)
    await dying.wait_line("mail.connected")
    await world.sandbox.mail.send(EMMA, "the only one", to=[DESK], subject="Once")
    assert await dying.ended() == -signal.SIGKILL, "the place was never reached"
    await world.leases_run_out()

    await world.start_desk()
    thread = (await world.topic("Once"))["thread"]
    await world.in_group("the only one", thread=thread)
    await got(world, "is registered")
    await world.untroubled()
    assert await tickets(world) == ["new"]
    shown = [m for m in await world.messages(world.group, world.lead, thread) if "the only one" in said(m)]
    assert len(shown) == 1
    assert len(await world.sandbox.mail.wait(DESK, folder="Processed")) == 1
    assert await world.sandbox.mail.mails(DESK, "INBOX") == []


@pytest.mark.parametrize("place", OUTWARD)
async def test_killed_while_an_answer_goes_out(world: World, place: str) -> None:
    """At most one repeat, and the customer's program knows it as the same mail."""
    first = await world.ready()
    case = await writes(world, "Whose turn is it?")
    await got(world, "is registered")
    await world.settled()
    await first.end(signal.SIGKILL)
    await world.leases_run_out()
    dying = await world.start_desk(ready=False, KEZEKSHI_FAILPOINT=place)
    await dying.wait_line("receive.polling")
    reply = await world.answer(case, "the one answer")
    assert await dying.ended() == -signal.SIGKILL, "the place was never reached"
    await world.leases_run_out()

    await world.start_desk()
    await world.reaction(reply, "👌")
    await world.untroubled()
    found = [one for one in await world.sandbox.mail.mails(EMMA, "INBOX") if "the one answer" in one["said"]]
    assert len(found) == OUTWARD[place]
    assert len({one["message_id"] for one in found}) == 1
