"""What people see: lines on stdout and stderr that no terminal misunderstands."""

from __future__ import annotations

import os
import select
from collections.abc import Mapping
from typing import TextIO

from procwrap.core.printable import printable

GREEN, YELLOW, RED, BOLD, DIM = "32", "33", "31", "1", "2"

_NARROWEST = 20


class Screen:
    """Standard output and standard error.

    Attributes:
        is_terminal: whether somebody looks at stdout right now.
        width: columns of that terminal; None where nothing has to fit.
        in_color: whether colours are wanted there.
    """

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self._out = out
        self._err = err
        self.is_terminal = out.isatty()
        self.width = _width(out) if self.is_terminal else None
        # https://no-color.org: any value but an empty one.
        self.in_color = self.is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        for stream in (out, err):
            # A locale that cannot write an ellipsis is no reason to fail.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")

    def line(self, text: str) -> None:
        """Print a line, whose control characters are escaped, or colours."""
        self._out.write(f"{text}\n")

    def record(self, record: bytes) -> None:
        """Print a record of the log: as it is into a file or pipe, and escaped on a terminal."""
        if not self.is_terminal and hasattr(self._out, "buffer"):
            self._out.buffer.write(record + b"\n")
        else:
            # A tab is what it always was; anything else that moves the cursor is told and not done.
            parts = record.decode("utf-8", "backslashreplace").split("\t")
            self._out.write("\t".join(map(printable, parts)) + "\n")

    def flush(self) -> None:
        """Have everything read that was printed."""
        self._out.flush()

    def say(self, text: str) -> None:
        """Print a line on stderr."""
        self.flush()
        self._err.write(f"{printable(text)}\n")
        self._err.flush()

    def is_read(self) -> bool:
        """Return whether there is still somebody who reads stdout."""
        try:
            looking = select.poll()
            looking.register(self._out.fileno(), 0)
        except (OSError, ValueError):
            return True
        return not any(found & (select.POLLERR | select.POLLNVAL) for _, found in looking.poll(0))

    def colored(self, text: str, color: str) -> str:
        """Return a text in a colour, or as it is where none are wanted."""
        return f"\x1b[{color}m{text}\x1b[0m" if self.in_color and color else text


def _width(out: TextIO) -> int | None:
    try:
        columns = os.get_terminal_size(out.fileno()).columns
    except (OSError, ValueError):
        return None
    return max(columns, _NARROWEST) if columns else None
