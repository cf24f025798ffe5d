"""One run of a hook: a few steps one after the other, within one deadline.

A step is something that looks once and succeeds or fails: a probe, of which command, request and query know
already how it is done, how it is given up, and how to say in one line what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.children.timer import Timer
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe

STALL = 0.1
"""A deadline that fires this many seconds late means that procwrap itself was held up, not the hook."""

Begin = Callable[[Callable[[], None]], object]
"""Calls something when its turn has come."""

Step = Callable[[], IProbe | Deferred[IProbe]]
"""Builds what one step looks with, when its turn comes; it may have to be imported first."""

_log = Logger()


@define(eq=False)
class HookRun:
    """One run of a hook.

    Args:
        steps: done in order, as long as they succeed.
        clock: for the deadline.
        seconds: for all of them together, and for waiting for its turn.
        ended: called once with what went wrong in one line, empty when all went well; never after stop().
        begin: gives the first step its turn.
        gives_back: a deadline that is late, because procwrap was held up, is put off once.
    """

    _steps: Sequence[Step]
    _clock: IReactorTime
    _seconds: float
    _ended: Callable[[str], None]
    _begin: Begin = lambda first: first()
    _gives_back: bool = field(default=True, kw_only=True)
    _over: bool = False
    _began: float = 0.0
    _deadline: Timer = field(init=False)
    _current: IProbe | None = None
    _doing: Deferred[None] = field(factory=partial(succeed, None))

    def __attrs_post_init__(self) -> None:
        """Get a timer."""
        self._deadline = Timer(self._clock)

    def start(self) -> None:
        """Begin; all may be over when this returns."""
        if self._seconds <= 0:
            self._end("it has no time at all")
            return
        self._began = self._clock.seconds()
        self._deadline.arm(self._seconds, self._too_late)
        self._begin(self._do_all)

    def _do_all(self) -> None:
        if self._over:
            return
        for step in self._steps:
            self._doing.addCallback(partial(self._do, step))
        self._doing.addCallbacks(lambda _: self._end(""), self._failed)

    def stop(self) -> None:
        """Give up; nothing is told."""
        if not self._over:
            self._conclude()
            self._give_up()

    def _do(self, step: Step, _: None) -> Deferred[None]:
        if self._over:
            raise CancelledError
        self._close()
        built: Deferred[Any] = maybeDeferred(step)
        return built.addCallback(self._look)

    def _look(self, probe: IProbe) -> Deferred[None]:
        self._current = probe
        doing: Deferred[None] = probe.check()
        return doing

    def _failed(self, failure: Failure) -> None:
        if self._over:
            return
        error = failure.value
        if isinstance(error, ProbeError):
            self._end(error.reason)
        elif isinstance(error, ImportError):
            self._end(f"cannot be done: {error}")
        else:
            # Its text may quote what must not be shown.
            self._end(f"{self._what()}cannot be done ({type(error).__name__})")

    def _too_late(self) -> None:
        late = self._clock.seconds() - self._began - self._seconds
        if late > STALL and self._gives_back:
            # Its end may be waiting for us to look.
            self._gives_back = False
            self._deadline.arm(min(late, self._seconds), self._too_late)
            return
        self._conclude()
        self._give_up()
        self._ended(f"{self._what()}not done within {self._seconds:g}s")

    def _end(self, reason: str) -> None:
        if not self._over:
            self._conclude()
            self._close()
            self._ended(reason)

    def _conclude(self) -> None:
        self._over = True
        self._deadline.disarm()

    def _what(self) -> str:
        return "" if self._current is None else f"{self._current.target}: "

    def _give_up(self) -> None:
        try:
            self._doing.cancel()
        except Exception:
            _log.failure("A step of a hook could not be cancelled")
        self._close()

    def _close(self) -> None:
        if self._current is not None:
            try:
                self._current.close()
            except Exception:
                _log.failure("A step of a hook could not be closed")
