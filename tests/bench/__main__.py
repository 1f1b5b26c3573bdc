"""`python -m tests.bench`: measures the desk beside a floor in the same run. A measurement, never a test."""

import argparse
import asyncio
import atexit
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.bench import report
from tests.bench.load import Stuck
from tests.bench.rounds import QUICK, Size, measure
from tests.bench.stage import Server, pin


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number of at least 1")
    return int(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="The desk beside a bare loop, Telegram's budgets lifted, fsync on."
    )
    parser.add_argument("--rounds", type=positive, help="how many; medians are shown (3, or 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="smaller bursts, one round: a first impression")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


async def run(console: Console, folder: Path, rounds: int, size: Size, write: bool, command: str) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    cores = pin()
    server = await asyncio.to_thread(Server, folder)
    version = await server.version()
    found = []
    for number in range(1, rounds + 1):
        found.append(await measure(server, size, _speaker(console, f"round {number} of {rounds}")))
    about = report.machine(cores, version, found)
    table = report.lines(found, size)
    report.show(console, table, about, command, rounds)
    if report.repeats(found):
        console.print(f"copies that came twice: {report.repeats(found)}")
    if write:
        report.write(table, about, command, rounds)


def _speaker(console: Console, prefix: str) -> Callable[[str], None]:
    return lambda words: console.print(f"{prefix}: {words}", highlight=False)


def main() -> int:
    args = arguments()
    rounds = args.rounds or (1 if args.quick else 3)
    options = "".join([" --quick" if args.quick else "", f" --rounds {args.rounds}" if args.rounds else ""])
    console = Console(width=None if sys.stdout.isatty() else 120)
    folder = Path(tempfile.mkdtemp(prefix="kezekshi-bench-"))
    # What is registered first is carried out last: the embedded server stops itself before.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        asyncio.run(
            run(console, folder, rounds, QUICK if args.quick else Size(), args.write, f"python -m tests.bench{options}")
        )
    except Stuck as stuck:
        print(f"bench: {stuck}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    return 0


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    sys.exit(main())
