"""`python -m tests.e2e.nursery SOCKET`: forks processes of the program.

A desk and a stand-in are processes of their own, killed and started again by the dozen; most of a start would be
imports. This process has imported everything once and forks: the same entry point, the same settings from the
environment, its own process id, without the wait.
"""

import contextlib
import gc
import json
import os
import random
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

import app.cli
import app.run
import sandbox.__main__

PROGRAMS: dict[str, Callable[[], object]] = {"desk": app.cli.main, "stand-in": sandbox.__main__.main}


def serve(path: str) -> None:
    """One connection a child: the order and its output come in; its id goes out, and at its end the exit code."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    listener.setblocking(True)
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    children: dict[int, socket.socket] = {}
    selector = selectors.DefaultSelector()
    for source in (listener, woken, sys.stdin):
        selector.register(source, selectors.EVENT_READ)
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                _bear(listener, children, (selector, listener, woken, waker))
            elif key.fileobj is woken:
                woken.recv(4096)
                _bury(children)
            elif not os.read(0, 4096):
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return


def _bear(listener: socket.socket, children: dict[int, socket.socket], ours: tuple[Any, ...]) -> None:
    caller, _ = listener.accept()
    order, (output,), _, _ = socket.recv_fds(caller, 65536, 1)
    pid = os.fork()
    if pid == 0:
        for thing in (*ours, caller, *children.values()):
            thing.close()
        _live(json.loads(order), output)
    os.close(output)
    children[pid] = caller
    caller.sendall(f"{pid}\n".encode())


def _live(order: dict[str, Any], output: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(output)
    random.seed()
    os.environ.update(order["env"])
    sys.argv = [order["program"], *order["arguments"]]
    code = 0
    try:
        PROGRAMS[order["program"]]()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _bury(children: dict[int, socket.socket]) -> None:
    for pid in list(children):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            caller = children.pop(pid)
            # Whoever asked for it may have gone.
            with contextlib.suppress(OSError):
                caller.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            caller.close()


if __name__ == "__main__":
    serve(sys.argv[1])
