"""`python -m sandbox`: the stand-in for Telegram, a mail server and a cloud, alone."""

import argparse
import asyncio
import signal
from contextlib import suppress

import uvloop
from aiohttp import web

from sandbox.telegram.app import make_app
from sandbox.telegram.limits import Rates


def limits(text: str) -> Rates | None:
    """off, or per second / per private chat and second / per group and minute."""
    if text == "off":
        return None
    parts = text.split("/")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError("off, or three numbers as in 30/1/20")
    return Rates(*(int(part) for part in parts))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Telegram, mail and a cloud on loopback")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one")
    parser.add_argument("--imap-port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--limits", type=limits, default="30/1/20", metavar="off|30/1/20")
    parser.add_argument("--quiet", action="store_true", help="do not print the address")
    return parser.parse_args()


async def serve(args: argparse.Namespace) -> None:
    """Listen until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    app = make_app(rates=args.limits, imap_port=args.imap_port, smtp_port=args.smtp_port)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, args.host, args.port).start()
    except OSError as error:
        raise SystemExit(f"sandbox: {args.host}:{args.port} cannot be used: {error.strerror}") from None
    if not args.quiet:
        bound = runner.addresses[0][1]
        print(f"The sandbox listens on http://{args.host}:{bound}", flush=True)
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    args = arguments()
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(args))


if __name__ == "__main__":
    main()
