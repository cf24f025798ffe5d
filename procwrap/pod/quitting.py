"""Asks the containers beside ours to end, all at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from attrs import define
from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.python.failure import Failure

from procwrap.core.events import Level
from procwrap.pod.ask import Answer, Ask, Request
from procwrap.pod.envoy import reason_of


@define(eq=False)
class Quitter:
    """Sends requests and tells of each what came of it; none keeps another from being sent."""

    _ask: Ask
    _report: Callable[[Level, str], None]

    def send(self, requests: Sequence[Request]) -> Deferred[None]:
        """Send all of them; fires when each has been answered or given up. Cancelling it gives all up."""
        sent = [self._send(request) for request in requests]
        return DeferredList(sent).addCallback(lambda _: None)

    def _send(self, request: Request) -> Deferred[None]:
        asked = maybeDeferred(self._ask, request)
        return asked.addCallbacks(partial(self._answered, request), partial(self._failed, request))

    def _answered(self, request: Request, answer: Answer) -> None:
        if 200 <= answer.status < 400:
            self._report(Level.INFO, f"{request.method} {request.shown}: {answer.status}")
        else:
            self._complain(request, f"{answer.status}, expected 200-399")

    def _failed(self, request: Request, failure: Failure) -> None:
        self._complain(request, "no time left" if failure.check(CancelledError) else reason_of(failure))

    def _complain(self, request: Request, reason: str) -> None:
        what = f"cannot ask for the end of a sidecar: {request.method} {request.shown}"
        self._report(Level.WARNING, f"{what}: {reason}")
