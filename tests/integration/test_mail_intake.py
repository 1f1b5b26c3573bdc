"""Mail out of a real Dovecot into the inbox: once each, whole, and only then out of the way."""

import asyncio
import contextlib
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from crm import inbox
from crm.db import Sessions, transaction
from crm.inbox import Received
from crm.mail import mailboxes
from crm.time import utcnow
from crm.wake import INBOX, Waker
from mailbridge import intake
from mailbridge.accounts import Account, Mailbox
from mailbridge.receive import Pace, Receiver
from tests.integration import mailserver
from tests.integration.mailserver import NO_MOVE, NO_UIDPLUS, MailServer, User
from tests.integration.proxy import Proxy

SOURCE = "mail:prodata:support"
QUICK = Pace(idle=30, poll=0.1, silence=10, beat=5, standby=0.05, first_wait=0.02, longest_wait=0.1, aside=0.3)
SOAK = "KEZEKSHI_SOAK" in os.environ


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    with mailserver.running() as server:
        yield server


@pytest.fixture
def user(mail: MailServer) -> User:
    return mail.user()


def letter(marker: object, size: int = 0) -> bytes:
    body = b"".join(b'%06d ) * ( \\ "quoted" * 7 EXISTS {99}\r\n' % n for n in range(size // 40))
    return (
        f"Message-ID: <{marker}@customer.example>\r\nFrom: a@customer.example\r\nSubject: {marker}\r\n\r\n".encode()
        + body
    )


class Post:
    """The desk's side: receivers that are started and stopped, and what they brought."""

    def __init__(self, sessions: Sessions, engine: AsyncEngine) -> None:
        self.sessions = sessions
        self.waker = Waker(engine)

    def receiver(self, account: Account, pace: Pace = QUICK, key: str = "support") -> Receiver:
        return Receiver(Mailbox("prodata", key, account), self.sessions, self.waker, utcnow, pace)

    @contextlib.asynccontextmanager
    async def receiving(self, account: Account, pace: Pace = QUICK, key: str = "support") -> AsyncIterator[Receiver]:
        made = self.receiver(account, pace, key)
        task = asyncio.ensure_future(made.run())
        try:
            yield made
        finally:
            task.cancel()
            while not (await asyncio.wait({task}, timeout=5))[0]:
                # A library below may swallow a cancellation that comes at an unlucky moment.
                for one in asyncio.all_tasks() - {asyncio.current_task()}:
                    one.cancel()

    async def rows(self, query: str = "select * from inbox order by id", *values: Any) -> list[Any]:
        async with self.sessions() as session:
            return await session.rows(query, *values)

    async def stored(self) -> list[bytes]:
        return [row["payload"] for row in await self.rows("select payload from inbox order by id")]

    async def until_stored(self, count: int, seconds: float = 30) -> list[bytes]:
        async def enough() -> bool:
            return (await self.rows("select count(*) as n from inbox"))[0]["n"] >= count

        await until(enough, seconds)
        return await self.stored()


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def post(sessions: Sessions, engine: AsyncEngine) -> Post:
    return Post(sessions, engine)


async def test_mail_is_stored_raw_and_then_moved(post: Post, user: User) -> None:
    mails = [
        letter(1),
        letter(2, 5000),
        b"no header at all",
        b"\xff\xfe * 1 FETCH (UID 9 BODY[] {3}\r\n\r\n)(((\r\n",
    ]
    user.deliver(*mails)
    async with post.receiving(user.account()):
        assert await post.until_stored(4) == mails
        await until(lambda: not user.lying())
    assert sorted(user.lying("Processed")) == sorted(mails)
    row = (await post.rows())[0]
    assert (row["source"], row["state"], row["attempts"]) == (SOURCE, "queued", 0)
    assert len(row["external_key"]) == 64


async def test_it_is_committed_before_it_is_moved(post: Post, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    user.deliver(letter(1))
    seen: list[int] = []

    async def move(self: Any, uids: Any, folder: str) -> bool:
        seen.append(len(await post.stored()))
        raise asyncio.CancelledError

    monkeypatch.setattr("mailbridge.imap.Connection.move", move)
    task = asyncio.ensure_future(post.receiver(user.account()).run())
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 20)
    assert seen == [1]
    assert len(user.lying()) == 1


@pytest.mark.parametrize(("place", "stored"), [("mail.before_commit", 0), ("mail.stored", 1)])
async def test_killed_before_and_after_the_commit(
    post: Post, user: User, database: str, place: str, stored: int
) -> None:
    """A process of its own that dies there; the next one finishes, and nothing is there twice."""
    user.deliver(letter(1))
    script = f"""
import asyncio
from crm import failpoints, time
from crm.db import Sessions, make_engine
from crm.wake import Waker
from mailbridge.accounts import Mailbox, parse_imap
from mailbridge.receive import Receiver
async def main():
    engine = make_engine({database!r})
    failpoints.arm({place!r})
    account = parse_imap({user.url(query=f"?ca={user.server.authority}")!r})
    await Receiver(Mailbox("prodata", "support", account), Sessions(engine), Waker(engine), time.utcnow).run()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await asyncio.wait_for(process.wait(), 30) == -9
    assert len(await post.stored()) == stored
    assert len(user.lying()) == 1
    async with post.receiving(user.account("tls")):
        await until(lambda: not user.lying())
    assert await post.stored() == [letter(1)]


async def test_read_mail_is_taken_like_any_other(post: Post, user: User) -> None:
    user.deliver(letter(1), seen=True)
    user.deliver(letter(2))
    async with post.receiving(user.account()):
        assert sorted(await post.until_stored(2)) == [letter(1), letter(2)]


async def test_looking_does_not_mark_as_read(post: Post, user: User) -> None:
    user.deliver(letter(1))
    async with post.receiving(user.account()):
        await until(lambda: bool(user.lying("Processed")))
    [path] = [p for part in ("new", "cur") for p in (user.folder("Processed") / part).glob("*")]
    assert "S" not in path.name.partition(":2,")[2]


async def test_the_server_tells_of_new_mail(post: Post, user: User) -> None:
    async with post.receiving(user.account()):
        await until(lambda: "connected" in str(user.folder()) or user.server.log().count(f"<{user.name}>") > 0)
        for number in range(3):
            user.deliver(letter(number))
            # Far sooner than the folder is looked through again.
            await post.until_stored(number + 1, seconds=15)


async def test_workers_are_woken(post: Post, user: User) -> None:
    user.deliver(letter(1))
    async with post.receiving(user.account()):
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await post.waker.wait(INBOX, 20)
        assert loop.time() - begin < 15


@pytest.mark.parametrize("host", [NO_MOVE, NO_UIDPLUS])
async def test_servers_that_can_less(post: Post, user: User, host: str) -> None:
    """No IDLE: the folder is asked for. No MOVE: copied, and expunged by UID or marked as deleted."""
    async with post.receiving(user.account(host=host)):
        for number in range(2):
            user.deliver(letter(number))
            await post.until_stored(number + 1)
        await until(lambda: _staying(post, 0 if host == NO_MOVE else 2))
        await until(lambda: len(user.lying()) == (0 if host == NO_MOVE else 2))
    # Again: what is marked is neither taken nor copied once more.
    async with post.receiving(user.account(host=host)):
        user.deliver(letter(2))
        await post.until_stored(3)
        await until(lambda: len(user.lying("Processed")) >= 3)
    assert len(await post.stored()) == 3
    assert len(user.lying("Processed")) == 3


async def test_silence_in_idle_is_noticed_by_looking_again(post: Post, user: User) -> None:
    pace = replace(QUICK, idle=0.5, silence=0.5)
    proxy = Proxy(mailserver.HOST, user.server.port)
    async with proxy.running(), post.receiving(user.account(port=proxy.port), pace):
        user.deliver(letter(1))
        await until(lambda: not user.lying() and proxy.sent.endswith(b" IDLE\r\n"))
        proxy.swallowing = True
        user.deliver(letter(2))
        await until(lambda: proxy.connections > 1)
        proxy.swallowing = False
        assert await post.until_stored(2) == [letter(1), letter(2)]


async def test_a_dead_database_is_waited_for_and_not_run_at(post: Post, user: User, engine: AsyncEngine) -> None:
    begun = 0

    class Away:
        @contextlib.asynccontextmanager
        async def __call__(self) -> AsyncIterator[Any]:
            nonlocal begun
            begun += 1
            raise ConnectionRefusedError("no database")
            yield

    made = Receiver(
        Mailbox("prodata", "support", user.account()),
        Away(),  # type: ignore[arg-type]
        post.waker,
        utcnow,
        replace(QUICK, first_wait=0.1, longest_wait=1),
    )
    with capture_logs() as logs, contextlib.suppress(TimeoutError):
        await asyncio.wait_for(made.run(), 2)
    assert 2 <= begun <= 8
    assert [line["event"] for line in logs] == ["mail.lost"]


async def test_uids_that_are_given_anew_bring_nothing_twice(post: Post, user: User) -> None:
    user.make("Processed").chmod(0o755)
    user.deliver(*(letter(n) for n in range(5)))
    with unwritable(user):
        async with post.receiving(user.account()):
            await post.until_stored(5)
            await until(lambda: _unmoved(post, 5))
    # Some have gone meanwhile, so the numbers that were known name others now.
    for path in sorted((user.folder() / "cur").iterdir())[:3]:
        path.unlink()
    user.forget_uids()
    user.deliver(*(letter(n) for n in range(5, 9)))
    async with post.receiving(user.account()):
        await until(lambda: not user.lying())
    assert await post.stored() == [letter(n) for n in range(9)]


async def _unmoved(post: Post, count: int, which: str = "unmoved") -> bool:
    found = await post.rows(f"select coalesce(sum(upper(r) - lower(r)), 0) as n from mailbox, unnest({which}) r")
    return int(found[0]["n"]) == count


async def _staying(post: Post, count: int) -> bool:
    return await _unmoved(post, count, "staying")


@contextlib.contextmanager
def unwritable(user: User, folder: str = "Processed") -> Iterator[None]:
    """Nothing can be moved there: a file stands in the way of the folder."""
    home = user.folder(folder)
    aside = home.with_name("aside")
    home.rename(aside) if home.exists() else None
    home.write_bytes(b"")
    try:
        yield
    finally:
        home.unlink()
        aside.rename(home) if aside.exists() else None


async def test_a_restored_mailbox_brings_nothing_twice_however_old(post: Post, user: User) -> None:
    user.deliver(*(letter(n) for n in range(5)))
    async with post.receiving(user.account()):
        await until(lambda: len(user.lying("Processed")) == 5)
    await post.rows("delete from inbox")
    user.deliver(*(letter(n) for n in range(5)), letter("new"))
    async with post.receiving(user.account()):
        await until(lambda: len(user.lying("Processed")) == 11)
    assert await post.stored() == [letter("new")]


async def test_uids_that_went_back_hide_nothing(post: Post, user: User) -> None:
    """A backup of the server with the same UIDVALIDITY: numbers that were known name other mails now."""
    user.make("Processed")
    user.deliver(*(letter(n) for n in range(5)))
    before = await _uidlist(user)
    with unwritable(user):
        async with post.receiving(user.account()):
            await until(lambda: _unmoved(post, 5))
    for path in (user.folder() / "cur").iterdir():
        path.unlink()
    _restore(user, before)
    user.deliver(letter("other"))
    async with post.receiving(user.account()):
        await until(lambda: not user.lying())
    assert (await post.stored())[-1] == letter("other")


async def _uidlist(user: User) -> bytes:
    from mailbridge.imap import connected

    empty = user.server.user()
    async with connected(empty.account()) as connection:
        selected = await connection.select("INBOX")
    text = (empty.folder() / "dovecot-uidlist").read_bytes()
    assert f"V{selected.uidvalidity}".encode() in text
    return text


def _restore(user: User, uidlist: bytes) -> None:
    """The numbering begins anew under the same UIDVALIDITY."""
    validity = (user.folder() / "dovecot-uidlist").read_bytes().split()[1]
    for path in user.folder().glob("dovecot*"):
        if path.is_file():
            path.unlink()
    words = uidlist.split(b"\n")[0].split()
    words[1] = validity
    path = user.folder() / "dovecot-uidlist"
    path.write_bytes(b" ".join(words) + b"\n")
    user.server.own_one(path)


async def test_a_move_that_fails_is_made_good_later(post: Post, user: User) -> None:
    pace = replace(QUICK, idle=0.3)
    user.make("Processed")
    user.deliver(letter(1))
    with capture_logs() as logs:
        async with post.receiving(user.account(), pace):
            with unwritable(user):
                await post.until_stored(1)
                user.deliver(letter(2))
                await post.until_stored(2)
                await until(lambda: any(line["event"] == "mail.not_moved" for line in logs))
            await until(lambda: len(user.lying("Processed")) == 2)
            await until(lambda: _unmoved(post, 0))
    assert await post.stored() == [letter(1), letter(2)]


async def test_folders_in_cyrillic(post: Post, user: User) -> None:
    user.make("Входящие & прочее")
    user.deliver(letter(1), folder="Входящие & прочее")
    account = replace(user.account(folder="Входящие & прочее"), processed='Өңделген "хаттар"')
    async with post.receiving(account):
        await post.until_stored(1)
        await until(lambda: len(user.lying('Өңделген "хаттар"')) == 1)


@pytest.mark.parametrize("password", ['sp ace"quote\\back', "пароль-құпия", "a{5}b(*)%]", "p@ss:w/o?r#d%41&"])
async def test_passwords_with_anything_in_them(post: Post, mail: MailServer, password: str) -> None:
    from mailbridge.accounts import parse_imap

    user = mail.user(password=password)
    user.deliver(letter(1))
    async with post.receiving(parse_imap(user.url(query=f"?ca={mail.authority}"))):
        await post.until_stored(1)


async def test_a_huge_mail_stays_and_its_header_is_kept(
    post: Post, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(intake, "BATCH_BYTES", 500_000)
    user.deliver(letter(1), letter("huge", 1_500_000), letter("big", 900_000), letter(2))
    with capture_logs() as logs:
        for _ in range(2):
            async with post.receiving(user.account()):
                await post.until_stored(4)
                await until(lambda: len(user.lying("Processed")) == 3)
    stored = await post.stored()
    assert stored == [letter(1), letter("huge"), letter("big", 900_000), letter(2)]
    assert user.lying() == [letter("huge", 1_500_000)]
    assert [line["event"] for line in logs].count("mail.too_big") == 1
    assert (await post.rows())[1]["external_key"].startswith(intake.HEADER_ONLY)


async def test_two_at_the_same_mailbox_and_one_takes_over(post: Post, user: User) -> None:
    async with Proxy(mailserver.HOST, user.server.port).running() as proxy:
        account = user.account(port=proxy.port)
        async with contextlib.AsyncExitStack() as others:
            async with post.receiving(account):
                user.deliver(letter(1))
                await post.until_stored(1)
                await others.enter_async_context(post.receiving(account))
                await until(lambda: _tried(post))
                assert proxy.connections == 1
            user.deliver(letter(2))
            assert await post.until_stored(2) == [letter(1), letter(2)]
            assert proxy.connections == 2


async def _tried(post: Post) -> bool:
    """Somebody asked for the lock, and did not get it."""
    found = await post.rows("""
        select count(*) as n from pg_stat_activity
        where query like '%pg_try_advisory_lock%' and datname = current_database() and pid <> pg_backend_pid()""")
    return int(found[0]["n"]) > 0


async def test_two_queues_may_get_the_same_mail(post: Post, user: User, mail: MailServer) -> None:
    other = mail.user()
    user.deliver(letter(1))
    other.deliver(letter(1))
    async with post.receiving(user.account()), post.receiving(other.account(), key="methodology"):
        await post.until_stored(2)
    assert {row["source"] for row in await post.rows()} == {SOURCE, "mail:prodata:methodology"}


async def test_a_backlog_is_taken_in_batches(post: Post, user: User) -> None:
    mails = [letter(n, 400) for n in range(2000)]
    user.deliver(*mails)
    async with post.receiving(user.account()):
        await until(lambda: len(user.lying("Processed")) == 2000, 60)
    assert sorted(await post.stored()) == sorted(mails)


@pytest.mark.parametrize("cuts", [30, pytest.param(500, marks=pytest.mark.soak)])
async def test_cut_at_any_byte(post: Post, user: User, cuts: int) -> None:
    """Connections cut after a random number of bytes: no mail lost, none twice, none in part."""
    if cuts > 30 and not SOAK:
        pytest.skip("long")
    rng = random.Random(cuts)
    delivered: list[bytes] = []
    proxy, pace = Proxy(mailserver.HOST, user.server.port), replace(QUICK, first_wait=0.005, longest_wait=0.01)
    async with proxy.running(), post.receiving(user.account(port=proxy.port), pace):
        while proxy.cuts < cuts:
            fresh = [letter(len(delivered) + n, rng.choice([0, 300, 9000])) for n in range(3)]
            delivered += fresh
            user.deliver(*fresh)
            before = proxy.cuts
            proxy.cut_after = rng.randrange(1, rng.choice([1500, 40_000]))
            proxy.drop()
            with contextlib.suppress(TimeoutError):
                await until(lambda before=before: proxy.cuts > before, 0.5)  # type: ignore[misc]
        proxy.cut_after = None
        proxy.drop()
        await until(lambda: not user.lying(), 60)
    assert sorted(await post.stored()) == sorted(delivered)
    assert set(user.lying("Processed")) == set(delivered)


async def test_what_was_seen_is_remembered_for_ever(sessions: Sessions) -> None:
    items = [Received(str(n), "lane", b"x") for n in range(3)]
    async with transaction(sessions) as session:
        assert await mailboxes.store(session, SOURCE, items[:2], utcnow()) == 2
    async with sessions() as session:
        await session.rows("update inbox set state = 'done', settled_at = now() - interval '1 year'")
        assert await inbox.prune(session, utcnow(), 100) == 2
    async with transaction(sessions) as session:
        assert await mailboxes.store(session, SOURCE, items, utcnow()) == 1
