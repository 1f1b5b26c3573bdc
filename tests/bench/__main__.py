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

from app.logs import configure
from tests.bench import cloud, mail, report, sla
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
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--sla", action="store_true", help="promises instead: sweeps and deadlines")
    other.add_argument("--mail", action="store_true", help="mail instead: from the mailbox to the ticket")
    other.add_argument("--cloud", action="store_true", help="the cloud instead: its mirror, dialogues, actions")
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
    report.show(console, table, about, command, report.counted(rounds))
    if report.repeats(found):
        console.print(f"copies that came twice: {report.repeats(found)}")
    if write:
        report.write(table, about, command, report.counted(rounds))


async def run_sla(console: Console, folder: Path, size: sla.Size, write: bool, command: str) -> None:
    cores = pin()
    server = await asyncio.to_thread(Server, folder)
    version = await server.version()
    table, others = await sla.measure(server, size, _speaker(console, "promises"))
    about = report.machine(cores, version, [{"others": others}])
    title = f"medians of {size.sweeps} sweeps"
    report.show(console, table, about, command, title)
    if write:
        report.write(table, about, command, title, report.PROMISES)


async def run_mail(console: Console, folder: Path, rounds: int, size: mail.Size, write: bool, command: str) -> None:
    cores = pin()
    server = await asyncio.to_thread(Server, folder)
    version = await server.version()
    table, others = await mail.measure(server, size, rounds, _speaker(console, "mail"))
    about = report.machine(cores, version, [{"others": others}])
    report.show(console, table, about, command, report.counted(rounds))
    if write:
        report.write(table, about, command, report.counted(rounds), report.MAIL)


async def run_cloud(console: Console, folder: Path, size: cloud.Size, write: bool, command: str) -> None:
    cores = pin()
    server = await asyncio.to_thread(Server, folder)
    version = await server.version()
    configure("warning")
    table, others = await cloud.measure(server, size, _speaker(console, "cloud"))
    about = report.machine(cores, version, [{"others": others}])
    title = f"medians of {size.sweeps} sweeps and {size.presses} presses"
    report.show(console, table, about, command, title)
    if write:
        report.write(table, about, command, title, report.CLOUD)


def _speaker(console: Console, prefix: str) -> Callable[[str], None]:
    return lambda words: console.print(f"{prefix}: {words}", highlight=False)


def main() -> int:
    args = arguments()
    rounds = args.rounds or (1 if args.quick else 3)
    options = "".join(
        [
            " --sla" if args.sla else "",
            " --mail" if args.mail else "",
            " --cloud" if args.cloud else "",
            " --quick" if args.quick else "",
            f" --rounds {args.rounds}" if args.rounds else "",
        ]
    )
    console = Console(width=None if sys.stdout.isatty() else 120)
    folder = Path(tempfile.mkdtemp(prefix="kezekshi-bench-"))
    # What is registered first is carried out last: the embedded server stops itself before.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = f"python -m tests.bench{options}"
    try:
        if args.sla:
            asyncio.run(run_sla(console, folder, sla.QUICK if args.quick else sla.Size(), args.write, command))
        elif args.cloud:
            asyncio.run(run_cloud(console, folder, cloud.QUICK if args.quick else cloud.Size(), args.write, command))
        elif args.mail:
            size = mail.QUICK if args.quick else mail.Size()
            asyncio.run(run_mail(console, folder, rounds, size, args.write, command))
        else:
            asyncio.run(run(console, folder, rounds, QUICK if args.quick else Size(), args.write, command))
    except Stuck as stuck:
        print(f"bench: {stuck}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    return 0


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    sys.exit(main())
