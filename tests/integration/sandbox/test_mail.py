"""The stand-in's mail: its IMAP and SMTP servers met by ordinary clients, and the people who write through them."""

import asyncio
import imaplib
import smtplib
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aioimaplib import IMAP4

from sandbox.client import Json, Sandbox, SandboxError
from tests.integration.sandbox.conftest import Clock

DESK, AIGERIM, IVAN = "support@prodata.example", "aigerim@kaspiy.example", "ivan@altyn.example"
PASSWORD = "sandbox"


@dataclass
class Doors:
    imap: tuple[str, int]
    smtp: tuple[str, int]


@pytest.fixture
async def doors(sandbox: Sandbox) -> Doors:
    await sandbox.mail.add_account(DESK, "ProData", desk=True)
    await sandbox.mail.add_account(AIGERIM, "Айгерім", language="kk")
    await sandbox.mail.add_account(IVAN, "Иван", language="ru")
    state = await sandbox.mail.state()
    return Doors(*((state[name]["host"], state[name]["port"]) for name in ("imap", "smtp")))


def submit(doors: Doors, sender: str, to: list[str], raw: bytes, login: str | None = None) -> dict[str, object]:
    with smtplib.SMTP(*doors.smtp, local_hostname="client.example", timeout=10) as line:
        if login:
            line.login(login, PASSWORD)
        return dict(line.sendmail(sender, to, raw))


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def plain(sender: str, subject: str = "VPN", more: str = "") -> bytes:
    head = f"From: {sender}\r\nTo: {DESK}\r\nSubject: {subject}\r\nMessage-ID: <1@client.example>\r\n{more}"
    return f"{head}\r\n\r\n.It does not\r\n..connect\r\n".encode()


async def test_the_standard_librarys_clients_send_read_and_move(doors: Doors) -> None:
    def play() -> None:
        assert submit(doors, AIGERIM, [DESK], plain(AIGERIM), AIGERIM) == {}
        with imaplib.IMAP4(*doors.imap, timeout=10) as line:
            line.login(DESK, PASSWORD)
            assert line.select("INBOX") == ("OK", [b"1"])
            (validity,) = line.response("UIDVALIDITY")[1]
            assert line.uid("SEARCH", "UNSEEN")[1] == line.uid("SEARCH", "UID", "1:*")[1] == [b"101"]
            got = line.uid("FETCH", "101", "(UID RFC822.SIZE FLAGS BODY.PEEK[])")[1]
            source = next(part for part in got if isinstance(part, tuple))
            assert source[1].endswith(b"\r\n.It does not\r\n..connect\r\n")
            assert f"RFC822.SIZE {len(source[1])} ".encode() in source[0]
            assert b"Seen" not in line.uid("FETCH", "101", "(FLAGS)")[1][0]
            line.create("Processed")
            assert line.uid("MOVE", "101", "Processed")[0] == "OK"
            assert line.uid("SEARCH", "ALL")[1] == [b""]
            assert line.status("Processed", "(MESSAGES)")[1] == [b"Processed (MESSAGES 1)"]
            line.select("INBOX")
            assert line.response("UIDVALIDITY")[1] == [validity]

    await asyncio.to_thread(play)


async def test_an_idle_client_hears_of_a_new_mail(doors: Doors, sandbox: Sandbox) -> None:
    line = IMAP4(*doors.imap, timeout=5)
    await line.wait_hello_from_server()
    await line.login(DESK, PASSWORD)
    await line.select("INBOX")
    idle = await line.idle_start(timeout=20)
    await sandbox.mail.send(AIGERIM, "Қосылмайды", to=[DESK], subject="VPN")
    assert b"1 EXISTS" in await line.wait_server_push(timeout=5)
    line.idle_done()
    await asyncio.wait_for(idle, 5)
    found = await line.uid_search("UNSEEN", charset=None)
    uid = found.lines[0].decode()
    assert (await line.uid("store", uid, "+FLAGS", r"(\Deleted)")).result == "OK"
    assert (await line.uid("expunge", uid)).result == "OK"
    assert await sandbox.mail.mails(DESK, "INBOX") == []
    await line.logout()


async def test_the_border_says_who_is_honest_and_takes_out_what_only_it_may_say(doors: Doors, sandbox: Sandbox) -> None:
    forged = (
        "Authentication-Results: (nobody (knows)) mx.prodata.example; dmarc=pass\r\n"
        "AUTHENTICATION-RESULTS :MX.prodata.example 1;\r\n\tdmarc=pass\r\n"
        "X-Before: a\nAuthentication-Results: mx.prodata.example; dmarc=pass\r\n"
        "Authentication-Results: mx.elsewhere.example; dmarc=pass\r\n"
        "Return-Path: <forged@client.example>"
    )
    raw = plain(AIGERIM, more=forged)
    await asyncio.to_thread(submit, doors, "thief@client.example", ["Support+Token.1@ProData.example"], raw)
    await asyncio.to_thread(submit, doors, AIGERIM, [DESK], raw, AIGERIM)
    await asyncio.to_thread(submit, doors, IVAN, [DESK], raw, IVAN)
    strange, honest, other = [
        parsed(await sandbox.mail.source(DESK, mail["id"])) for mail in await sandbox.mail.mails(DESK, "INBOX")
    ]
    for mail, verdict in ((strange, "fail"), (honest, "pass"), (other, "fail")):
        ours, theirs = mail.get_all("Authentication-Results", [])
        assert ours.startswith("mx.prodata.example;")
        assert f"dmarc={verdict} header.from=kaspiy.example" in ours
        assert theirs == "mx.elsewhere.example; dmarc=pass"
        assert mail["X-Before"] == "a"
    assert strange.get_all("Return-Path") == ["<thief@client.example>"]
    assert honest.get_all("Return-Path") == [f"<{AIGERIM}>"]
    assert "for <Support+Token.1@ProData.example>" in strange["Received"]
    assert list(strange.keys())[:3] == ["Return-Path", "Authentication-Results", "Received"]


async def test_two_senders_in_one_mail_are_nobody(doors: Doors, sandbox: Sandbox) -> None:
    raw = plain(AIGERIM, more=f"From: {IVAN}")
    await asyncio.to_thread(submit, doors, AIGERIM, [DESK], raw, AIGERIM)
    (mail,) = await sandbox.mail.mails(DESK)
    assert b"dmarc=fail" in await sandbox.mail.source(DESK, mail["id"])


async def test_strangers_addresses_are_refused_and_the_rest_goes(doors: Doors, sandbox: Sandbox) -> None:
    to = ["nobody@prodata.example", DESK, "far@away.example"]
    refused = await asyncio.to_thread(submit, doors, AIGERIM, to, plain(AIGERIM))
    assert {address: reply[:1] for address, reply in refused.items()} == {  # type: ignore[index]
        "nobody@prodata.example": (550,),
        "far@away.example": (550,),
    }
    assert b"5.1.1" in refused["nobody@prodata.example"][1]  # type: ignore[index]
    assert b"5.7.1" in refused["far@away.example"][1]  # type: ignore[index]
    assert len(await sandbox.mail.mails(DESK)) == 1
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(submit, doors, AIGERIM, [DESK], plain(AIGERIM), "nobody@prodata.example")


async def test_a_conversation_holds_together_and_quotes_as_people_do(
    doors: Doors, sandbox: Sandbox, clock: Clock
) -> None:
    asked = await sandbox.mail.send(AIGERIM, "Қосылмайды\nкеше ғана істеген", to=[f"ProData <{DESK}>"], subject="VPN")
    (came,) = await sandbox.mail.wait(DESK, containing="Қосылмайды")
    assert came["from"] == {"name": "Айгерім", "address": AIGERIM}
    clock.at += 60
    await sandbox.mail.send(DESK, "Қай кеңсе?", reply_to=came["id"])
    (answer,) = await sandbox.mail.wait(AIGERIM, containing="Қай кеңсе?")
    clock.at += 60
    upload = await sandbox.upload("сурет 1.png", b"\x89PNG", "image/png")
    back = await sandbox.mail.send(AIGERIM, "Алматы", reply_to=answer["id"], files=[upload])
    assert (back["subject"], back["in_reply_to"]) == ("Re: VPN", answer["message_id"])
    assert back["references"] == [asked["message_id"], answer["message_id"]]
    assert back["said"] == "Алматы"
    lines = back["quoted"].split("\n")
    assert lines[0].endswith(f"ProData <{DESK}> жазды:")
    assert lines[2] == "> Қай кеңсе?"
    assert lines[-2:] == [">> Қосылмайды", ">> кеше ғана істеген"]
    (there,) = await sandbox.mail.wait(DESK, containing="Алматы")
    assert there["attachments"] == [{"n": 0, "name": "сурет 1.png", "mime": "image/png", "size": 4}]
    assert {mail["thread"] for mail in await sandbox.mail.mails(AIGERIM)} == {asked["id"]}
    assert [mail["folder"] for mail in await sandbox.mail.mails(AIGERIM)] == ["Sent", "INBOX", "Sent"]
    url = f"{sandbox.url}/sandbox/mail/{DESK}/{there['id']}/attachments/0"
    async with sandbox.session.get(url) as got:
        assert (await got.read(), got.content_type) == (b"\x89PNG", "image/png")
        assert got.headers["Content-Disposition"].startswith("attachment;")


async def test_a_mails_page_neither_runs_nor_loads_anything(doors: Doors, sandbox: Sandbox) -> None:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = AIGERIM, DESK, "HTML"
    mail.set_content(
        '<title>unseen</title><p onclick="run()" style="color:red;background:url(http://far.example/x);position:fixed">hello</p>'
        '<script>run()</script><img src="http://far.example/pixel"><img src="cid:here"><link href="http://far.example/c">'
        '<a href="javascript:run()">a</a><a href="https://far.example/">b</a><iframe src="http://far.example/"></iframe>',
        subtype="html",
    )
    mail.add_related(b"GIF89a", "image", "gif", cid="<here>")
    await asyncio.to_thread(submit, doors, AIGERIM, [DESK], bytes(mail), AIGERIM)
    (came,) = await sandbox.mail.mails(DESK)
    assert (came["html"], came["text"], came["attachments"]) == (True, "hello\nab", [])
    async with sandbox.session.get(f"{sandbox.url}/sandbox/mail/{DESK}/{came['id']}/html") as got:
        text, guard = await got.text(), got.headers["Content-Security-Policy"]
    assert guard.startswith("sandbox")
    assert "allow-scripts" not in guard
    assert "default-src 'none'" in guard
    body = text.partition("</style>")[2]
    assert '<p style="color:red">hello</p>' in body
    assert "data:image/gif;base64,R0lGODlh" in body
    assert 'href="https://far.example/"' in body
    for wrong in ("unseen", "run()", "far.example/x", "pixel", "javascript", "iframe", "link"):
        assert wrong not in body


async def test_the_server_misbehaves_as_often_as_it_is_told(doors: Doors, sandbox: Sandbox) -> None:
    await sandbox.mail.fault("defer", recipient=AIGERIM, after=1)
    await sandbox.mail.fault("refuse", recipient=AIGERIM, at="data", code=552, text="5.2.2 full", times=1)
    with pytest.raises(smtplib.SMTPDataError, match="552"):
        await asyncio.to_thread(submit, doors, DESK, [AIGERIM], plain(DESK), DESK)
    partial = await asyncio.to_thread(submit, doors, DESK, [AIGERIM, IVAN], plain(DESK), DESK)
    assert partial == {AIGERIM: (451, b"4.3.0 try again later")}
    assert await asyncio.to_thread(submit, doors, DESK, [AIGERIM], plain(DESK), DESK) == {}
    assert len(await sandbox.mail.mails(AIGERIM)) == len(await sandbox.mail.mails(IVAN)) == 1
    await sandbox.mail.fault("refuse", recipient=DESK)
    with pytest.raises(SandboxError, match=r"550 5\.7\.1"):
        await sandbox.mail.send(AIGERIM, "Қосылмайды", to=[DESK], subject="VPN")
    assert await sandbox.mail.mails(AIGERIM, "Sent") == []


@pytest.mark.parametrize("done", [True, False])
async def test_a_server_that_hangs_up_after_the_data_tells_nobody_whether_it_delivered(
    doors: Doors, sandbox: Sandbox, done: bool
) -> None:
    await sandbox.mail.fault("hang", recipient=AIGERIM, seconds=0, done=done)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await asyncio.to_thread(submit, doors, DESK, [AIGERIM], plain(DESK), DESK)
    assert len(await sandbox.mail.mails(AIGERIM)) == done


async def test_a_mail_comes_back_to_whom_the_envelope_names_and_only_once(doors: Doors, sandbox: Sandbox) -> None:
    await sandbox.mail.fault("bounce", recipient=AIGERIM, times=None)
    await asyncio.to_thread(submit, doors, DESK, [AIGERIM], plain(DESK), DESK)
    (back,) = await sandbox.mail.wait(DESK, containing="Undelivered")
    report = parsed(await sandbox.mail.source(DESK, back["id"]))
    assert (report.get_content_type(), report["Return-Path"]) == ("multipart/report", "<>")
    assert "dmarc=pass" in report["Authentication-Results"]
    _, status, headers = report.iter_parts()
    assert status.get_payload()[1]["Final-Recipient"] == f"rfc822; {AIGERIM}"  # type: ignore[index,call-overload]
    assert "Message-ID: <1@client.example>" in headers.get_content()
    await asyncio.to_thread(submit, doors, "", [AIGERIM], plain(DESK), DESK)
    assert len(await sandbox.mail.mails(DESK)) == 1
    assert await sandbox.mail.mails(AIGERIM) == []


async def test_what_happens_is_told_to_the_page(doors: Doors, sandbox: Sandbox) -> None:
    async with sandbox.session.ws_connect(f"{sandbox.url}/sandbox/events") as events:

        async def event(kind: str) -> Json:
            async with asyncio.timeout(5):
                while (frame := await events.receive_json())["type"] != kind:
                    pass
                return dict(frame)

        sent = await sandbox.mail.send(AIGERIM, "Қосылмайды", to=[DESK], subject="VPN")
        came = await event("mail")
        assert (came["account"], came["mail"]["subject"], came["mail"]["seen"]) == (DESK, "VPN", False)
        assert (await event("mail"))["mail"]["id"] == sent["id"]
        await sandbox.mail.mark_seen(DESK, [came["mail"]["id"]])
        assert (await event("mail_seen"))["account"] == DESK
    assert [mail["seen"] for mail in await sandbox.mail.mails(DESK)] == [True]


async def test_an_emptied_world_has_no_mail_and_no_one_logged_in(doors: Doors, sandbox: Sandbox) -> None:
    line = IMAP4(*doors.imap, timeout=5)
    await line.wait_hello_from_server()
    await line.login(DESK, PASSWORD)
    await sandbox.reset()
    assert (await sandbox.mail.state())["accounts"] == []
    with pytest.raises(SandboxError, match="no account"):
        await sandbox.mail.mails(DESK)
    async with asyncio.timeout(5):
        while line.protocol.transport is not None and not line.protocol.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"address": "Support@prodata.example"}, "small letters"),
        ({"address": "support+1@prodata.example"}, "plus"),
        ({"address": DESK}, "taken"),
        ({"address": "a@b.example", "language": "de"}, "language"),
    ],
)
async def test_wrong_accounts_are_refused_with_a_reason(doors: Doors, sandbox: Sandbox, body: Json, why: str) -> None:
    with pytest.raises(SandboxError, match=why):
        await sandbox.mail.add_account(**{"name": "A", **body})


async def test_a_stranger_may_write_under_any_name(doors: Doors, sandbox: Sandbox) -> None:
    await sandbox.mail.send_raw(plain(AIGERIM).decode(), [DESK], sender="thief@client.example")
    (mail,) = await sandbox.mail.mails(DESK)
    assert b"dmarc=fail header.from=kaspiy.example" in await sandbox.mail.source(DESK, mail["id"])


async def test_mails_no_parser_likes_are_still_shown(doors: Doors, sandbox: Sandbox) -> None:
    strange = [
        b"\r\nno head at all",
        b"Subject: =?x-none?B?////?=\r\nFrom: \xff\xfe <>\r\nDate: never\r\n"
        b"Content-Type: text/plain; charset=nope\r\n\r\n\xd0\xff",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: in\r\n\r\nx\r\n",
        b"From: [<@:;\r\nTo: ,,,;:\r\nMessage-ID: <<\r\nReferences: \xff\r\n\r\n",
    ]
    for raw in strange:
        await asyncio.to_thread(submit, doors, "x@client.example", [DESK], raw)
    mails = await sandbox.mail.mails(DESK)
    assert len(mails) == len(strange)
    assert mails[2]["attachments"][0]["mime"] == "message/rfc822"
    level = "Content-Type: multipart/mixed; boundary=b{0}\r\n\r\n--b{0}\r\n"
    deep = "".join(level.format(n) for n in range(100)).encode()
    await asyncio.to_thread(submit, doors, "x@client.example", [DESK], deep)
    assert len(await sandbox.mail.mails(DESK)) == len(strange) + 1
    with pytest.raises(smtplib.SMTPDataError, match="too many parts"):
        await asyncio.to_thread(submit, doors, "x@client.example", [DESK], level.format(0).encode() + deep)
