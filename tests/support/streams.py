"""Children that write numbered lines and count what was taken, and readers that check what came out."""

from __future__ import annotations

import os
import re
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.hosted import PATIENCE, python

LINE_BYTES = 94

WRITER = r"""
import mmap, os, signal, struct, time

environ = os.environ
lines, batch, ending = int(environ["LINES"]), int(environ["BATCH"]), environ["ON_TERM"]
with open(environ["COUNTER"], "w+b") as file:
    file.truncate(8)
    counter = mmap.mmap(file.fileno(), 8)
told = []
if ending != "dies":
    signal.signal(signal.SIGTERM, lambda *_: told.append(1))
while "GATE" in environ and not os.path.exists(environ["GATE"]):
    time.sleep(0.01)
until = time.monotonic() + float(environ["SECONDS"])
taken = line = 0
waiting = memoryview(b"")
while time.monotonic() < until and not (told and ending == "ends"):
    if not waiting:
        if line >= lines:
            break
        last = min(line + batch, lines)
        waiting = memoryview(b"".join([b"%09d %b\n" % (n, b"x" * 83) for n in range(line, last)]))
        line = last
    written = os.write(1, waiting)
    taken += written
    struct.pack_into("<q", counter, 0, taken)
    waiting = waiting[written:]
"""
"""Writes lines of 94 bytes as fast as it is let; in a file are the bytes that the kernel took from it.

On SIGTERM it dies in the middle of whatever it is doing, or ends, or goes on to the end of its task."""


def writer(name: str, home: Path, *, lines: int = 10**9, seconds: float = 600, batch: int = 1000,
           on_term: str = "ends", gate: Path | None = None, **settings: Any) -> dict[str, Any]:  # fmt: skip
    """Return the config of a process that writes numbered lines and counts the bytes that were taken.

    Args:
        name: of the process.
        home: where the count is; see ``taken_from``.
        lines: how many it wants to write.
        seconds: for how long.
        batch: how many lines at once; with up to 43 of them a write is atomic (pipe(7), PIPE_BUF).
        on_term: what it does on SIGTERM: ``dies``, ``ends`` or ``goes on``.
        gate: it begins when this file is there.
        **settings: further keys of its config.
    """
    envs = {
        "LINES": str(lines),
        "SECONDS": str(seconds),
        "BATCH": str(batch),
        "ON_TERM": on_term,
        "COUNTER": str(home / f"{name}.count"),
        **({} if gate is None else {"GATE": str(gate)}),
    }
    return python(name, WRITER, envs=envs, **settings)


def taken_from(home: Path, name: str) -> int:
    """Return how many bytes a writer got rid of so far."""
    try:
        return int(struct.unpack("<q", (home / f"{name}.count").read_bytes())[0])
    except (FileNotFoundError, struct.error):
        return 0


def messages(data: bytes, name: str) -> bytes:
    """Return the plain lines of a process among records in logfmt, without a last newline."""
    return b"\n".join(
        re.findall(rb'(?m)^time="[^"]*" level=info msg="?([^"\n]*?)"? name=%b ' % name.encode(), data)
    )


def numbered(size: int) -> bytes:
    """Return the beginning of what a writer writes."""
    lines = -(-size // LINE_BYTES)
    return b"".join([b"%09d %b\n" % (number, b"x" * 83) for number in range(lines)])[:size]


class Reader:
    """Reads a pipe to its end in the background.

    Args:
        fd: closed at the end.
        rate: bytes a second at most.
        take: gets every piece; without it they are kept.
    """

    def __init__(
        self, fd: int, rate: float | None = None, take: Callable[[bytes], object] | None = None
    ) -> None:
        self.size = 0
        self._fd = fd
        self._rate = rate
        self._kept: list[bytes] = []
        self._take = take or self._kept.append
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def everything(self, seconds: float = PATIENCE) -> bytes:
        """Wait for the end of the pipe and return what was kept."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the pipe has no end"
        return self.so_far()

    def so_far(self) -> bytes:
        """Return what was kept until now."""
        return b"".join(self._kept)

    def _run(self) -> None:
        began = time.monotonic()
        most = 1 << 20 if self._rate is None else 1 << 14
        while data := os.read(self._fd, most):
            self.size += len(data)
            self._take(data)
            if self._rate is not None:
                time.sleep(max(0.0, began + self.size / self._rate - time.monotonic()))
        os.close(self._fd)


class Numbers:
    """Checks, piece by piece, that numbered lines arrive in order, each in its own whole record.

    Attributes:
        seen: how many have arrived.
        wrong: the first record that is not as it should be.
    """

    def __init__(self, name: str) -> None:
        self._record = re.compile(
            rb'(?m)^time="[-0-9T:.]{23}Z" level=info msg="(\d{9}) x{83}" name=%b out=stdout pid=\d+$'
            % name.encode()
        )
        self.seen = 0
        self.wrong = b""
        self._tail = b""

    def take(self, data: bytes) -> None:
        """Look at the next piece."""
        block, newline, self._tail = (self._tail + data).rpartition(b"\n")
        if not newline:
            return
        found = self._record.findall(block)
        strangers = block.count(b"\n") + 1 - len(found)
        if strangers != block.count(b" name=procwrap") and not self.wrong:
            others = self._record.sub(b"", block).split(b"\n")
            self.wrong = next(line for line in others if line and b" name=procwrap" not in line)
        if found != [b"%09d" % number for number in range(self.seen, self.seen + len(found))]:
            self.wrong = self.wrong or b"out of order: %b to %b" % (found[0], found[-1])
        self.seen += len(found)

    def verdict(self) -> tuple[int, bytes, bytes]:
        """Return how many lines came, what was wrong, and what came after the last newline."""
        return self.seen, self.wrong, self._tail
