"""What the four C programs do, for a machine without a C compiler. The first argument says which one."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable

BLOCK = 65536
SILENCE_MS = 10_000
TEXT = b" GET /api/v1/items?page=7 answered 200 with 5120 bytes in 12 ms to client 10.0.0.17\n"
MARK = re.compile(rb"#(\d{9}) ")


def stamp(path: str) -> None:
    """Write one line ``PID NANOSECONDS`` into the FIFO."""
    line = f"{os.getpid()} {time.monotonic_ns()}\n"
    fifo = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    os.write(fifo, line.encode())
    os.close(fifo)


def launch(path: str, *command: str) -> None:
    """Stamp the clock, then become the command."""
    stamp(path)
    os.execvp(command[0], command)


def idle(path: str) -> None:
    """Stamp the clock, then sleep until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    stamp(path)
    while True:
        signal.pause()


def writer(path: str, lines: str) -> None:
    """Wait a second, stamp the clock, print numbered lines (0: for ever), then sleep."""
    time.sleep(1)
    stamp(path)
    total = int(lines) or 10**9
    batch = BLOCK * 16 // (10 + len(TEXT))
    for first in range(0, total, batch):
        numbers = range(first, min(first + batch, total))
        waiting = memoryview(b"".join(b"#%09d%b" % (number, TEXT) for number in numbers))
        while waiting:
            waiting = waiting[os.write(1, waiting[:BLOCK]) :]
    while True:
        signal.pause()


def reader(lines: str) -> None:
    """Drain standard input, check the writer's lines, print what came as JSON."""
    expected, seen, misplaced, following, size, last_ns = int(lines), 0, 0, 0, 0, 0
    ready, tail = select.poll(), b""
    ready.register(0, select.POLLIN)
    while (not expected or following < expected) and ready.poll(SILENCE_MS if seen else None):
        chunk = os.read(0, 1 << 20)
        if not chunk:
            break
        last_ns = time.monotonic_ns()
        size += len(chunk)
        whole, newline, tail = (tail + chunk).rpartition(b"\n")
        for digits in MARK.findall(whole + newline):
            misplaced += int(digits) != following
            following = int(digits) + 1
            seen += 1
    counted = {"lines": seen, "misplaced": misplaced, "bytes": size, "last_ns": last_ns}
    cpu_ms = int(time.process_time() * 1000)
    sys.stdout.write(json.dumps({**counted, "cpu_ms": cpu_ms}) + "\n")


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {
        "launch": launch,
        "idle": idle,
        "writer": writer,
        "reader": reader,
    }
    parts[sys.argv[1]](*sys.argv[2:])
