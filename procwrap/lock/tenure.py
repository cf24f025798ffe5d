"""One lease, from the moment it is ours until it was given back, or lost."""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.lock.guarding import Guarded
from procwrap.lock.leases import LeaseError, Leases
from procwrap.lock.margin import REACTION, until
from procwrap.lock.seeking import Found

WORD = REACTION / 2
"""Seconds after the deadline in which the guard says that it has done its work."""
RETRY, LONGEST_RETRY = 0.05, 0.5
"""What part of a TTL is waited after a keepalive that failed, and how many seconds at most."""
LOOK, LONGEST_LOOK = 0.005, 0.05
"""Seconds between two looks whether anything is left of the process."""


_log = Logger()


class _State(enum.Enum):
    HELD = "held"
    LOSING = "losing"
    LOST = "lost"
    OVER = "over"


@define(eq=False)
class Tenure:
    """Keeps one lease, and ends what it was taken for when it cannot be kept.

    Args:
        run: the process, as the guard knows it.
        clock: for pauses.
        now: seconds of the guard's clock.
        lost: called at most once, with the reason, when the process has to be dead. The guard has killed it
            by then, if there is one and it could.
    """

    _found: Found
    _leases: Leases
    _make_run: Callable[[Callable[[str], None]], Guarded]
    _clock: IReactorTime
    _now: Callable[[], float]
    _lost: Callable[[str], None]
    run: Guarded = field(init=False)
    _state: _State = _State.HELD
    _deadline: float = field(init=False)
    _reason: str = ""
    _trouble: str = ""
    _next: IDelayedCall | None = None
    _alarm: IDelayedCall | None = None

    def __attrs_post_init__(self) -> None:
        """Be guarded from now on."""
        self.run = self._make_run(self._killed)
        self._deadline = until(self._found.sent, self._found.lease.ttl)

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._state is _State.HELD

    @property
    def token(self) -> int:
        """Its fencing token."""
        return self._found.lease.token

    def begin(self) -> None:
        """Begin to keep it."""
        self._renew(self._found.sent, self._found.lease.ttl)

    def look(self) -> None:
        """Notice that its time is over, or that it is lost, before anybody has said so."""
        if self._state is _State.LOSING or (self.held and self._now() >= self._deadline):
            self._state = _State.LOSING
            self._conclude(self._reason or self._too_late())

    def lose(self, reason: str) -> None:
        """Give up on it: the guard kills the process now."""
        if not self.held:
            return
        self._state, self._reason = _State.LOSING, reason
        self._calm()
        # The guard finds those that have left the group, while their parent still lives. It comes first.
        self._alarm = self._clock.callLater(WORD, self._conclude, reason)
        self.run.keep(0.0)

    @inlineCallbacks
    def finish(self, is_left: Callable[[], bool]) -> Generator[Deferred[Any], Any, bool]:
        """Give it back as soon as nothing is left of the process, and keep it until then.

        Args:
            is_left: looks whether anything is.

        Returns:
            A Deferred of whether it was ours until then.
        """
        pause = 0.0
        while is_left():
            yield deferLater(self._clock, pause)
            pause = min(LONGEST_LOOK, pause * 2 or LOOK)
        kept, self._state = self.held, _State.OVER
        self._calm()
        self.run.over()
        with suppress(LeaseError):  # it will expire
            yield self._leases.release(self._found.lease.lease)
        return kept

    def _keep(self) -> None:
        sent = self._now()
        if sent >= self._deadline:
            return
        asked = self._leases.keep(self._found.lease.lease, self._deadline - sent)
        asked.addCallbacks(self._kept, self._not_kept, callbackArgs=(sent,))
        asked.addErrback(lambda failure: _log.failure("the answer to a keepalive was not taken", failure))

    def _kept(self, ttl: float | None, sent: float) -> None:
        if not self.held:
            return
        if ttl is None:
            self.lose("the server has given it up")
        elif self._now() >= self._deadline:
            # The guard has done its work already: what was granted came too late.
            self.look()
        else:
            self._trouble = ""
            self._renew(sent, ttl)

    def _not_kept(self, failure: Failure) -> None:
        self._trouble = str(failure.value) if failure.check(LeaseError) else repr(failure.value)
        if self.held:
            self._next = self._clock.callLater(min(self._leases.ttl * RETRY, LONGEST_RETRY), self._keep)

    def _renew(self, sent: float, ttl: float) -> None:
        self._deadline = max(self._deadline, until(sent, ttl))
        self._calm()
        now = self._now()
        self._next = self._clock.callLater(max(0.0, sent + ttl / 3 - now), self._keep)
        self._alarm = self._clock.callLater(max(0.0, self._deadline - now) + WORD, self.look)
        self.run.keep(self._deadline)

    def _killed(self, why: str) -> None:
        if self._state in (_State.HELD, _State.LOSING):
            self._state = _State.LOSING
            self._conclude(why or self._reason or self._too_late())

    def _conclude(self, reason: str) -> None:
        if self._state is _State.LOSING:
            self._state = _State.LOST
            self._calm()
            self._lost(reason)

    def _too_late(self) -> str:
        return f"not renewed in time{': ' if self._trouble else ''}{self._trouble}"

    def _calm(self) -> None:
        for call in (self._next, self._alarm):
            if call is not None and call.active():
                call.cancel()
