"""One round: every probe of a check looks once, all at the same time, each within its timeout."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.core.events import ProbeResult
from procwrap.interfaces import IProbe
from procwrap.probes.wording import missed, seconds, unexpected

STALL = 0.1
"""A timer that fires this many seconds late means that procwrap itself was held up, not the peer."""

_log = Logger()


def look_at_all(probes: Iterable[IProbe], clock: IReactorTime) -> Deferred[tuple[ProbeResult, ...]]:
    """Let every probe look once.

    Returns:
        A Deferred of the results in the order of the probes. It fails only when it is cancelled, which
        cancels every probe that has not answered.
    """
    looks = [Look(probe, clock).begin() for probe in probes]
    return gatherResults(looks, consumeErrors=True).addCallback(tuple)


@define(eq=False)
class Look:
    """One probe looking once; whatever it does, its result is there soon after its timeout."""

    _probe: IProbe
    _clock: IReactorTime
    _began: float = 0.0
    _over: bool = False
    _patient: bool = False
    _timer: IDelayedCall | None = None
    _attempt: Deferred[None] = field(init=False)
    _answer: Deferred[ProbeResult] = field(init=False)

    def begin(self) -> Deferred[ProbeResult]:
        """Start looking; the Deferred fires with the result and fails only when cancelled."""
        self._answer = Deferred(self._abandoned)
        self._began = self._clock.seconds()
        self._attempt = maybeDeferred(self._probe.check)
        self._attempt.addCallbacks(self._succeeded, self._failed)
        if not self._over and self._probe.timeout is not None:
            self._timer = self._clock.callLater(self._probe.timeout, self._too_late)
        return self._answer

    def _succeeded(self, _: object) -> None:
        self._finish("")

    def _failed(self, failure: Failure) -> None:
        if not self._over:
            error = unexpected(self._probe, failure.value)
            self._finish(error.reason, excused=error.excused)

    def _too_late(self) -> None:
        now, allowed = self._clock.seconds(), self._probe.timeout
        late = now - self._began - allowed
        if late > STALL and not self._patient:
            # The answer may be waiting in a socket that we had no time to read: give the time back, once.
            self._patient = True
            self._timer = self._clock.callLater(min(late, allowed), self._too_late)
            return
        self._timer = None
        self._over = True
        self._cancel_attempt()
        self._report(missed(self._probe, f"no answer within {seconds(allowed)}").reason)

    def _finish(self, reason: str, *, excused: bool = False) -> None:
        if self._over:
            return
        self._over = True
        self._stop_timer()
        self._report(reason, excused=excused)

    def _report(self, reason: str, *, excused: bool = False) -> None:
        took = self._clock.seconds() - self._began
        self._answer.callback(ProbeResult(self._probe.kind, not reason, reason, took, excused))

    def _abandoned(self, _: Deferred[ProbeResult]) -> None:
        self._over = True
        self._stop_timer()
        self._cancel_attempt()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel_attempt(self) -> None:
        try:
            self._attempt.cancel()
        except Exception:
            _log.failure("A {kind} probe could not be cancelled", kind=self._probe.kind)
