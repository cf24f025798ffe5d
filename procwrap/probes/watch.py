"""When a check looks: first after its delay, then a period after each round has ended."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.core.events import ProbeResult
from procwrap.interfaces import IProbe
from procwrap.probes.look import look_at_all
from procwrap.probes.wording import one_line
from procwrap.spec.probe import Check, Probe

Results = tuple[ProbeResult, ...]

_log = Logger()


@define(eq=False)
class Watch:
    """Runs the rounds of one check of one process, never two at a time, from start() to stop().

    Attributes:
        build: makes a probe, at once or later (a Deferred): what it imports can take longer than a reactor
            may be held up. Called at the first round, so that it delays no start.
        ended: called with the results of each round, never after stop().
    """

    _check: Check
    _build: Callable[[Probe], IProbe | Deferred[IProbe]]
    _clock: IReactorTime
    _ended: Callable[[Results], None]
    _probes: tuple[IProbe, ...] | None = None
    _first: IDelayedCall | None = None
    _loop: LoopingCall | None = None
    _round: Deferred[None] | None = None

    def start(self, delay: float) -> None:
        """Look for the first time after ``delay`` seconds; not before this returns, even if that is 0."""
        self._first = self._clock.callLater(delay, self._begin)

    def look_early(self) -> None:
        """Look as soon as this has returned, and a period later again.

        Nothing happens before start(), and while a round is under way.
        """
        if self._first is not None:
            self._first.cancel()
        elif self._loop is not None and self._round is None:
            loop, self._loop = self._loop, None
            loop.stop()
        else:
            return
        self._first = self._clock.callLater(0.0, self._begin)

    def stop(self) -> None:
        """Cancel what is under way and release what the probes keep; start() may follow."""
        if self._first is not None:
            self._first.cancel()
            self._first = None
        if self._loop is not None:
            loop, self._loop = self._loop, None
            loop.stop()
        if self._round is not None:
            unfinished, self._round = self._round, None
            unfinished.cancel()
        for probe in self._probes or ():
            self._close(probe)

    def _begin(self) -> None:
        self._first = None
        self._loop = loop = LoopingCall(self._look)
        loop.clock = self._clock
        loop.start(self._check.period).addErrback(
            lambda failure: _log.failure("The rounds of a check have ended by themselves", failure)
        )

    def _look(self) -> Deferred[None]:
        unfinished = self._look_at_first() if self._probes is None else look_at_all(self._probes, self._clock)
        self._round = reported = unfinished.addCallbacks(self._report, self._ignore_cancelling)
        if reported.called:
            self._round = None
        return reported

    @inlineCallbacks
    def _look_at_first(self) -> Generator[Deferred[Any], Any, Results]:
        probes = []
        for asked in self._check.probes:
            try:
                probes.append((yield maybeDeferred(self._build, asked)))
            except CancelledError:
                raise
            except Exception as error:
                return (_not_built(error),)
        self._probes = tuple(probes)
        results: Results = yield look_at_all(self._probes, self._clock)
        return results

    def _report(self, results: Results) -> None:
        self._round, loop = None, self._loop
        if loop is None:
            return
        try:
            self._ended(results)
        except Exception:
            _log.failure("A bug in procwrap: the end of a round was not taken")
        # LoopingCall counts from its starttime; moved here, the period counts from the end of the round.
        loop.starttime = self._clock.seconds()

    @staticmethod
    def _ignore_cancelling(_: Failure) -> None:
        """Only stop() cancels a round."""

    @staticmethod
    def _close(probe: IProbe) -> None:
        try:
            probe.close()
        except Exception:
            _log.failure("A {kind} probe could not be closed", kind=probe.kind)


def _not_built(error: Exception) -> ProbeResult:
    return ProbeResult("probe", succeeded=False, reason=one_line(f"cannot probe: {error}"), took=0.0)
