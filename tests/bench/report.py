"""Rounds → a table: medians with what lies around them, for the terminal and for docs/performance.md."""

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.rounds import Numbers, Size

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
# Each table of the page stands between marks of its own.
MESSAGES, PROMISES, MAIL, CLOUD = "bench", "bench of promises", "bench of mail", "bench of the cloud"
# Above this share of the machine for other programs, rates and waits tell of them; CPU per update still holds.
DISTURBED = 0.1
GOAL_RATIO, GOAL_P50, GOAL_P99 = 0.6, 15.0, 100.0
HEAD = ("measure", "desk", "floor", "desk / floor", "goal")
Line = tuple[str, str, str, str, str]


def lines(rounds: Sequence[Numbers], size: Size) -> list[Line]:
    """The table's rows: medians, and the range of all rounds where there is more than one."""

    def shown(name: str, digits: int = 0) -> str:
        values = [one[name] for one in rounds]
        middle = f"{statistics.median(values):.{digits}f}"
        return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"

    def ratio(above: str, below: str) -> str:
        return f"{_middle(rounds, above, below):.2f}"

    def reached(ok: bool, goal: str) -> str:
        return f"{goal}: {'reached' if ok else 'missed'}"

    def rate(words: str, name: str, floor: str, goal: bool = True) -> Line:
        share = _middle(rounds, f"{name}_rate", f"{floor}_rate")
        return (
            words,
            shown(f"{name}_rate"),
            shown(f"{floor}_rate"),
            f"{share:.2f}",
            reached(share >= GOAL_RATIO, f"≥ {GOAL_RATIO:g}") if goal else "",
        )

    def cpu(words: str, what: str, name: str, floor: str) -> Line:
        above, below = f"{name}_{what}", f"{floor}_{what}"
        return (words, shown(above, 2), shown(below, 2), ratio(above, below), "")

    def wait(words: str, name: str, goal: float | None) -> Line:
        value = statistics.median(one[f"desk_steady_{name}"] for one in rounds)
        return (
            words,
            shown(f"desk_steady_{name}", 1),
            "",
            "",
            reached(value < goal, f"< {goal:g}") if goal is not None else "",
        )

    pace = f"{size.per_second:g}/s for {size.seconds} s"
    return [
        rate(f"known people: {size.updates} messages, updates/s", "desk_known", "floor_known"),
        cpu("known people: CPU of the process, ms/update", "cpu", "desk_known", "floor_known"),
        cpu("known people: CPU of PostgreSQL, ms/update", "pg", "desk_known", "floor_known"),
        rate(f"new people: {size.newcomers} tickets, tickets/s", "desk_new", "floor_new"),
        rate("new people, beside a floor with the desk's calls", "desk_new", "floor_calls", goal=False),
        cpu("new people: CPU of the process, ms/ticket", "cpu", "desk_new", "floor_calls"),
        cpu("new people: CPU of PostgreSQL, ms/ticket", "pg", "desk_new", "floor_calls"),
        wait(f"{pace}: p50, ms", "p50", GOAL_P50),
        wait(f"{pace}: p95, ms", "p95", None),
        wait(f"{pace}: p99, ms", "p99", GOAL_P99),
        wait(f"{pace}: worst, ms", "worst", None),
        wait(f"{pace}: CPU of the desk, ms/update", "cpu", None),
        wait(f"{pace}: CPU of PostgreSQL, ms/update", "pg", None),
    ]


def _middle(rounds: Sequence[Numbers], above: str, below: str) -> float:
    """The median of the ratios within a round: what disturbs the machine disturbs both."""
    return statistics.median(one[above] / one[below] for one in rounds)


def repeats(rounds: Sequence[Numbers]) -> int:
    """Copies that stood in a topic twice; there should be none."""
    return int(sum(value for one in rounds for name, value in one.items() if name.endswith("_repeats")))


def machine(cores: int, postgres: str, rounds: Sequence[Numbers]) -> str:
    others = statistics.median(one["others"] for one in rounds)
    warning = " (disturbed: only CPU can be relied on)" if others > DISTURBED else ""
    return (
        f"{cores} of {os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, PostgreSQL {postgres}, fsync on, "
        f"{datetime.now(UTC):%Y-%m-%d}; other programs took {others:.0%} of the machine{warning}"
    )


def counted(rounds: int) -> str:
    return f"medians of {rounds} rounds (lowest–highest)" if rounds > 1 else "one round"


def show(console: Console, table: Sequence[Line], about: str, command: str, title: str) -> None:
    drawn = Table(title=title, title_justify="left")
    for number, name in enumerate(HEAD):
        drawn.add_column(name, justify="left" if number in (0, 4) else "right")
    for line in table:
        drawn.add_row(*line)
    console.print(drawn)
    console.print(about, soft_wrap=True)
    console.print(command, soft_wrap=True)


def write(table: Sequence[Line], about: str, command: str, title: str, mark: str = MESSAGES) -> None:
    """Put the table between the page's marks. Raises ValueError if they are not there."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, opening, rest = page.partition(begin)
    _, closing, after = rest.partition(end)
    if not opening or not closing:
        raise ValueError(f"{PAGE.name} has no marks for the table")
    rows = ["| " + " | ".join(HEAD) + " |", "|---|---:|---:|---:|---|"]
    rows += ["| " + " | ".join(line) + " |" for line in table]
    words = f"`{command}`: {title}. {about}."
    PAGE.write_text(f"{before}{begin}\n{words}\n\n" + "\n".join(rows) + f"\n{end}{after}", encoding="utf-8")
