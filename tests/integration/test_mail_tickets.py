"""What a mail becomes: ticket, message, notice or a line in the record; from a letter that has been read."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from crm.db import Sessions, transaction
from crm.desks import Profile, load_profile
from crm.mail import glance, service, tokens
from crm.mail.letter import Address, Authentication, Bounce, File, Letter
from crm.mail.service import Choice, Door
from crm.people import organizations
from crm.people import service as people
from crm.tickets import service as tickets
from crm.tickets import work
from crm.tickets.written import Origin, Written
from tests.factories import PROFILE, Moment, connected, engineer, one, rows

CUSTOMER, COLLEAGUE, STRANGER = "aigerim@firma.kz", "erlan@firma.kz", "thief@example.com"
OWN = "support@prodata.kz"
_numbers = itertools.count(1)
PROVEN = Authentication("mx.prodata.kz", dmarc="pass", verified=True)
FORGED = Authentication("mx.prodata.kz", dmarc="fail", failed=True)


def letter(words: str = "Не открывается кабинет", sender: str = CUSTOMER, number: str = "1", **more: Any) -> Letter:
    made: dict[str, Any] = {
        "senders": (Address(sender, "Айгерім"),),
        "subject": "Кабинет",
        "text": words,
        "reply_text": words,
        "to": (Address(OWN),),
        "message_id": f"{number}@firma.kz",
    }
    return Letter(**(made | more))


@dataclass
class Post:
    sessions: Sessions
    key: bytes
    clock: Moment = field(default_factory=Moment)
    border: bool = False
    profile: Profile = PROFILE

    async def take(self, mail: Letter, choice: Choice | None = None, queue: str = "support") -> str:
        door = Door(self.profile, self.key, queue, frozenset({OWN}), self.border)
        async with transaction(self.sessions) as session:
            return await service.take(session, door, mail, choice, 7, self.clock())

    async def fetch(self, query: str, **values: Any) -> list[Any]:
        async with self.sessions() as session:
            return await rows(session, query, **values)

    async def notices(self) -> list[Any]:
        found = await self.fetch("select channel, payload from outbox where kind in ('say', 'alarm') order by id")
        return [(row.channel, row.payload["notice"]) for row in found]

    async def ticket(self) -> Any:
        async with self.sessions() as session:
            return await one(session, "select * from ticket")

    async def answer(self, words: str = "Проверьте", kind: str = "public") -> None:
        """An engineer answers in the topic; the mail has left."""
        async with transaction(self.sessions) as session:
            agent = await engineer(session)
            ticket = await one(session, "select id from ticket order by id limit 1")
            written = Written({"type": "text", "text": words}, self.clock(), Origin(-1, next(_numbers)))
            await work.write(session, self.profile, agent, ticket.id, kind, written, self.clock())

    async def sent(self, message_id: str, address: str = CUSTOMER) -> None:
        """A mail of the first ticket has gone out."""
        async with transaction(self.sessions) as session:
            await rows(
                session,
                """insert into mail_message (desk, direction, message_id, address, subject, nature, ticket_id, at)
                   select desk, 'out', :id, :address, '', 'own', id, now() from ticket order by id limit 1
                   returning 1""",
                id=message_id,
                address=address,
            )


@pytest.fixture
async def post(sessions: Sessions) -> AsyncIterator[Post]:
    async with transaction(sessions) as session:
        await connected(session)
        yield Post(sessions, await service.mail_key(session))


async def test_a_mail_opens_a_ticket_and_is_acknowledged_by_mail(post: Post) -> None:
    assert await post.take(letter()) == "opened"
    ticket = await post.ticket()
    assert (ticket.channel, ticket.subject, ticket.queue) == ("email", "Кабинет", "support")
    [said] = await post.fetch("select * from outbox where kind = 'say'")
    assert (said.channel, said.payload["notice"], said.payload["address"]) == ("email", "acknowledged", CUSTOMER)
    # By mail a day, not ten minutes (prodata 5.3).
    [target] = await post.fetch("select budget from sla_target where metric = 'first_response'")
    assert target.budget == 1440 * 60
    [kept] = await post.fetch("select * from mail_message")
    assert (kept.ticket_id, kept.message_id, kept.nature) == (ticket.id, "1@firma.kz", "request")


async def test_the_same_mail_again_changes_nothing(post: Post) -> None:
    assert await post.take(letter()) == "opened"
    assert await post.take(letter()) == "duplicate"
    # A client that numbers badly is no reason to lose what was written.
    assert await post.take(letter("Другое")) == "opened"
    assert len(await post.fetch("select 1 from ticket")) == 2


async def test_mails_without_an_id_are_not_taken_for_one_another(post: Post) -> None:
    """The very same bytes are known by the inbox; here it may be somebody who asks twice."""
    assert await post.take(letter(message_id=None)) == "opened"
    assert await post.take(letter(message_id=None)) == "opened"


async def test_a_mail_of_ours_that_comes_round_is_no_request(post: Post) -> None:
    await post.take(letter())
    await post.sent("pd.1@prodata.kz")
    assert await post.take(letter(sender=STRANGER, message_id="pd.1@prodata.kz")) == "own"


async def test_a_reply_goes_to_its_ticket_by_what_it_replies_to(post: Post) -> None:
    await post.take(letter())
    await post.answer()
    await post.sent("pd.1@prodata.kz")
    assert await post.take(letter("Спасибо, а что теперь?", number="2", in_reply_to="pd.1@prodata.kz")) == "added"
    assert await post.take(letter("И ещё", number="3", references=("0@x", "1@firma.kz", "9@y"))) == "added"
    assert len(await post.fetch("select 1 from ticket")) == 1


async def test_a_right_token_in_subject_or_address_is_enough(post: Post) -> None:
    await post.take(letter())
    reference = (await post.ticket()).reference
    tag = tokens.tag(post.key, reference)
    assert await post.take(letter("а", number="2", subject=f"Re: [{tag.upper()}] Кабинет")) == "added"
    there = (f"support+{tag}@prodata.kz",)
    assert await post.take(letter("б", number="3", delivered_to=there)) == "added"
    wrong = tag[:-1] + ("a" if tag[-1] != "a" else "b")
    assert await post.take(letter("в", number="4", subject=f"Re: [{wrong}] Кабинет")) == "opened"
    # The bare number proves nothing (attack 8).
    assert await post.take(letter("г", number="5", subject=f"Re: [{reference}] Кабинет")) == "opened"


async def test_what_a_mail_refers_to_is_found_by_indexes_of_tables_that_are_new(post: Post) -> None:
    """The plan is kept: one that reads all tickets would do so for every mail, until somebody analyses the table."""
    types, values = "text, text, text, bytea, timestamptz, text[], text[]", "'', '', '', '', now(), '{}', '{}'"
    async with post.sessions() as session:
        await session.rows(f"prepare look ({types}) as {glance.BESIDE}")
        plan = await session.rows(f"explain execute look ({values})")
        await session.rows("deallocate look")
    assert [row[0] for row in plan if "Seq Scan" in row[0]] == []


async def test_a_stranger_with_a_token_or_an_id_stays_outside(post: Post) -> None:
    """Attacks 7 and 9: a ticket of its own, no history, nothing said of the other one."""
    await post.take(letter())
    ticket = await post.ticket()
    tag = tokens.tag(post.key, ticket.reference)
    mail = letter("Покажите", STRANGER, "2", subject=f"Re: [{tag}]", in_reply_to="1@firma.kz", cc=(Address(COLLEAGUE),))
    assert await post.take(mail) == "separate"
    assert len(await post.fetch("select 1 from message where ticket_id = :id", id=ticket.id)) == 1
    assert await post.fetch("select 1 from ticket where related_id is not null") == []
    assert await post.fetch("select 1 from follower") == []
    # The engineers see what it refers to; the stranger is told of the own ticket only.
    assert ("telegram", "stranger") in await post.notices()
    [told] = await post.fetch(
        "select payload from outbox where channel = 'email' and payload ->> 'address' = :a", a=STRANGER
    )
    assert ticket.reference not in str(told.payload)


async def test_an_engineers_address_makes_nobody_an_engineer(post: Post) -> None:
    """Attack 1: a mail is a requester's word, whoever it says it is from, whatever ids it knows."""
    await post.take(letter())
    await post.sent("pd.1@prodata.kz")
    assert await post.take(letter("Закройте", "engineer@prodata.kz", "2", in_reply_to="pd.1@prodata.kz")) == "separate"
    assert {row.author_kind for row in await post.fetch("select author_kind from message")} == {"requester"}
    assert await post.fetch("select 1 from outbox where kind = 'relay' and channel = 'email'") == []


@pytest.mark.parametrize("nature", ["list", "spam", "own"])
async def test_what_is_no_request_is_recorded_and_never_answered(post: Post, nature: Any) -> None:
    assert await post.take(letter(nature=nature)) == nature
    assert await post.fetch("select 1 from ticket") == []
    assert await post.fetch("select 1 from outbox") == []
    assert [row.nature for row in await post.fetch("select nature from mail_message")] == [nature]


async def test_our_own_address_opens_no_ticket(post: Post) -> None:
    """A loop ends at the first mail (attack 12)."""
    assert await post.take(letter(sender=OWN)) == "own"
    assert await post.fetch("select 1 from outbox") == []


async def test_what_a_program_sends_is_held_for_the_engineers(post: Post) -> None:
    """Attack 10: a service's verification mail is seen by no requester."""
    assert await post.take(letter("Your code is 123456", "noreply@service.example", nature="machine")) == "held"
    assert await post.fetch("select 1 from ticket") == []
    [row] = await post.fetch("select * from outbox")
    assert (row.kind, row.payload["notice"]) == ("alarm", "held")
    assert [mail["id"] for mail in row.payload["facts"]["mails"]] == [7]


async def test_an_absence_note_is_shown_and_starts_no_clock(post: Post) -> None:
    await post.take(letter())
    await post.answer()
    await post.sent("pd.1@prodata.kz")
    before = (await post.ticket()).status
    note = letter("Я в отпуске", number="2", nature="auto_reply", in_reply_to="pd.1@prodata.kz")
    assert await post.take(note) == "auto_reply"
    assert (await post.ticket()).status == before
    assert ("telegram", "auto_reply") in await post.notices()
    assert len(await post.fetch("select 1 from message")) == 2


async def test_a_mail_that_came_back_is_told_and_its_address_marked(post: Post) -> None:
    await post.take(letter())
    await post.sent("pd.1@prodata.kz")
    back = Bounce((CUSTOMER,), True, "5.1.1", "User unknown", "pd.1@prodata.kz")
    mail = letter("Undelivered", "mailer-daemon@mx.firma.kz", "2", nature="bounce", bounce=back)
    assert await post.take(mail) == "bounced"
    assert ("telegram", "returned") in await post.notices()
    [identity] = await post.fetch("select unreachable_at from identity")
    assert identity.unreachable_at is not None
    # They write again, so they can be written to again.
    assert await post.take(letter("Я тут", number="3", in_reply_to="1@firma.kz")) == "added"
    [identity] = await post.fetch("select unreachable_at from identity")
    assert identity.unreachable_at is None


async def test_a_forged_bounce_marks_nobody(post: Post) -> None:
    await post.take(letter())
    back = Bounce((CUSTOMER,), True, "5.1.1", "User unknown", "guessed@prodata.kz")
    assert await post.take(letter("x", "mailer-daemon@x", "2", nature="bounce", bounce=back)) == "bounce"
    [identity] = await post.fetch("select unreachable_at from identity")
    assert identity.unreachable_at is None


async def acknowledgements(post: Post) -> int:
    return len(await post.fetch("select 1 from outbox where channel = 'email' and kind = 'say'"))


async def test_a_flood_in_somebodys_name_is_answered_once_a_day(post: Post) -> None:
    """Attack 11."""
    for number in range(30):
        await post.take(letter(f"{number}", number=f"n{number}"))
    assert await acknowledgements(post) == 1
    post.clock.move(hours=25)
    await post.take(letter("На другой день", number="later"))
    assert await acknowledgements(post) == 2


async def test_where_the_border_proves_senders_only_the_proven_are_answered(post: Post) -> None:
    post.border = True
    await post.take(letter("а", number="1"))
    assert await acknowledgements(post) == 0
    await post.take(letter("б", number="2", authentication=PROVEN))
    await post.take(letter("в", number="3", authentication=PROVEN))
    assert await acknowledgements(post) == 2


async def test_who_is_disproven_is_not_answered_but_heard(post: Post) -> None:
    """Attack 2: a ticket, with a warning for the engineers, and nothing more."""
    assert await post.take(letter("Перезагрузите сервер", authentication=FORGED)) == "opened"
    assert await acknowledgements(post) == 0
    [message] = await post.fetch("select content from message")
    assert message.content["mail"]["failed"] is True


async def test_an_answer_goes_to_the_known_address_whatever_reply_to_says(post: Post) -> None:
    """Attack 5."""
    await post.take(letter(reply_to=(Address(STRANGER),)))
    await post.answer()
    [answer] = await post.fetch("select payload from outbox where kind = 'relay' and channel = 'email'")
    assert answer.payload["address"] == CUSTOMER


async def test_a_note_leaves_by_no_channel(post: Post) -> None:
    await post.take(letter())
    await post.answer("между нами", "note")
    assert await post.fetch("select 1 from outbox where kind = 'relay' and payload ->> 'to' = 'requester'") == []


async def test_files_are_kept_and_go_to_the_topic(post: Post) -> None:
    logo = File("logo.png", "image/png", b"x" * 500, inline=True, content_id="1")
    report = File("отчёт.pdf", "application/pdf", b"%PDF")
    await post.take(letter(files=(logo, report)))
    assert [row.filename for row in await post.fetch("select filename from attachment order by id")] == [
        "logo.png",
        "отчёт.pdf",
    ]
    found = await post.fetch("select payload from outbox where kind = 'upload'")
    assert [row.payload["file"] for row in found] == [1]


async def test_a_long_mail_comes_in_parts(post: Post) -> None:
    await post.take(letter("Строка журнала.\n" * 500))
    found = await post.fetch("select payload from outbox where kind = 'relay' order by id")
    assert [row.payload["part"] for row in found] == [0, 1, 2]


async def test_the_choice_of_a_solution_by_mail(post: Post) -> None:
    await post.take(letter())
    async with transaction(post.sessions) as session:
        agent = await engineer(session)
        await work.resolve(session, PROFILE, agent, (await post.ticket()).id, post.clock())
    mail = letter("Да, работает", number="2", in_reply_to="1@firma.kz")
    assert await post.take(mail, "confirm") == "confirmed"
    assert (await post.ticket()).status == "closed"


async def test_a_rejection_opens_it_again(post: Post) -> None:
    await post.take(letter())
    async with transaction(post.sessions) as session:
        agent = await engineer(session)
        await work.resolve(session, PROFILE, agent, (await post.ticket()).id, post.clock())
    mail = letter("Не работает", number="2", in_reply_to="1@firma.kz")
    assert await post.take(mail, "reject") == "added"
    assert (await post.ticket()).status == "open"


async def test_long_after_its_end_a_reply_begins_a_new_one_that_continues_it(post: Post) -> None:
    await post.take(letter())
    async with transaction(post.sessions) as session:
        agent = await engineer(session)
        ticket = await work.decline(session, PROFILE, agent, (await post.ticket()).id, "не наше", post.clock())
    assert await post.take(letter("Но почему?", number="2", in_reply_to="1@firma.kz")) == "opened"
    [later] = await post.fetch("select related_id from ticket order by id desc limit 1")
    assert later.related_id == ticket.id


async def test_the_language_is_the_one_they_write_in(post: Post) -> None:
    await post.take(letter("Кабинет ашылмайды, көмектесіңізші", number="1"))
    await post.take(letter("My VM is down", "emma@example.com", number="2", subject="VM"))
    found = await post.fetch("select language from person order by id")
    assert [row.language for row in found] == ["kk", "en"]


async def test_a_person_of_both_channels_is_answered_where_they_wrote_last(post: Post) -> None:
    await post.take(letter())
    ticket = await post.ticket()
    async with transaction(post.sessions) as session:
        await rows(
            session,
            """insert into identity (person_id, desk, channel, address, created_at)
               select requester_id, desk, 'telegram', '501', now() from ticket returning 1""",
        )
    await post.answer("раз")
    async with transaction(post.sessions) as session:
        who = await people.recognise(session, PROFILE, 501, "Айгерім", None, "ru", post.clock())
        assert [t.id for t in who.tickets] == [ticket.id]
        written = Written({"type": "text", "text": "Пишу отсюда"}, post.clock(), Origin(501, 9))
        await tickets.add_message(session, PROFILE, who, who.tickets[0], written, post.clock())
    await post.answer("два")
    found = await post.fetch(
        "select channel from outbox where kind = 'relay' and payload ->> 'to' = 'requester' order by id"
    )
    assert [row.channel for row in found] == ["email", "telegram"]


async def test_what_its_owner_chose_goes_before(post: Post) -> None:
    await post.take(letter())
    async with transaction(post.sessions) as session:
        await rows(
            session,
            """insert into identity (person_id, desk, channel, address, created_at)
               select requester_id, desk, 'telegram', '501', now() from ticket returning 1""",
        )
        await rows(session, "update person set answers_by = 'telegram' returning 1")
    await post.answer()
    [row] = await post.fetch("select channel from outbox where kind = 'relay' and payload ->> 'to' = 'requester'")
    assert row.channel == "telegram"


async def test_a_queue_of_its_own_mailbox(post: Post) -> None:
    await post.take(letter(), queue="billing")
    assert (await post.ticket()).queue == "billing"


MEO = load_profile("meo")


async def organization(post: Post, followers: str = "contacts") -> None:
    async with transaction(post.sessions) as session:
        school = await organizations.add(
            session, PROFILE.name, "Школа 5", post.clock(), contract="17", followers=followers
        )
        for name, address in (("Айгерім", CUSTOMER), ("Ерлан", COLLEAGUE)):
            await organizations.add_contact(session, school, name, post.clock(), email=address)


async def followers(post: Post) -> list[str]:
    return [row.address for row in await post.fetch("select address from follower order by address")]


async def test_a_colleague_in_copy_follows_the_ticket_and_gets_the_answers(post: Post) -> None:
    await organization(post)
    await post.take(letter(cc=(Address(COLLEAGUE), Address(STRANGER))))
    assert await followers(post) == [COLLEAGUE]
    await post.answer()
    [answer] = await post.fetch("select payload from outbox where kind = 'relay' and channel = 'email'")
    assert answer.payload["cc"] == [[COLLEAGUE, "Ерлан"]]
    assert await post.take(letter("И я", COLLEAGUE, "2", in_reply_to="1@firma.kz")) == "added"


async def test_where_the_organization_wants_none_nobody_follows(post: Post) -> None:
    await organization(post, "none")
    await post.take(letter(cc=(Address(COLLEAGUE),)))
    assert await followers(post) == []


async def test_a_stranger_in_copy_does_not_follow(post: Post) -> None:
    """Attack 9."""
    await post.take(letter(cc=(Address(STRANGER), Address(COLLEAGUE))))
    assert await followers(post) == []


async def test_what_an_agreement_wants_is_asked_for_and_the_clock_waits(post: Post) -> None:
    post.profile = MEO
    assert await post.take(letter("Не работает урок")) == "opened"
    ticket = await post.ticket()
    assert ticket.status == "pending"
    [said] = await post.fetch("select payload from outbox where channel = 'email'")
    assert said.payload["notice"] == "wanted"
    assert said.payload["facts"]["fields"][0] == "named_person"
    assert "contract" in said.payload["facts"]["fields"]
    [target] = await post.fetch("select next_at from sla_target where metric = 'first_response'")
    assert target.next_at is None
    assert await post.take(letter("Договор № 5", number="2", in_reply_to="1@firma.kz")) == "added"
    assert (await post.ticket()).status == "open"


async def test_what_is_missing_is_asked_by_mail_as_rarely_as_anything(post: Post) -> None:
    post.profile = MEO
    for number in "12":
        assert await post.take(letter("Не работает урок", number=number)) == "opened"
    assert await acknowledgements(post) == 1


async def test_where_mail_has_to_stop_the_engineers_see_what_is_missing(post: Post) -> None:
    post.profile = MEO
    await post.take(letter("Не работает урок", authentication=FORGED))
    assert await acknowledgements(post) == 0
    [told] = await post.fetch("select payload from outbox where payload ->> 'notice' = 'missing'")
    assert told.payload["facts"]["asked"] is False


def test_tokens_of_other_tickets_cannot_be_made_from_one() -> None:
    key = b"k" * 32
    made = {tokens.token(key, f"PD-{number}") for number in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {tokens.LENGTH}
    assert tokens.proven(key, f"x {tokens.tag(key, 'PD-7')} y") == ["PD-7"]
    assert tokens.proven(b"other" * 8, tokens.tag(key, "PD-7")) == []
    assert replace(letter(), subject="").subject == ""
