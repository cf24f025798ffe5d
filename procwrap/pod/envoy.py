"""What is asked of an Envoy: whether it is LIVE, and that it drains its listeners.

https://www.envoyproxy.io/docs/envoy/latest/operations/admin
"""

from __future__ import annotations

import json
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from procwrap.core.events import Level
from procwrap.core.oneline import one_line
from procwrap.pod.ask import Answer, Ask, AskError, Request

DRAIN_TIMEOUT = 3.0
"""Seconds that everything waits for the answer, before any process is stopped."""
LOOK_TIMEOUT = 2.0
FIRST, FACTOR, LONGEST = 0.1, 1.5, 1.0
"""Seconds between two looks whether it is LIVE: the first, how they grow, and the longest."""

_LIVE = "LIVE"

Report = Callable[[Level, str], None]


def reason_of(failure: Failure) -> str:
    """Say why nothing came of a request; what an error of another kind says may hold a secret."""
    known = failure.check(AskError) is not None
    return failure.getErrorMessage() if known else f"unexpected {type(failure.value).__name__}"


@define(eq=False)
class Drain:
    """Has the listeners drained, once; what fails may be tried again, and keeps nothing up.

    Attributes:
        drained: whether Envoy has said that it does.
    """

    _request: Request
    _ask: Ask
    _report: Report
    drained: bool = field(init=False, default=False)
    _under_way: Deferred[None] | None = field(init=False, default=None)

    def begin(self) -> None:
        """Ask for it, unless that was done."""
        if self.drained or self._under_way is not None:
            return
        asked = maybeDeferred(self._ask, self._request)
        self._under_way = asked.addCallbacks(self._answered, self._failed)
        self._under_way.addCallback(self._over)

    def wait(self) -> Deferred[None]:
        """Return a Deferred that fires when nothing is under way; cancelling it gives that up."""
        return self._under_way or succeed(None)

    def _answered(self, answer: Answer) -> None:
        if answer.status != 200:
            self._warn(f"{answer.status}, expected 200")
            return
        self.drained = True
        self._report(Level.INFO, "Envoy drains its listeners")

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._warn(reason_of(failure))

    def _over(self, _: None) -> None:
        self._under_way = None

    def _warn(self, reason: str) -> None:
        self._report(Level.WARNING, f"cannot drain Envoy: {self._request.shown}: {reason}")


@define(eq=False)
class Awaited:
    """Looks until Envoy is LIVE, which it is only when it has its configuration.

    Args:
        request: for ``/server_info``.
        live: called once, when it is.
        news: called with why it is not, whenever that changes.
    """

    _request: Request
    _ask: Ask
    _clock: IReactorTime
    _live: Callable[[], None]
    _news: Callable[[str], None]
    reason: str = field(init=False, default="Envoy was not asked yet")
    _pause: float = field(init=False, default=FIRST)
    _next: IDelayedCall | None = field(init=False, default=None)
    _over: bool = field(init=False, default=False)

    def begin(self) -> None:
        """Look from now on."""
        self._next = None
        looked = maybeDeferred(self._ask, self._request)
        looked.addCallbacks(_state, reason_of).addCallback(self._seen)

    def stop(self) -> None:
        """Look no more."""
        self._over = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _seen(self, state: str) -> None:
        if self._over:
            return
        if state == _LIVE:
            self._over = True
            self._live()
            return
        reason = f"Envoy is not LIVE: {self._request.shown}: {state}"
        self._next = self._clock.callLater(self._pause, self.begin)
        self._pause = min(self._pause * FACTOR, LONGEST)
        if reason != self.reason:
            self.reason = reason
            self._news(reason)


def _state(answer: Answer) -> str:
    """Return the state that it is in, or what was answered instead."""
    if answer.status != 200:
        return f"{answer.status}, expected 200"
    try:
        state = json.loads(answer.body)["state"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "expected JSON with a state, got something else"
    # Nothing but that very word is it, whatever else could be made of it.
    return _LIVE if state == _LIVE else f"it is {one_line(str(state), 40)}"
