"""What the processes of `Readers` run: mails in, letters out, each within its budget. Nothing else happens there."""

import gc
import resource
import signal
import struct
import sys
from math import ceil
from pathlib import Path
from typing import BinaryIO

from mailbridge.read import read
from mailbridge.wire import pack

# Seconds of CPU for one mail, and bytes beyond what the process holds when it has read none.
CPU = 5
MEMORY = 256 << 20

FRAME = struct.Struct("!BI")
READ, REFUSED = 0, 1


def serve() -> None:
    """Until standard input ends: whoever started this is gone then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inlet, outlet = sys.stdin.buffer, sys.stdout.buffer
    base = _memory()
    # What the modules hold is never garbage.
    gc.freeze()
    if base:
        resource.setrlimit(resource.RLIMIT_AS, (base + MEMORY, resource.RLIM_INFINITY))
    while head := inlet.read(FRAME.size):
        named, length = FRAME.unpack(head)
        authserv_id = inlet.read(named).decode() or None
        _answer(outlet, inlet.read(length), authserv_id)
        if base and _memory() > base + MEMORY // 4:
            # Whatever it keeps would be missing from the budget of the next mail.
            return


def _answer(outlet: BinaryIO, raw: bytes, authserv_id: str | None) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Beyond it the system ends the process, in the middle of a regular expression too.
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime) + CPU, resource.RLIM_INFINITY))
    try:
        kind, answer = READ, pack(read(raw, authserv_id))
    except MemoryError:
        kind, answer = REFUSED, f"more than {MEMORY >> 20} MB of memory".encode()
    except Exception as error:
        # A fault of ours: the mail is kept whole, and its reason names the place.
        kind, answer = REFUSED, _place(error).encode("utf-8", "replace")
    outlet.write(FRAME.pack(kind, len(answer)))
    outlet.write(answer)
    outlet.flush()


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"


def _memory() -> int:
    """Bytes of address space; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0
