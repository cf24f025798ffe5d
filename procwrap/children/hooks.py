"""What is done once a process has become healthy, and before it is asked to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define
from twisted.internet.interfaces import IReactorTime

from procwrap.children.child import Child
from procwrap.children.hookrun import Begin, HookRun, Step
from procwrap.children.surroundings import Checks
from procwrap.core.events import Event, Level, Notice
from procwrap.core.lifecycle import Input

POST_START, PRE_STOP = "postStart", "preStop"

RESERVED = 2.0
"""Seconds of the grace that are kept for the stop signal, or half of the grace if that is less."""

ALONE = 30.0
"""Seconds for a preStop hook where there is no grace that ends."""


def time_before_stop(grace: float | None) -> float:
    """Return the seconds that a preStop hook may take, so that the stop signal still has its turn.

    Args:
        grace: seconds from the beginning of the stop to SIGKILL; None is never.
    """
    return ALONE if grace is None else grace - min(RESERVED, grace / 2)


def pre_stop(
    child: Child, steps: Sequence[Step], clock: IReactorTime, tell: Callable[[Event], None], begin: Begin
) -> HookRun:
    """Return the preStop hook of a process; whatever comes of it, the stop goes on."""

    def ended(reason: str) -> None:
        if reason:
            tell(Notice(Level.WARNING, f"{PRE_STOP} failed: {reason}", child.spec.name))
        child.happen(Input.PRE_STOPPED)

    # SIGKILL is not put off either: the stop signal must not come behind it.
    return HookRun(steps, clock, time_before_stop(child.grace), ended, begin, gives_back=False)


@define(eq=False)
class HealthAfterPostStart:
    """Holds the news that a process is healthy back until its postStart hook has ended well.

    To its checks it is what ``child.happen`` is to those of others.

    Args:
        steps: those of the hook.
        seconds: its deadline.
        begin: gives the hook its turn.
        at_start: run the hook at once, and begin with the checks when it has ended.
    """

    _child: Child
    _steps: Sequence[Step]
    _clock: IReactorTime
    _seconds: float
    _tell: Callable[[Event], None]
    _begin: Begin
    _at_start: bool = False
    _checks: Checks | None = None
    _hook: HookRun | None = None
    _proven: bool = False
    _healthy: bool = False

    def before(self, checks: Checks) -> Checks:
        """Accompany these checks; return both as one."""
        self._checks = checks
        return self

    def start(self) -> None:
        """Begin with the checks, or with the hook."""
        if self._at_start:
            self._run()
        elif self._checks is not None:
            self._checks.start()

    def stop(self) -> None:
        """End the checks and the hook."""
        if self._checks is not None:
            self._checks.stop()
        if self._hook is not None:
            self._hook.stop()

    def exchange(self, checks: Checks) -> None:
        """Go on with other checks; the hook goes on, or stays done."""
        begun = self._proven or not self._at_start
        self._healthy = False
        if begun and self._checks is not None:
            self._checks.stop()
        self._checks = checks
        if begun:
            checks.start()

    def happen(self, happened: Input, reason: str = "") -> None:
        """Take what the checks say."""
        if happened is Input.HEALTHY or happened is Input.DEGRADED:
            self._healthy = happened is Input.HEALTHY
        if happened is not Input.HEALTHY or self._proven:
            self._child.happen(happened, reason)
        elif self._hook is None:
            self._run()

    def _run(self) -> None:
        self._child.explain(f"{POST_START} runs")
        self._hook = HookRun(self._steps, self._clock, self._seconds, self._ended, self._begin)
        self._hook.start()

    def _ended(self, reason: str) -> None:
        if reason:
            reason = f"{POST_START} failed: {reason}"
            self._tell(Notice(Level.ERROR, reason, self._child.spec.name))
            self._child.happen(Input.CONDEMNED, reason)
            return
        self._proven = True
        if self._at_start and self._checks is not None:
            self._checks.start()
        elif self._healthy:
            self._child.happen(Input.HEALTHY)
