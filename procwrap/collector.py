"""``procwrap events --listen-udp ADDRESS``: prints the events that arrive there, without Twisted."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TextIO

from attrs import frozen

from procwrap.config.problem import WrongValueError
from procwrap.config.units import host_port
from procwrap.core.printable import printable, quoted
from procwrap.core.timestamp import rfc3339
from procwrap.errors import CannotStartError, ExitStatus, UsageError

USAGE = """\
Usage: procwrap events --listen-udp ADDRESS

Prints every datagram that arrives on ADDRESS (:9999, host:port) in one line: when, from where, and what it
holds. METRICS_SERVER_ADDRESS of a procwrap that shall send its events here is that address. Ends on Ctrl-C.
"""

LARGEST = 65_536
_OPTION = "listen-udp"


@frozen
class Signals:
    """SIGINT and SIGTERM as bytes in a pipe, so that no line is torn by them.

    Attributes:
        reading: the end of the pipe that they are read from.
    """

    reading: int
    _writing: int

    @classmethod
    def caught(cls) -> Signals:
        """Take the two signals over."""
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        return cls(reading, writing)

    def first(self) -> int | None:
        """Return the number of the first one that has arrived."""
        with suppress(BlockingIOError):
            return os.read(self.reading, 1)[0]
        return None


def run(arguments: Sequence[str], out: TextIO, now: Callable[[], float]) -> int:
    """Print what arrives until a signal says that it is enough.

    Args:
        arguments: what follows ``events`` on the command line.
        out: gets one line for each datagram.
        now: seconds since the epoch.

    Returns:
        The exit code: 130 after SIGINT, 0 after SIGTERM, or when nobody reads ``out`` any more.

    Raises:
        UsageError: the arguments ask for something that cannot be.
        CannotStartError: the address cannot be had.
    """
    if any(word.lstrip("-") in ("h", "help") and word.startswith("-") for word in arguments):
        out.write(USAGE)
        return ExitStatus.DONE
    address = _address(arguments)
    signals = Signals.caught()
    with _listening(address) as server:
        try:
            return _print_all(server, signals, out, now)
        except BrokenPipeError:
            return ExitStatus.DONE


def _print_all(server: socket.socket, signals: Signals, out: TextIO, now: Callable[[], float]) -> int:
    poll = select.poll()
    poll.register(server, select.POLLIN)
    poll.register(signals.reading, select.POLLIN)
    while True:
        poll.poll()
        number = signals.first()
        if number is not None:
            return ExitStatus.INTERRUPTED if number == signal.SIGINT else ExitStatus.DONE
        with suppress(BlockingIOError):
            data, (host, port, *_) = server.recvfrom(LARGEST)
            out.write(line(data, host, port, now()))
            out.flush()


def line(data: bytes, host: str, port: int, wall: float) -> str:
    """Write one datagram as a line that no terminal misunderstands."""
    text = printable(data.decode("utf-8", "backslashreplace").rstrip("\n"))
    host = host.removeprefix("::ffff:")
    return f"{rfc3339(wall)} {f'[{host}]' if ':' in host else host}:{port} {text}\n"


def _address(arguments: Sequence[str]) -> str:
    words = list(arguments)
    word = words.pop(0) if words else ""
    name, equals, address = word.partition("=")
    if name not in (f"-{_OPTION}", f"--{_OPTION}"):
        given = f", got {quoted(word)}" if word else ""
        raise UsageError(f"procwrap events: expected --{_OPTION} ADDRESS{given}: see procwrap events --help")
    if not equals:
        address = words.pop(0) if words else ""
    if not address or words:
        raise UsageError(f"procwrap events: --{_OPTION} takes one address, such as :9999")
    return address


def _listening(address: str) -> socket.socket:
    try:
        host, port = host_port(address)
    except WrongValueError as error:
        raise UsageError(f"--{_OPTION}: {error}") from None
    try:
        if address.startswith(":"):
            return _everywhere(port)
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        return _bound(socket.AddressFamily(family), where)
    except OSError as error:
        raise CannotStartError(f"cannot listen on {printable(address)}: {error.strerror or error}") from None


def _everywhere(port: int) -> socket.socket:
    try:
        return _bound(socket.AF_INET6, ("::", port))
    except OSError:
        # The kernel may have no IPv6.
        return _bound(socket.AF_INET, ("", port))


def _bound(family: int, where: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, where[0] != "::")
        made.bind(where)
    except BaseException:
        made.close()
        raise
    return made
