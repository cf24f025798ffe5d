"""Hears what the processes say of themselves: messages to a socket, or a line on a descriptor."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from procwrap.children.boundedreader import BoundedReader
from procwrap.children.listening import Listening
from procwrap.children.senders import belongs
from procwrap.core.events import Event, Level, Notice
from procwrap.core.notifications import LONGEST, Notified, hear, hear_line

STATUS_EVERY = 1.0
"""Seconds between two statuses in the log; the last one is always told."""

_CREDENTIALS = struct.Struct("iII")
_ROOM = socket.CMSG_SPACE(_CREDENTIALS.size)
"""For the credentials and nothing else: descriptors that are sent along are closed by the kernel at once,
which is also what sd_notify_barrier(3) waits for."""


@define(eq=False)
class Hearing:
    """What one run of a process says.

    Args:
        name: the process.
        group: its pid, which is also its process group.
        listening: where it says it; closed with this.
        changed: called when it has become ready, announces its end or asks for it.
    """

    _name: str
    _group: int
    _listening: Listening
    _reactor: Any
    _tell: Callable[[Event], None]
    _changed: Callable[[], None]
    notified: Notified = field(factory=Notified)
    _readers: list[BoundedReader] = field(factory=list)
    _told_status: str = ""
    _next_status: IDelayedCall | None = None
    _noted: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Begin to listen."""
        listening = self._listening
        if listening.socket is not None:
            self._read(listening.socket.fileno(), self._take_message, lambda: None)
        if listening.reading >= 0:
            self._read(listening.reading, self._take_line, self._line_is_closed)

    def _read(self, fd: int, read: Callable[[], Exception | None], closed: Callable[[], None]) -> None:
        self._readers.append(BoundedReader(self._reactor, fd, read, closed))

    def catch_up(self) -> None:
        """Hear what was said until now."""
        for reader in self._readers:
            reader.catch_up()

    def end(self) -> None:
        """Hear the last words, and nothing more."""
        self.catch_up()
        if self._next_status is not None:
            self._next_status.cancel()
            self._next_status = None
        self._say_status()
        for reader in self._readers:
            reader.connectionLost(Failure(ConnectionDone()))
        # Later, for the reason that output.PipeReader gives.
        self._reactor.callLater(0, self._listening.close)

    def _take_message(self) -> Exception | None:
        assert self._listening.socket is not None
        message, ancillary, flags, _ = self._listening.socket.recvmsg(LONGEST, _ROOM)
        pid, uid = _sender(ancillary)
        if not belongs(pid, uid, self._group):
            self.notified = evolve(self.notified, refused=self.notified.refused + 1)
            why = f"a notification of pid {pid} (uid {uid}) was refused: it is neither in the process group "
            why += "nor a descendant; further ones of this run are only counted"
            self._note("refused", Level.WARNING, why)
        elif flags & socket.MSG_TRUNC:
            why = f"a notification of more than {LONGEST} bytes was ignored"
            self._note("too long", Level.WARNING, why)
        else:
            self._become(hear(self.notified, message, self._reactor.seconds()))
        return None

    def _take_line(self) -> Exception | None:
        said = os.read(self._listening.reading, LONGEST)
        if said and b"\n" not in said:
            return None
        if said:
            self._become(hear_line(self.notified, self._reactor.seconds()))
        return ConnectionDone()

    def _line_is_closed(self) -> None:
        # The reactor may see that before we have read the end.
        self.notified = evolve(self.notified, closed=True)
        self._reactor.callLater(0, self._listening.close_reading)

    def _become(self, after: Notified) -> None:
        before, self.notified = self.notified, after
        if after.gives_main_pid:
            why = "MAINPID is ignored: the main process is the one that was started"
            self._note("main pid", Level.INFO, why)
        if self._next_status is None:
            self._tell_status()
        if _turns(before) != _turns(after):
            self._changed()

    def _note(self, key: str, level: Level, text: str) -> None:
        if key not in self._noted:
            self._noted.add(key)
            self._tell(Notice(level, text, self._name))

    def _tell_status(self) -> None:
        self._next_status = None
        if self._say_status():
            self._next_status = self._reactor.callLater(STATUS_EVERY, self._tell_status)

    def _say_status(self) -> bool:
        status = self.notified.status
        if status == self._told_status:
            return False
        self._told_status = status
        if status:
            self._tell(Notice(Level.INFO, f"says: {status}", self._name))
        return True


def _sender(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, int]:
    """Return the pid and the uid that the kernel gives (unix(7), SCM_CREDENTIALS)."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            pid, uid, _ = _CREDENTIALS.unpack(data)
            return pid, uid
    return 0, -1


def _turns(notified: Notified) -> tuple[bool, bool, bool]:
    """Return what a check wants to know of at once; each of them happens at most once in a run."""
    return notified.ready_at is not None, notified.stopping, notified.triggered


@define(eq=False)
class Notifications:
    """What all processes say, each in its current run.

    Args:
        reactor: IReactorFDSet and IReactorTime.
        tell: takes what is worth a line in the log.
    """

    _reactor: Any
    _tell: Callable[[Event], None]
    _runs: dict[str, Hearing] = field(factory=dict)
    _watchers: dict[str, Callable[[], None]] = field(factory=dict)

    def begin(self, name: str, group: int, listening: Listening) -> Callable[[], None]:
        """Hear a run of a process from now on; what an earlier one has said counts no more.

        Returns:
            To be called when the run has ended.
        """

        def changed() -> None:
            if (watcher := self._watchers.get(name)) is not None:
                watcher()

        self._runs[name] = run = Hearing(name, group, listening, self._reactor, self._tell, changed)
        return run.end

    def watch(self, name: str, changed: Callable[[], None]) -> None:
        """Call ``changed`` when the process has become ready, announces its end or asks for it."""
        self._watchers[name] = changed

    def forget(self, name: str) -> None:
        """Remember nothing of a process any more."""
        self._runs.pop(name, None)
        self._watchers.pop(name, None)

    def of(self, name: str) -> Notified:
        """Return what a process has said in its current run, up to this moment."""
        run = self._runs.get(name)
        if run is None:
            return Notified()
        run.catch_up()
        return run.notified
