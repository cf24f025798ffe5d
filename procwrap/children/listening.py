"""Opens what a process can say through that it is ready: a socket ($NOTIFY_SOCKET) or a descriptor.

It is opened before the process is executed, which may be before Twisted is imported: nothing here needs it,
and what is said early waits in the socket or the pipe. Every run of a process gets a socket of its own,
with a name that nobody can guess: whatever an earlier run still says reaches nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define, field

from procwrap.errors import SpawnError
from procwrap.spec.probe import NotifyProbe
from procwrap.spec.process import ProcessSpec

if TYPE_CHECKING:
    from socket import socket

PLACES = ("/run", "/tmp")
"""Where the directory of the sockets is made: the first that can be written to."""

OF_THE_PROTOCOL = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
"""Variables that procwrap may have from its own service manager, and that are meant for procwrap alone."""

ABSTRACT = "@procwrap-"
"""How the name of a socket without a place in the file system begins (unix(7))."""


@define(eq=False)
class Listening:
    """Where one run of a process says how it is.

    Attributes:
        socket: its messages arrive there; None when it does not need one.
        environment: what tells it about that.
        number: the descriptor on which it writes a line; None when it does not need one.
        reading: our end of that pipe, -1 when there is none (any more).
        writing: its end of that pipe, -1 when there is none or the process has it.
        path: the file of the socket; None when it has none.
    """

    socket: socket | None = None
    environment: Mapping[str, str] = field(factory=dict)
    number: int | None = None
    reading: int = -1
    writing: int = -1
    path: str | None = None

    def executed(self) -> None:
        """Close what the process has got now."""
        self.writing = _closed(self.writing)

    def close_reading(self) -> None:
        """Close our end of the pipe: it has said all that it can say there."""
        self.reading = _closed(self.reading)

    def close(self) -> None:
        """Close everything; nothing that is said from now on is heard."""
        self.executed()
        self.close_reading()
        if self.socket is not None:
            self.socket.close()
            self.socket = None
        if self.path is not None:
            with suppress(OSError):  # somebody was tidy
                os.unlink(self.path)
            self.path = None


@define(eq=False)
class NotifySockets:
    """Opens the sockets, in a directory that is made for the first of them.

    Args:
        places: where that directory may be made.
    """

    _places: tuple[str, ...] = PLACES
    _directory: str | None = None

    def open(self, spec: ProcessSpec) -> Listening | None:
        """Open what the probes of a process need; None when they need nothing.

        Raises:
            SpawnError: it cannot be opened.
        """
        probes = list(_probes(spec))
        if not probes:
            return None
        made = Listening()
        try:
            for number in {probe.fd for probe in probes if probe.fd is not None}:
                made.number = number
                made.reading, made.writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
                os.set_blocking(made.writing, True)
            if any(probe.fd is None for probe in probes):
                self._bind(made, abstract=spec.attributes.chroot is not None)
                made.environment = {**made.environment, **_watchdog(probes)}
        except OSError as error:
            made.close()
            raise SpawnError(f"cannot open what its notify probe listens to: {error.strerror}") from error
        return made

    def close(self) -> None:
        """Remove the directory with everything in it."""
        if self._directory is None:
            return
        with suppress(OSError):
            for name in os.listdir(self._directory):
                os.unlink(os.path.join(self._directory, name))
            os.rmdir(self._directory)
        self._directory = None

    def _bind(self, made: Listening, *, abstract: bool) -> None:
        import socket

        made.socket = opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        # The kernel says of each message who has sent it; before the first one, so that none is nobody's.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        if not abstract and self._bind_in_directory(made, opened):
            return
        # A process with a root of its own sees no path of ours, and there may be no writable place at all.
        name = ABSTRACT + os.urandom(16).hex()
        opened.bind("\0" + name[1:])
        made.environment = {"NOTIFY_SOCKET": name}

    def _bind_in_directory(self, made: Listening, opened: socket) -> bool:
        try:
            path = os.path.join(self._made(), os.urandom(8).hex())
            opened.bind(path)
            made.path = path
            # For everybody: a process may change its user on its own. Who has sent a message is looked at.
            os.chmod(path, 0o666)
        except OSError:
            return False
        made.environment = {"NOTIFY_SOCKET": path}
        return True

    def _made(self) -> str:
        if self._directory is None or not os.path.isdir(self._directory):
            self._directory = _private_directory(self._places)
        return self._directory


def _private_directory(places: tuple[str, ...]) -> str:
    """Make a directory that can be entered by all and listed by nobody but us."""
    error = OSError()
    for place in places:
        path = os.path.join(place, f"procwrap-{os.urandom(8).hex()}")
        try:
            os.mkdir(path, 0o700)
            os.chmod(path, 0o711)
        except OSError as failed:
            error = failed
            continue
        return path
    raise error


def _probes(spec: ProcessSpec) -> Iterator[NotifyProbe]:
    for check in (spec.startup, spec.readiness, spec.liveness):
        for probe in check.probes if check is not None else ():
            if isinstance(probe, NotifyProbe):
                yield probe


def _watchdog(probes: list[NotifyProbe]) -> dict[str, str]:
    """Tell the strictest one (sd_watchdog_enabled(3)); without WATCHDOG_PID it is for everybody."""
    asked = [probe.watchdog for probe in probes if probe.watchdog is not None]
    return {"WATCHDOG_USEC": str(round(min(asked) * 1e6))} if asked else {}


def _closed(fd: int) -> int:
    if fd >= 0:
        os.close(fd)
    return -1
