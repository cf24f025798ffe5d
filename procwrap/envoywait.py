"""Part of the composition root: every process waits until Envoy is LIVE."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from procwrap.children.permits import Reply
from procwrap.core.events import Level
from procwrap.pod.ask import Ask, Request
from procwrap.pod.envoy import Awaited
from procwrap.spec.envoy import Envoy


@define(eq=False)
class EnvoyWait:
    """A permit for all processes, given once and for all: a restart does not wait again.

    An Envoy that was told to fail its health checks is LIVE no more, and what runs beside it has to go on.

    Args:
        request: for ``/server_info``.
        say: takes a line for the log.
        end: ends everything, for this reason.
    """

    _envoy: Envoy
    _request: Request
    _ask: Ask
    _clock: IReactorTime
    _say: Callable[[Level, str], None]
    _end: Callable[[str], None]
    _awaited: Awaited = field(init=False)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _opened: bool = field(init=False, default=False)
    _replies: dict[str, Reply] = field(init=False, factory=dict)

    def begin(self) -> None:
        """Ask Envoy from now on."""
        self._awaited = Awaited(self._request, self._ask, self._clock, self._live, self._still_waits)
        if self._envoy.give_up_after is not None:
            self._timer = self._clock.callLater(self._envoy.give_up_after, self._give_up)
        elif self._envoy.start_after is not None:
            self._timer = self._clock.callLater(self._envoy.start_after, self._go_on)
        self._awaited.begin()

    def ask(self, name: str, reply: Reply) -> None:
        """Be asked whether a process may start."""
        if self._opened:
            reply.grant(())
        else:
            self._replies[name] = reply
            reply.wait(self._awaited.reason)

    def leave(self, name: str) -> None:
        """Learn that it does not want to start any more."""
        self._replies.pop(name, None)

    def ended(self, name: str) -> None:
        """Learn that it has ended, which changes nothing."""

    def _live(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._say(Level.INFO, "Envoy is LIVE")
        self._open()

    def _still_waits(self, reason: str) -> None:
        for reply in tuple(self._replies.values()):
            reply.wait(reason)

    def _go_on(self) -> None:
        self._timer = None
        self._awaited.stop()
        waited = f"{self._awaited.reason}, for {self._envoy.start_after:g}s"
        self._say(Level.WARNING, f"{waited}: starting all the same")
        self._open()

    def _give_up(self) -> None:
        self._timer = None
        self._awaited.stop()
        reason = f"{self._awaited.reason}, for {self._envoy.give_up_after:g}s"
        self._say(Level.ERROR, reason)
        self._end(reason)

    def _open(self) -> None:
        self._opened = True
        replies, self._replies = self._replies, {}
        for reply in replies.values():
            reply.grant(())
