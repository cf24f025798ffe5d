"""The guard (``guard.py``) as procwrap sees it: begun when the first lock is wanted, told of renewals."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from zope.interface import implementer

from procwrap.errors import ProcwrapError

UP_WITHIN = 10.0
"""Seconds until it has to say that it is there; it takes 20 ms."""
_LONGEST = 256


class GuardError(ProcwrapError):
    """There is no guard, and without one no process with a lock is started."""


@define(eq=False)
class Guarded:
    """One run of a process, as the guard knows it.

    Args:
        killed: called when the guard has killed it, or can kill it no more; with a reason for the latter.
    """

    _guarding: Guarding
    number: int
    killed: Callable[[str], None]
    deadline: float = 0.0
    unanswered: bool = False

    def keep(self, deadline: float) -> None:
        """Let it go on until this second of the guard's clock; one that is past kills it."""
        self.deadline = deadline
        self._guarding.keep(self)

    def over(self) -> None:
        """Say that it is gone, with everything in its group."""
        self._guarding.over(self)

    def begin(self) -> None:
        """Be guarded: the process itself calls this, between fork(2) and execve(2).

        Raises:
            OSError: the guard is gone.
            GuardError: its time was over before it could begin.
        """
        self._guarding.begin(self)


@implementer(IReadDescriptor)
@define(eq=False)
class Guarding:
    """Talks to the guard.

    Args:
        reactor: IReactorFDSet and IReactorTime.
        execute: executes the guard with this descriptor as its standard input and returns its pid, or raises
            a ProcwrapError.
        now: seconds of the guard's clock.
    """

    _reactor: Any
    _execute: Callable[[int], int]
    _now: Callable[[], float]
    _channel: socket.socket | None = None
    _pidfd: int = -1
    _is_up: bool = False
    _waiting: list[Deferred[None]] = field(factory=list)
    _patience: IDelayedCall | None = None
    _runs: dict[int, Guarded] = field(factory=dict)
    _last: int = 0

    def ready(self) -> Deferred[None]:
        """Have a guard; the Deferred fails with GuardError when there is none to be had."""
        if self._is_up:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        if self._channel is None:
            self._start()
        return waiting

    def guard(self, killed: Callable[[str], None]) -> Guarded:
        """Have one more run guarded, once it has begun."""
        self._last += 1
        run = self._runs[self._last] = Guarded(self, self._last, killed)
        return run

    def keep(self, run: Guarded) -> None:
        """Tell a deadline. A guard that has not answered the one before is no guard."""
        # What it has said may wait behind what called us.
        self.doRead()
        if run.unanswered:
            self._lose("the guard does not answer")
        if self._channel is None:
            run.killed("the guard is gone")
            return
        run.unanswered = True
        self._say(f"keep {run.number} {run.deadline!r}")

    def begin(self, run: Guarded) -> None:
        """See ``Guarded.begin``; runs in the child."""
        if self._channel is None:
            raise GuardError("the guard is gone")
        said = f"begun {run.number} {os.getpid()}".encode("ascii")
        try:
            pidfd = os.pidfd_open(os.getpid())
        except OSError:
            self._channel.send(said)
        else:
            socket.send_fds(self._channel, [said], [pidfd])
        # Only now: what comes between this look and the end of the command's time is the guard's.
        if self._now() >= run.deadline:
            raise GuardError("it was lost before the process could begin")

    def over(self, run: Guarded) -> None:
        """Forget a run."""
        if self._runs.pop(run.number, None) is not None:
            self._say(f"over {run.number}")

    def stop(self) -> None:
        """Let the guard go."""
        self._say("bye")
        self._close()

    def fileno(self) -> int:
        """Return the descriptor that it talks through; -1 when there is none."""
        return -1 if self._channel is None else self._channel.fileno()

    def logPrefix(self) -> str:
        """Name it in Twisted's log."""
        return "guard"

    def doRead(self) -> None:
        """Take in what it says."""
        while self._channel is not None:
            try:
                said = self._channel.recv(_LONGEST)
            except BlockingIOError:
                return
            except OSError:
                said = b""
            if not said:
                self._lose("the guard is gone")
                return
            self._take(said.split())

    def connectionLost(self, reason: Any) -> None:
        """Hear from the reactor that nothing more can be read."""
        self._lose("the guard is gone")

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            pid = self._execute(theirs.fileno())
        except ProcwrapError as error:
            ours.close()
            self._tell_waiting(GuardError(f"cannot execute the guard: {error}"))
            return
        finally:
            theirs.close()
        with suppress(OSError):
            self._pidfd = os.pidfd_open(pid)
        ours.setblocking(False)
        self._channel = ours
        self._reactor.addReader(self)
        self._patience = self._reactor.callLater(UP_WITHIN, self._lose, "the guard does not start")

    def _take(self, words: list[bytes]) -> None:
        if words[0] == b"up":
            self._is_up = True
            self._tell_waiting(None)
            return
        run = self._runs.get(int(words[1]))
        if run is None:
            return
        if words[0] == b"kept":
            run.unanswered = False
        else:
            run.killed("")

    def _say(self, said: str) -> None:
        if self._channel is None:
            return
        try:
            self._channel.send(said.encode("ascii"))
        except OSError:
            self._lose("the guard is gone")

    def _lose(self, why: str) -> None:
        if self._channel is None:
            return
        if self._pidfd >= 0:
            # It may only be stopped, and would kill what comes after those it knows.
            with suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self._close()
        runs, self._runs = self._runs, {}
        for run in runs.values():
            run.killed(why)
        self._tell_waiting(GuardError(why))

    def _close(self) -> None:
        if self._channel is None:
            return
        self._reactor.removeReader(self)
        self._channel.close()
        self._channel, self._is_up = None, False
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        self._calm()

    def _calm(self) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()

    def _tell_waiting(self, error: GuardError | None) -> None:
        self._calm()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None) if error is None else each.errback(error)
