"""`python -m tests.bench --mail`: from a real IMAP server to committed tickets and replies, beside a bare reader."""

import asyncio
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench import mailfloor
from tests.bench.filled import fill
from tests.bench.letters import id_of, letter, shapes
from tests.bench.load import Stuck
from tests.bench.mailfloor import Open
from tests.bench.mailstage import TABLES, Desk, connect_group, counted
from tests.bench.report import Line
from tests.bench.rounds import Numbers
from tests.bench.stage import Server, machine_busy, our_own
from tests.integration.mailserver import MailServer, running

GOAL_RATIO, GOAL_CPU, GOAL_GROWTH = 0.4, 5.0, 1.3
WARM_UP, WARM = 100, 500_000
# Rows that the floor may write more or less of, as a share of the mails.
SAME_ROWS = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    """Mails of a burst, and tickets that are there already in the full database."""

    mails: int = 1000
    tickets: int = 100_000
    timeout: float = 240.0


QUICK = Size(mails=400)


async def measure(server: Server, size: Size, rounds: int, say: Callable[[str], None]) -> tuple[list[Line], float]:
    """The table's rows, and what share of the machine other programs took."""
    begin, busy = time.monotonic(), machine_busy() - our_own() - server.cpu()
    say(f"{len(shapes())} shapes; {size.tickets:,} tickets are being put into a database")
    full = await _empty(server)
    await fill(full, size.tickets)
    found = []
    with running() as mail:
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}")
            found.append(await _round(server, mail, size, full, say))
    foreign = machine_busy() - our_own() - server.cpu() - busy
    return lines(found, size), max(foreign / (time.monotonic() - begin) / (os.cpu_count() or 1), 0.0)


async def _round(server: Server, mail: MailServer, size: Size, full: str, say: Callable[[str], None]) -> Numbers:
    """Each on a database and a mailbox of its own. New ones first, then a reply to each of them."""
    found: Numbers = {}
    for name, processes in (("one", 1), ("two", 2)):
        say(f"the desk, {name} process" + "es" * (processes > 1))
        database = await _empty(server)
        found |= await _desk(server, mail, database, processes, size, name)
        rows = await counted(database)
    say(f"the desk, {size.tickets:,} tickets")
    found |= await _desk(server, mail, await server.copy(full), 1, size, "full", old=size.tickets)
    say("the floor")
    database = await _empty(server)
    found |= await _floor(server, database, size)
    _same_rows(rows, await counted(database), WARM_UP + 2 * size.mails)
    return found


async def _desk(
    server: Server, mail: MailServer, database: str, processes: int, size: Size, name: str, old: int = 0
) -> Numbers:
    found: Numbers = {}
    async with Desk(server, database, mail, processes) as desk:
        await desk.take(_warm(), "opened", size.timeout)
        for kind, disposition, mails in (("new", "opened", _new(size)), ("replies", "added", _replies(size, old))):
            await server.calm()
            seconds, cpu, pg = await desk.take(mails, disposition, size.timeout)
            found |= _numbers(f"{name}_{kind}", size.mails, seconds, cpu, pg)
    return found


async def _floor(server: Server, database: str, size: Size) -> Numbers:
    found: Numbers = {}
    threads: dict[str, Open] = {}
    await asyncio.to_thread(mailfloor.run, database, _warm(), threads, server.cpu)
    for kind, mails in (("new", _new(size)), ("replies", _replies(size))):
        await server.calm()
        spent = await asyncio.to_thread(mailfloor.run, database, mails, threads, server.cpu)
        found |= _numbers(f"floor_{kind}", size.mails, *spent)
    return found


def _numbers(name: str, mails: int, seconds: float, cpu: float, pg: float) -> Numbers:
    values = {"rate": mails / seconds, "cpu": cpu / mails * 1000, "pg": pg / mails * 1000}
    return {f"{name}_{what}": value for what, value in values.items()}


def _warm() -> list[bytes]:
    return [letter("warm", WARM + number) for number in range(WARM_UP)]


def _new(size: Size) -> list[bytes]:
    """From people whom nobody knows."""
    return [letter("new", 2 * WARM + number) for number in range(size.mails)]


def _replies(size: Size, old: int = 0) -> list[bytes]:
    """To the new tickets, or to some anywhere among the old ones."""
    if old:
        chosen = [1 + number * old // size.mails for number in range(size.mails)]
        return [letter("reply", number, id_of("old", number)) for number in chosen]
    return [letter("reply", number, id_of("new", number)) for number in range(2 * WARM, 2 * WARM + size.mails)]


async def _empty(server: Server) -> str:
    database = await server.new_database()
    await connect_group(database)
    return database


def _same_rows(desk: dict[str, int], floor: dict[str, int], mails: int) -> None:
    """A floor that writes something else would be none."""
    for table in TABLES:
        if abs(desk[table] - floor[table]) > SAME_ROWS * mails:
            raise Stuck(f"{table}: the desk wrote {desk[table]} rows, the floor {floor[table]}")


# --- the table -------------------------------------------------------------------------------------------------------


def lines(rounds: Sequence[Numbers], size: Size) -> list[Line]:
    """Medians, and the range of all rounds where there is more than one."""
    table: list[Line] = []
    for kind, words in (("new", f"{size.mails} new tickets"), ("replies", f"{size.mails} replies")):
        for name, processes in (("one", "one process"), ("two", "two processes")):
            about = f"{words}, {processes}"
            table += [
                _beside(rounds, f"{about}: mails/s", name, f"{kind}_rate", at_least=GOAL_RATIO),
                _beside(rounds, f"{about}: CPU of the desk, ms/mail", name, f"{kind}_cpu", below=GOAL_CPU),
                _beside(rounds, f"{about}: CPU of PostgreSQL, ms/mail", name, f"{kind}_pg"),
            ]
    for kind, words in (("new", "new tickets"), ("replies", "replies")):
        about = f"{words}, {size.tickets:,} tickets : none"
        grown = statistics.median(_cpu(one, f"full_{kind}") / _cpu(one, f"one_{kind}") for one in rounds)
        table += [
            (f"{about}, CPU of both", f"{grown:.2f}", "", "", _below(grown, GOAL_GROWTH)),
            (f"{about}, time", f"{_middle(rounds, f'one_{kind}_rate', f'full_{kind}_rate'):.2f}", "", "", ""),
        ]
    return table


def _beside(
    rounds: Sequence[Numbers], words: str, name: str, what: str, at_least: float = 0.0, below: float = 0.0
) -> Line:
    """The goal is a share of the floor, or a limit of the desk's own."""
    digits = 0 if what.endswith("rate") else 2
    share = _middle(rounds, f"{name}_{what}", f"floor_{what}")
    goal = f"≥ {at_least:g}: {'reached' if share >= at_least else 'missed'}" if at_least else ""
    if below:
        goal = _below(statistics.median(one[f"{name}_{what}"] for one in rounds), below)
    desk, floor = (_shown(rounds, f"{side}_{what}", digits) for side in (name, "floor"))
    return (words, desk, floor, f"{share:.2f}", goal)


def _cpu(one: Numbers, name: str) -> float:
    return one[f"{name}_cpu"] + one[f"{name}_pg"]


def _middle(rounds: Sequence[Numbers], above: str, below: str) -> float:
    """The median of the ratios within a round: what disturbs the machine disturbs both."""
    return statistics.median(one[above] / one[below] for one in rounds)


def _shown(rounds: Sequence[Numbers], name: str, digits: int) -> str:
    values = [one[name] for one in rounds]
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def _below(value: float, goal: float) -> str:
    return f"< {goal:g}: {'reached' if value < goal else 'missed'}"
