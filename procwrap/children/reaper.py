"""Reaps every process that ends: those we started, and, as PID 1 or subreaper, everybody's orphans.

``waitpid(-1)`` would steal exit statuses, so each zombie is looked at first (waitid(2) with WNOWAIT):
one of ours is handed to whoever waits for it, one of Twisted's is left to Twisted, an orphan is reaped.
A zombie of our own process group may be a child of a library in this very process; it gets
``STRANGER_GRACE`` seconds in which whoever started it can collect it. When they are over, all such zombies
are reaped at once: the shell that has become procwrap by exec may have left hundreds of children.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import define, field
from twisted.internet import process as twisted_process
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from procwrap.core.events import End

BATCH = 256
"""Zombies handled before the reactor gets its turn again."""

STRANGER_GRACE = 0.05

Ended = Callable[[End], None]

_log = Logger()


@define(eq=False)
class Reaper:
    """Knows who waits for which pid; call ``reap()`` whenever SIGCHLD arrived.

    Attributes:
        orphans: how many processes were reaped that nobody here had started.
    """

    _clock: IReactorTime
    orphans: int = 0
    _waiting: dict[int, Ended] = field(factory=dict)
    _patient: bool = True
    _again: IDelayedCall | None = None

    def expect(self, pid: int, ended: Ended) -> None:
        """Call ``ended(end)`` once the child ``pid`` has ended.

        At that moment it is still a zombie: its pid and process group cannot belong to anybody else.
        """
        self._waiting[pid] = ended

    def expects(self, pid: int) -> bool:
        """Return whether somebody waits for this pid."""
        return pid in self._waiting

    def reap(self) -> None:
        """Collect everything that has ended."""
        twisted_process.reapAllProcesses()
        for _ in range(BATCH):
            pid = _next_zombie()
            if pid is None:
                self._patient = True
                return
            if pid in self._waiting:
                self._collect(pid)
            elif not self._adopt(pid):
                self._pass_by()
                return
        self._look_again(0.0, self.reap)

    def _collect(self, pid: int) -> None:
        ended = self._waiting.pop(pid)
        # Still only looked at: whoever is told can signal the rest of its group without hitting others.
        info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        try:
            if info is not None:
                ended(_end(info))
        except Exception:
            _log.failure("the end of pid {pid} could not be handled", pid=pid)
        finally:
            os.waitpid(pid, 0)

    def _adopt(self, pid: int) -> bool:
        """Reap an orphan; False when somebody in this process may be waiting for it."""
        if pid in twisted_process.reapProcessHandlers:
            twisted_process.reapAllProcesses()
            return pid not in twisted_process.reapProcessHandlers
        if self._patient and _in_our_group(pid):
            return False
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return True
        self.orphans += 1
        return True

    def _pass_by(self) -> None:
        """Collect ours one by one: the stranger in front hides them from waitid(P_ALL)."""
        for pid in list(self._waiting):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                self._collect(pid)
        self._look_again(STRANGER_GRACE, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patient = False
        self.reap()

    def _look_again(self, delay: float, look: Callable[[], None]) -> None:
        if self._again is None or not self._again.active():
            self._again = self._clock.callLater(delay, look)


def _next_zombie() -> int | None:
    try:
        info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    except ChildProcessError:
        return None
    return info.si_pid if info is not None else None


def _in_our_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == os.getpgrp()
    except ProcessLookupError:
        return False


def _end(info: os.waitid_result) -> End:
    if info.si_code == os.CLD_EXITED:
        return End(code=info.si_status)
    return End(signal=info.si_status)
