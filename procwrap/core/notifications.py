"""What a process says of itself in systemd's words (sd_notify(3)), and what is true after each message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

LONGEST = 4096
"""Bytes of a message; a longer one is ignored as a whole, as systemd does it."""

LONGEST_STATUS = 256
"""Characters of a status."""

_NEVER = 2**64 - 1
"""The largest number of microseconds is systemd's word for never."""


@frozen
class Notified:
    """What a process has said in its current run. Times are reactor seconds.

    Attributes:
        ready_at: when it first said that it is ready, in whichever way.
        alive_at: when its watchdog was last fed.
        interval: seconds within which it wants to feed it, 0 is never; None leaves it to the config.
        triggered: it has said itself that its watchdog is to fire.
        stopping: it has announced its end.
        extended_until: until when it has asked for patience.
        status: what it does, in its own words, on one line.
        gives_main_pid: it has named another process as the main one.
        closed: nothing more can come on its descriptor.
        refused: how many messages came from strangers.
    """

    ready_at: float | None = None
    alive_at: float | None = None
    interval: float | None = None
    triggered: bool = False
    stopping: bool = False
    extended_until: float | None = None
    status: str = ""
    gives_main_pid: bool = False
    closed: bool = False
    refused: int = 0

    def is_patient(self, now: float) -> bool:
        """Return whether the time that it has asked for goes on."""
        return self.extended_until is not None and now < self.extended_until

    def silence(self, now: float) -> float:
        """Return for how many seconds its watchdog was not fed; being ready feeds it, too."""
        return 0.0 if self.alive_at is None else now - self.alive_at


def hear(before: Notified, message: bytes, now: float) -> Notified:
    """Return what is true after a message.

    Of an assignment that stands in it twice the first counts; the order of different ones plays no part.
    What is not understood changes nothing.
    """
    message = message.rstrip(b"\0")
    if b"\0" in message:
        return before
    said: dict[bytes, bytes] = {}
    for name, value in _ASSIGNMENT.findall(message.replace(b"\r", b"\n")):
        said.setdefault(name, value)
    after = before
    for name, take in _MEANINGS.items():
        if name in said:
            after = take(after, said[name], now)
    return after


def hear_line(before: Notified, now: float) -> Notified:
    """Return what is true after a line on the descriptor of the process: s6's way of being ready."""
    return _ready(before, b"1", now)


def _ready(before: Notified, value: bytes, now: float) -> Notified:
    if value != b"1":
        return before
    first = now if before.ready_at is None else before.ready_at
    # A new stretch of its life begins, and so does its watchdog.
    return evolve(before, ready_at=first, alive_at=now, extended_until=None)


def _stopping(before: Notified, value: bytes, now: float) -> Notified:
    return evolve(before, stopping=True, extended_until=None) if value == b"1" else before


def _status(before: Notified, value: bytes, now: float) -> Notified:
    # No character takes more than four bytes.
    text = value[: 4 * LONGEST_STATUS].decode("utf-8", "replace")
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return evolve(before, status=words[:LONGEST_STATUS])


def _watchdog(before: Notified, value: bytes, now: float) -> Notified:
    if value == b"1":
        return evolve(before, alive_at=now)
    return evolve(before, triggered=True) if value == b"trigger" else before


def _interval(before: Notified, value: bytes, now: float) -> Notified:
    asked = _microseconds(value)
    if asked is None:
        return before
    return evolve(before, interval=0.0 if asked == _NEVER else asked / 1e6, alive_at=now)


def _extended(before: Notified, value: bytes, now: float) -> Notified:
    asked = _microseconds(value)
    if not asked or asked == _NEVER:
        return before
    return evolve(before, extended_until=now + asked / 1e6)


def _main_pid(before: Notified, value: bytes, now: float) -> Notified:
    return evolve(before, gives_main_pid=True)


def _microseconds(value: bytes) -> int | None:
    if not value.isdigit() or len(value) > len(str(_NEVER)):
        return None
    number = int(value)
    return number if number <= _NEVER else None


_MEANINGS: Mapping[bytes, Callable[[Notified, bytes, float], Notified]] = {
    b"READY": _ready,
    b"STOPPING": _stopping,
    b"STATUS": _status,
    b"WATCHDOG": _watchdog,
    b"WATCHDOG_USEC": _interval,
    # Behind those that begin a new stretch: it is meant for the one that has just begun.
    b"EXTEND_TIMEOUT_USEC": _extended,
    b"MAINPID": _main_pid,
}
_ASSIGNMENT = re.compile(rb"^(" + b"|".join(_MEANINGS) + rb")=(.*)$", re.MULTILINE)
