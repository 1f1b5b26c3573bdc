"""The command line as a person uses it: help for everything, one clear line for what is wrong, exit codes."""

import fcntl
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import text
from structlog.testing import capture_logs

from app import cli
from app.run import ROLES
from crm import inbox
from crm.cloud import mirror
from crm.db import Sessions, transaction
from crm.inbox import Received
from crm.tickets import work
from tests.factories import DESK, NOW, PROFILE, TOKEN, add, engineer, minutes, one, opened, rows
from tests.integration.conftest import Command

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    [],
    ["run"],
    ["demo"],
    ["check"],
    ["migrate"],
    ["inbox"],
    ["inbox", "list"],
    ["inbox", "show"],
    ["inbox", "retry"],
    ["inbox", "dismiss"],
    ["outbox"],
    ["outbox", "list"],
    ["outbox", "show"],
    ["outbox", "retry"],
    ["outbox", "dismiss"],
    ["ticket"],
    ["ticket", "show"],
    ["organization"],
    ["organization", "add"],
    ["organization", "list"],
    ["organization", "show"],
    ["organization", "cabinet"],
    ["organization", "remove"],
    ["contact"],
    ["contact", "add"],
    ["contact", "list"],
    ["contact", "rights"],
    ["contact", "remove"],
    ["cloud"],
    ["cloud", "action"],
    ["cloud", "action", "list"],
    ["cloud", "action", "show"],
    ["cloud", "action", "run"],
    ["cloud", "action", "decide"],
    ["sla"],
    ["sla", "due"],
    ["sla", "explain"],
    ["calendar"],
    ["calendar", "show"],
    ["mail"],
    ["mail", "inspect"],
    ["mail", "check"],
    ["cloud", "check"],
    ["cloud", "servers"],
    ["cloud", "quota"],
    ["cloud", "drift"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_every_command_has_help(kezekshi: Command, command: list[str]) -> None:
    code, out, err = await kezekshi(*command, "--help")
    assert (code, err) == (0, "")
    assert "Usage: kezekshi" in out
    # A sentence that says what it does.
    assert re.search(r"\n {1,2}[A-Z][^.]+\.", out)


async def test_help_names_every_role(kezekshi: Command) -> None:
    _, out, _ = await kezekshi("run", "--help")
    assert f"{', '.join(ROLES)}." in " ".join(out.split())


def named(group: typer.Typer, *path: str) -> Iterator[list[str]]:
    """Every command below, and the group itself."""
    yield [*path]
    for command in group.registered_commands:
        assert command.callback is not None
        yield [*path, command.name or command.callback.__name__]
    for below in group.registered_groups:
        assert below.name is not None
        assert below.typer_instance is not None
        yield from named(below.typer_instance, *path, below.name)


def test_the_list_of_commands_is_whole() -> None:
    assert sorted(named(cli.cli)) == sorted(COMMANDS)


WRONG: list[tuple[list[str], dict[str, str], str]] = [
    (["nosuch"], {}, "nosuch"),
    (["run", "cook"], {}, "cook"),
    (["run"], {}, "PRODATA_BOT_TOKEN"),
    (["run"], {"DESKS": "nosuch"}, "nosuch"),
    (["run"], {"PRODATA_BOT_TOKEN": TOKEN, "PUBLIC_URL": "https://a.kz"}, "WEBHOOK_SECRET"),
    (["demo", "--port", "70000"], {}, "--port"),
    (["inbox", "show"], {}, "item"),
    (["inbox", "show", "five"], {}, "item"),
    (["inbox", "list", "--limit", "0"], {}, "limit"),
    (["inbox", "list", "--state", "lost"], {"DATABASE_URL": "postgresql://x/y"}, "lost"),
    (["outbox", "list", "--state", "lost"], {"DATABASE_URL": "postgresql://x/y"}, "lost"),
    (["inbox", "list"], {"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
    (["inbox", "list"], {"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
    (["inbox", "list"], {"DATABASE_URL": "postgresql://u@127.0.0.1:1/y"}, "database"),
    (["cloud", "action", "list", "--state", "lost"], {"DATABASE_URL": "postgresql://x/y"}, "lost"),
    (["cloud", "action", "run", "delete", "web-1"], {}, "delete"),
    (["cloud", "action", "run", "reboot"], {}, "server"),
    (["cloud", "action", "decide", "1"], {}, "--again"),
    (["cloud", "action", "decide", "1", "--done", "--again"], {}, "--again"),
    (["organization", "list", "--desk", "nosuch"], {}, "nosuch"),
    (["organization", "list"], {"DESKS": "prodata,genesys"}, "--desk"),
    (["organization", "add", "АО Ромашка", "--followers", "all"], {}, "followers"),
    (["contact", "add", "АО Ромашка", "Айгуль", "--telegram", "@aigul"], {}, "telegram"),
    (["contact", "rights", "1"], {}, "--none"),
    (["contact", "rights", "1", "power", "--none"], {}, "--none"),
    (["organization", "cabinet", "АО Ромашка"], {}, "project"),
    (["migrate"], {"WEB_PORT": "eighty", "DATABASE_URL": "postgresql://x/y"}, "WEB_PORT"),
]


@pytest.mark.parametrize(
    ("words", "environment", "named"), WRONG, ids=lambda v: " ".join(v) if isinstance(v, list) else ""
)
async def test_wrong_input_gets_one_line_and_exit_code_2(
    kezekshi: Command, words: list[str], environment: dict[str, str], named: str
) -> None:
    code, out, err = await kezekshi(*words, **environment)
    assert code == 2, err
    assert out == ""
    assert err.startswith("kezekshi: ")
    assert err.count("\n") == 1
    assert named in err
    assert TOKEN not in err


@pytest.mark.parametrize(
    "words",
    [
        ["inbox", "show", "99"],
        ["inbox", "retry", "99"],
        ["outbox", "show", "99"],
        ["outbox", "retry", "99"],
        ["inbox", "dismiss", "99"],
        ["outbox", "dismiss", "99"],
        ["inbox", "show", "99999999999999999999999"],
        ["outbox", "retry", "99999999999999999999999"],
        ["ticket", "show", "PD-99"],
        ["sla", "explain", "PD-99"],
        ["organization", "show", "Никто"],
        ["organization", "remove", "Никто"],
        ["contact", "list", "Никто"],
        ["contact", "remove", "99"],
        ["contact", "rights", "--none", "99"],
    ],
    ids=" ".join,
)
async def test_what_is_not_there_is_said_in_one_line(desk: Command, words: list[str]) -> None:
    code, out, err = await desk(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert words[-1] in err


async def test_a_demo_on_a_taken_port_is_refused_in_one_line(kezekshi: Command, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = await kezekshi("demo", "--port", str(port), KEZEKSHI_VAR=str(tmp_path))
    assert (code, err.count("\n"), str(port) in err) == (2, 1, True)
    assert "kezekshi demo --port 0" in err


async def test_two_demos_do_not_share_a_folder(kezekshi: Command, tmp_path: Path) -> None:
    (tmp_path / "demo" / "pg").mkdir(parents=True)
    with (tmp_path / "demo" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, _, err = await kezekshi("demo", "--port", "0", KEZEKSHI_VAR=str(tmp_path))
    assert (code, err.count("\n")) == (2, 1)
    assert "KEZEKSHI_VAR" in err
    assert (tmp_path / "demo" / "pg").exists()


async def test_the_inbox_is_listed_shown_and_retried(desk: Command, sessions: Sessions) -> None:
    assert "Nothing there" in (await desk("inbox", "list"))[1]
    async with transaction(sessions) as session:
        items = [Received("1", "a", b'{"x": "\xd2\x9b"}'), Received("2", "b", b"\xff")]
        await inbox.store(session, f"telegram:{DESK}", items, NOW)
        await session.execute(
            text("update inbox set state = 'quarantined', attempts = 3, error = 'ValueError: [bold]no[/bold] [/x]'")
        )
        first, second = (row.id for row in await rows(session, "select id from inbox order by id"))
    code, out, _ = await desk("inbox", "list")
    assert code == 0
    assert "ValueError: [bold]no[/bold] [/x]" in out
    assert "Nothing there" in (await desk("inbox", "list", "--state", "done"))[1]
    assert json.loads((await desk("inbox", "show", str(first)))[1])["payload"] == {"x": "қ"}
    assert json.loads((await desk("inbox", "show", str(second)))[1])["payload"] == "\ufffd"
    assert (await desk("inbox", "retry", str(first)))[0] == 0
    assert (await desk("inbox", "retry", str(first)))[0] == 2
    async with sessions() as session:
        row = await one(session, "select state, attempts from inbox where id = :id", id=first)
    assert tuple(row) == ("queued", 0)


async def test_the_outbox_is_listed_shown_and_retried(desk: Command, sessions: Sessions) -> None:
    assert "Nothing there" in (await desk("outbox", "list"))[1]
    async with transaction(sessions) as session:
        await opened(session)
        await session.execute(
            text("update outbox set state = 'failed', error = '400 [/b] Bad Request' where kind = 'say'")
        )
        row_id = (await one(session, "select id from outbox where kind = 'say'")).id
    code, out, _ = await desk("outbox", "list", "--state", "failed")
    assert code == 0
    assert "400 [/b] Bad Request" in out
    assert json.loads((await desk("outbox", "show", str(row_id)))[1])["kind"] == "say"
    assert (await desk("outbox", "retry", str(row_id)))[0] == 0
    assert (await desk("outbox", "retry", str(row_id)))[0] == 2


async def test_what_nobody_will_mend_is_dismissed_and_never_silently(desk: Command, sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await inbox.store(session, f"telegram:{DESK}", [Received("1", "a", b"{}")], NOW)
        await session.execute(text("update inbox set state = 'quarantined', error = 'ValueError'"))
        ticket = await opened(session)
        await session.execute(text("update outbox set state = 'unknown', error = 'timeout' where kind = 'say'"))
        item = (await one(session, "select id from inbox")).id
        row_id = (await one(session, "select id from outbox where kind = 'say'")).id
    for box, one_id in (("inbox", item), ("outbox", row_id)):
        with capture_logs() as lines:
            code, out, _ = await desk(box, "dismiss", str(one_id))
        assert (code, f"{one_id} is dismissed" in out) == (0, True)
        assert [line["event"] for line in lines] == [f"{box}.dismissed"]
        assert (await desk(box, "dismiss", str(one_id)))[0] == 2
        assert (
            "Nothing there" in (await desk(box, "list", "--state", "quarantined" if box == "inbox" else "unknown"))[1]
        )
    async with sessions() as session:
        kept = await one(session, "select state, disposition, error, settled_at from inbox")
        sent = await one(session, "select state, error, settled_at from outbox where id = :id", id=row_id)
        event = await one(session, "select actor_name, channel, data from ticket_event where kind = 'dismissed'")
    assert (kept.state, kept.disposition, kept.error) == ("done", "dismissed", "ValueError")
    assert (sent.state, sent.error) == ("dropped", "timeout")
    assert None not in (kept.settled_at, sent.settled_at)
    assert (event.channel, event.data["was"], event.data["error"]) == ("command line", "unknown", "timeout")
    assert "dismissed" in (await desk("ticket", "show", ticket.reference))[1]
    # A slip is no loss.
    assert (await desk("inbox", "retry", str(item)))[0] == 0
    assert (await desk("outbox", "retry", str(row_id)))[0] == 0


async def test_a_tickets_whole_story_is_shown_as_it_was_written(desk: Command, sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await engineer(session)
        ticket = await opened(session, words="Кабинет [/b] не [red]открывается")
        await add(session, ticket, "[link=x]Ау[/link] [photo]", NOW + minutes(1))
    code, out, err = await desk("ticket", "show", ticket.reference.lower())
    assert (code, err) == (0, "")
    for words in (ticket.reference, "Кабинет [/b] не [red]открывается", "[link=x]Ау[/link] [photo]", "opened", "wrote"):
        assert words in out
    assert "first_response" in out
    assert "2026-11-22 14:10:00 +05" in out
    assert "The log is whole" in out


@pytest.mark.parametrize("days", [0, 31])
async def test_what_is_forgotten_is_said(
    desk: Command, sessions: Sessions, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    monkeypatch.setattr("app.story.time.utcnow", lambda: NOW + timedelta(days=days, seconds=1))
    async with transaction(sessions) as session:
        ticket = await opened(session)
        await session.execute(text("delete from outbox"))
    out = (await desk("ticket", "show", ticket.reference))[1]
    assert ("Deliveries older than 30 days" in out) is (days > 0)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "running 30 min of"), ("ru", "прошло 30 мин из"), ("kk", "ішінен 30 мин өтті")],
)
async def test_the_command_line_explains_every_line(
    desk: Command, sessions: Sessions, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setattr("app.sla.time.utcnow", lambda: NOW + minutes(60))
    async with transaction(sessions) as session:
        agent, ticket = await engineer(session), await opened(session)
        await work.ask(session, PROFILE, agent, ticket.id, NOW + minutes(30))
    code, out, err = await desk("sla", "explain", ticket.reference.lower(), "--language", language)
    assert (code, err) == (0, "")
    assert out.count(words) == 2
    assert "14:00–14:30" in out
    assert "14:30–15:00" in out


async def test_a_log_that_was_tampered_with_is_said_so(desk: Command, sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        await session.execute(text("alter table ticket_event disable trigger user"))
        await session.execute(text("update ticket_event set actor_name = 'Никто'"))
        await session.execute(text("alter table ticket_event enable trigger user"))
    assert "tampered" in (await desk("ticket", "show", ticket.reference))[1]


async def test_organizations_and_contacts_are_added_listed_and_removed(desk: Command) -> None:
    assert "Nothing there" in (await desk("organization", "list"))[1]
    added = await desk("organization", "add", "АО  Ромашка", "--contract", "№ 17/2026", "--named-only")
    assert added == (0, "АО Ромашка is an organization of prodata.\n", "")
    code, _, err = await desk("organization", "add", "ао ромашка")
    assert (code, err) == (2, "kezekshi: there is an organization 'ао ромашка' already\n")
    words = ("contact", "add", "ао ромашка", "Айгуль", "--email", "Aigul@Romashka.KZ", "--phone", "8 (701) 123-45-67")
    assert "of АО Ромашка" in (await desk(*words))[1]
    for more in (("--email", "aigul@romashka.kz"), ("--phone", "+77011234567")):
        code, _, err = await desk("contact", "add", "АО Ромашка", "Ерлан", *more)
        assert code == 2
        assert "another contact's already" in err
    assert "№ 17/2026" in (await desk("organization", "list"))[1]
    for show in (("organization", "show"), ("contact", "list")):
        out = (await desk(*show, "АО Ромашка"))[1]
        assert "aigul@romashka.kz" in out
        assert "+77011234567" in out
    number = re.search(r"contact (\d+)", (await desk("contact", "add", "АО Ромашка", "Ерлан", "--telegram", "55"))[1])
    assert number is not None
    assert (await desk("contact", "remove", number[1])) == (0, "Ерлан is no longer a contact.\n", "")
    assert "Ерлан" not in (await desk("contact", "list", "АО Ромашка"))[1]
    assert (await desk("organization", "remove", "АО Ромашка"))[0] == 0
    assert "Nothing there" in (await desk("organization", "list"))[1]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--email", "aigul"), "--email"),
        (("--phone", "12"), "--phone"),
        ((), "--telegram"),
    ],
)
async def test_an_address_that_is_none_is_refused(desk: Command, more: tuple[str, ...], named: str) -> None:
    await desk("organization", "add", "АО Ромашка")
    code, out, err = await desk("contact", "add", "АО Ромашка", "Айгуль", *more)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert named in err


async def test_a_project_is_the_cabinet_of_one_organization(desk: Command, sessions: Sessions) -> None:
    for name in ("АО Ромашка", "АО Лютик"):
        await desk("organization", "add", name)
    waits = await desk("organization", "cabinet", "ао ромашка", "p1")
    assert waits == (0, "p1 is a cabinet of АО Ромашка. The cloud has not shown it yet.\n", "")
    assert "not seen yet" in (await desk("organization", "show", "АО Ромашка"))[1]
    projects = [{"project_id": f"p{n}", "name": name, "enabled": True} for n, name in enumerate("xabb")]
    async with transaction(sessions) as session:
        await mirror.store_projects(session, DESK, projects, NOW)
    by_name = await desk("organization", "cabinet", "АО Ромашка", "a")
    assert by_name == (0, "a is a cabinet of АО Ромашка.\n", "")
    code, _, err = await desk("organization", "cabinet", "АО Лютик", "p1")
    assert (code, err) == (2, "kezekshi: a is a cabinet of 'АО Ромашка'; first --none there\n")
    code, _, err = await desk("organization", "cabinet", "АО Лютик", "b")
    assert (code, err) == (2, "kezekshi: several projects are called 'b'; please give the id\n")
    code, _, err = await desk("organization", "cabinet", "АО Лютик", "p1", "--none")
    assert (code, err) == (2, "kezekshi: p1 is no cabinet of this organization\n")
    for words in ((), ("--none",)):
        code, _, err = await desk("organization", "cabinet", "Никто", "p1", *words)
        assert (code, err) == (2, "kezekshi: no organization 'Никто'\n")
    assert re.search(r"АО Ромашка +│ – +│ 0 +│ 1 ", (await desk("organization", "list"))[1])
    gone = await desk("organization", "cabinet", "АО Ромашка", "p1", "--none")
    assert gone == (0, "a is no longer a cabinet of АО Ромашка.\n", "")
    assert (await desk("organization", "cabinet", "АО Лютик", "p1"))[0] == 0
    # Of one that was never seen nothing stays.
    await desk("organization", "cabinet", "АО Ромашка", "typo")
    await desk("organization", "cabinet", "АО Ромашка", "typo", "--none")
    async with sessions() as session:
        assert not await rows(session, "select 1 from cloud_project where project_id = 'typo'")


async def test_rights_of_a_contact_are_given_shown_and_taken(desk: Command) -> None:
    await desk("organization", "add", "АО Ромашка")
    words = ("contact", "add", "АО Ромашка", "Айгуль", "--telegram", "55")
    number = re.search(r"contact (\d+)", (await desk(*words, "--rights", "power", "--rights", "request"))[1])
    assert number is not None
    assert "request, power" in (await desk("contact", "list", "АО Ромашка"))[1]
    assert await desk("contact", "rights", number[1], "money") == (0, "Айгуль may: money.\n", "")
    assert "money" in (await desk("organization", "show", "АО Ромашка"))[1]
    for wrong in (("contact", "rights", number[1], "root"), ("contact", "add", "АО Ромашка", "Ерлан", "--telegram", "5",
                  "--rights", "root")):  # fmt: skip
        code, _, err = await desk(*wrong)
        assert (code, err) == (2, "kezekshi: no right 'root'; there are: request, power, money\n")
    assert "Ерлан" not in (await desk("contact", "list", "АО Ромашка"))[1]
    taken = await desk("contact", "rights", number[1], "--none")
    assert taken == (0, "Айгуль may: nothing in the cloud.\n", "")
    assert "money" not in (await desk("contact", "list", "АО Ромашка"))[1]


async def test_migrating_twice_is_no_error(desk: Command) -> None:
    assert (await desk("migrate"))[0] == 0
    assert (await desk("migrate"))[0] == 0


def run(*words: str, cwd: Path) -> Any:
    command = [Path(sys.executable).with_name("kezekshi"), *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_the_installed_program_itself(tmp_path: Path) -> None:
    done = run("nosuch", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "kezekshi: No such command 'nosuch'.\n"
