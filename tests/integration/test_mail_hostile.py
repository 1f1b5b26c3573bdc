"""IMAP servers that are not what they say, and networks that change what is said: no password leaves, nothing hangs."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from mailbridge.accounts import Account, parse_imap
from mailbridge.imap import FolderMissing, LoginRefused, Lost, Untrusted, connected
from mailbridge.receive import probe_imap
from tests.integration import mailserver
from tests.integration.mailserver import MailServer, make_certificates, server_context

PASSWORD = "canary-of-the-tests"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    with mailserver.running() as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


class Scripted:
    """Says what it is told to, line by line; remembers what it heard."""

    def __init__(
        self,
        answers: dict[str, str],
        greeting: str = "* OK ready",
        tls: ssl.SSLContext | None = None,
        slipped_in: bytes = b"",
    ) -> None:
        self.answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE MOVE", **answers}
        self.greeting = greeting
        self.tls = tls
        self.slipped_in = slipped_in
        self.heard = b""
        self.port = 0
        self._transports: list[asyncio.WriteTransport] = []

    @contextlib.asynccontextmanager
    async def running(self, implicit: bool = False) -> AsyncIterator["Scripted"]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls if implicit else None)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for transport in self._transports:
                transport.abort()
            # Their ends are heard of in the next rounds.
            for _ in range(3):
                await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._transports.append(writer.transport)
        with contextlib.suppress(OSError, ssl.SSLError):
            writer.write(f"{self.greeting}\r\n".encode())
            while line := await reader.readline():
                self.heard += line
                tag, _, command = line.decode("latin-1").strip().partition(" ")
                name = next((key for key in self.answers if command.upper().startswith(key)), "")
                answer = self.answers.get(name, "")
                if answer == "silence":
                    continue
                if answer == "close":
                    break
                lines = [*filter(None, answer.split("\r\n"))]
                if not answer or (answer.startswith("*") and "TAG" not in answer):
                    lines.append(f"{tag} OK done")
                writer.write("".join(f"{said.replace('TAG', tag)}\r\n" for said in lines).encode("latin-1"))
                if name == "STARTTLS" and self.tls:
                    writer.write(self.slipped_in)
                    await writer.drain()
                    if not await self._secure(writer):
                        break
            writer.close()

    async def _secure(self, writer: asyncio.StreamWriter) -> bool:
        """Without StreamWriter.start_tls, which breaks if the client has gone by then."""
        assert self.tls is not None
        loop, transport = asyncio.get_running_loop(), writer.transport
        secured = await loop.start_tls(transport, transport.get_protocol(), self.tls, server_side=True)
        if secured is None:
            return False
        writer._transport = secured  # type: ignore[attr-defined]
        self._transports.append(secured)
        return True

    def account(self, **changes: object) -> Account:
        account = Account("127.0.0.1", self.port, "box", SecretStr(PASSWORD), security="none")
        return replace(account, **changes)  # type: ignore[arg-type]


async def fetch(account: Account, silence: float) -> None:
    async with connected(account, silence) as connection:
        await connection.select("INBOX")
        await connection.bodies(await connection.uids(1), 100)


async def refused(account: Account, silence: float = 2) -> Lost:
    """How it ends; never by hanging."""
    async with asyncio.timeout(20):
        with pytest.raises(Lost) as caught:
            await fetch(account, silence)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_of_an_unknown_authority_gets_no_password(certificates: Path, security: str) -> None:
    server = Scripted({"STARTTLS": ""}, tls=server_context(certificates))
    async with server.running(implicit=security == "tls"):
        error = await refused(server.account(security=security))
    assert isinstance(error, Untrusted)
    assert b"LOGIN" not in server.heard
    assert PASSWORD.encode() not in server.heard


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_for_another_name_gets_no_password(tmp_path: Path, security: str) -> None:
    make_certificates(tmp_path, host="127.0.0.9")
    server = Scripted({"STARTTLS": ""}, tls=server_context(tmp_path))
    async with server.running(implicit=security == "tls"):
        error = await refused(server.account(security=security, ca=str(tmp_path / "ca.pem")))
    assert isinstance(error, Untrusted)
    assert PASSWORD.encode() not in server.heard


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_the_right_certificate_is_taken(certificates: Path, security: str) -> None:
    server = Scripted({"STARTTLS": "", "SELECT": "* OK [UIDVALIDITY 1] x"}, tls=server_context(certificates))
    async with server.running(implicit=security == "tls"):
        account = server.account(security=security, ca=str(certificates / "ca.pem"))
        async with connected(account) as connection:
            assert (await connection.select("INBOX")).uidvalidity == 1
    assert PASSWORD.encode() in server.heard


@pytest.mark.parametrize(
    "answer",
    [
        "TAG BAD unknown command",
        "TAG NO not now",
        "TAG OK go on\r\n* CAPABILITY injected",
        "TAG OK go on\r\nA1 OK injected",
        "TAG OK go on",
        "close",
    ],
)
async def test_stripped_starttls_gets_no_password(answer: str) -> None:
    """Neither a server without it, nor one that says so and goes on in the clear, nor words slipped in before."""
    server = Scripted({"STARTTLS": answer})
    async with server.running():
        await refused(server.account(security="starttls"))
    assert b"LOGIN" not in server.heard
    assert PASSWORD.encode() not in server.heard


async def test_words_without_an_end_slipped_in_before_tls_get_no_password(certificates: Path) -> None:
    """They would be the beginning of the first answer inside."""
    server = Scripted({"STARTTLS": ""}, tls=server_context(certificates), slipped_in=b"* CAPABILITY ")
    async with server.running():
        error = await refused(server.account(security="starttls", ca=str(certificates / "ca.pem")))
    assert isinstance(error, Untrusted)
    assert b"LOGIN" not in server.heard


async def test_a_greeting_that_says_one_is_known_already_does_not_skip_tls() -> None:
    server = Scripted({}, greeting="* PREAUTH welcome")
    async with server.running():
        await refused(server.account(security="starttls"))
    assert b"SELECT" not in server.heard
    assert PASSWORD.encode() not in server.heard


async def test_where_login_is_disabled_no_password_is_sent() -> None:
    server = Scripted({"CAPABILITY": "* CAPABILITY IMAP4rev1 LOGINDISABLED"})
    async with server.running():
        assert isinstance(await refused(server.account()), Untrusted)
    assert PASSWORD.encode() not in server.heard


async def test_a_certificate_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    account = Account("127.0.0.1", 1, "box", SecretStr(PASSWORD), ca=str(tmp_path / "ca.pem"))
    assert "ca.pem" in str(await refused(account))


@pytest.mark.parametrize("words", [f"wrong: {PASSWORD}", "[AUTHENTICATIONFAILED] no"])
async def test_a_refused_login_says_so_without_the_password(words: str) -> None:
    server = Scripted({"LOGIN": f"TAG NO {words}"})
    async with server.running():
        assert isinstance(await refused(server.account()), LoginRefused)


@pytest.mark.parametrize("command", ["CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH"])
@pytest.mark.parametrize("answer", ["silence", "close", "TAG", "* \r\nTAG WHAT", "\x80\xff {5}", "X9 OK not yours"])
async def test_a_server_that_cannot_be_understood_is_left(command: str, answer: str) -> None:
    usual = {"SELECT": "* OK [UIDVALIDITY 1] x", "UID SEARCH": "* SEARCH 1 2", "LOGIN": "TAG OK welcome"}
    server = Scripted({**usual, command: answer})
    async with server.running():
        await refused(server.account(), silence=0.3)


NOTHING = ("* 1 FETCH (UID 1 BODY[] NIL)", "* 2 FETCH (FLAGS (\\Seen))", "", "* 1 FETCH (UID 9 BODY[] {2}\r\nhi)")


@pytest.mark.parametrize("answer", NOTHING)
async def test_an_answer_without_the_mail_is_no_mail(answer: str) -> None:
    server = Scripted({"SELECT": "* OK [UIDVALIDITY 1] x", "UID FETCH": answer})
    async with server.running(), connected(server.account(), 2) as connection:
        await connection.select("INBOX")
        assert await connection.bodies([1, 2], 100) == {}


async def test_mails_come_in_any_order_and_with_other_things_between() -> None:
    answer = (
        "* 2 FETCH (BODY[] {3}\r\nb)b UID 2)\r\n* 7 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen) UID 1 BODY[] {4}\r\na * (\r\n"
        '* 3 FETCH (UID 3 BODY[] "")'
    ).replace("a * (\r\n", "a * )\r\n")
    server = Scripted({"SELECT": "* OK [UIDVALIDITY 1] x", "UID FETCH": answer})
    async with server.running(), connected(server.account(), 2) as connection:
        await connection.select("INBOX")
        connection.news.clear()
        assert await connection.bodies([1, 2, 3], 100) == {1: b"a * ", 2: b"b)b", 3: b""}
        assert connection.news.is_set()


async def test_thousands_of_lines_at_once_are_no_trouble() -> None:
    """The library would call itself for each of them."""
    lines = ["* 1 EXPUNGE"] * 5000 + ["* SEARCH 4 5"]
    server = Scripted({"SELECT": "* OK [UIDVALIDITY 1] x", "UID SEARCH": "\r\n".join(lines)})
    async with server.running(), connected(server.account(), 2) as connection:
        await connection.select("INBOX")
        assert await connection.uids(1) == [4, 5]


async def test_more_than_was_announced_is_not_waited_for() -> None:
    answer = "* 1 FETCH (UID 1 BODY[] {70000000}\r\nx)"
    server = Scripted({"SELECT": "* OK [UIDVALIDITY 1] x", "UID SEARCH": "* SEARCH 1", "UID FETCH": answer})
    async with server.running(), asyncio.timeout(8):
        assert "lost" in str(await refused(server.account(), silence=15))


async def test_the_library_logs_no_password_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    password = 'with "quotes" and \\ in it'
    server = Scripted({"LOGIN": "silence"})
    with caplog.at_level(logging.DEBUG):
        async with server.running():
            account = replace(server.account(), password=SecretStr(password))
            with pytest.raises(Lost):
                async with connected(account, 0.2):
                    pass
    assert "quotes" not in caplog.text
    assert "quotes" not in repr(account)


@pytest.mark.parametrize("words", ["INBOX\r\nA9 LOGOUT", "a\nb", "nul\x00"])
async def test_a_line_end_in_a_name_is_refused_before_the_wire(words: str) -> None:
    server = Scripted({})
    async with server.running(), connected(server.account(), 2) as connection:
        before = server.heard
        with pytest.raises(ValueError):
            await connection.select(words)
        assert server.heard == before


async def test_nobody_listens() -> None:
    account = Account("127.0.0.1", 1, "box", SecretStr(PASSWORD), security="none")
    assert "cannot be reached" in str(await refused(account))


async def test_probing_a_mailbox_that_is_right(mail: MailServer) -> None:
    user = mail.user()
    found = await probe_imap(parse_imap(user.url(query=f"?ca={mail.authority}")))
    assert [good for good, _, _ in found] == [True, True]
    assert "Processed" in found[1][1]
    assert not user.folder("Processed").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": SecretStr(PASSWORD)}, "refuses"),
        ({"folder": "Nowhere"}, "no folder Nowhere"),
        ({"port": 1}, "cannot be reached"),
        ({"ca": None}, "TLS"),
        ({"host": "no-such-host.invalid"}, "cannot be reached"),
    ],
)
async def test_probing_says_what_is_wrong_and_how_to_mend_it(
    mail: MailServer, changes: dict[str, object], words: str
) -> None:
    account = replace(mail.user().account("tls"), **changes)  # type: ignore[arg-type]
    [(good, what, mend)] = await probe_imap(account)
    assert not good
    assert words in what
    assert mend
    assert PASSWORD not in what + mend


async def test_a_folder_that_is_missing_is_its_own_error(mail: MailServer) -> None:
    with pytest.raises(FolderMissing):
        async with connected(mail.user().account()) as connection:
            await connection.select("Nowhere")
