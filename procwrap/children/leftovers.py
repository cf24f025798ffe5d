"""Ends what an ended process left behind in its process group.

A process group keeps its id, and so its leader's pid, reserved as long as it has a member; an id whose
group is gone is forgotten at once, so that no signal hits a recycled one.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from procwrap.children.group import send_to_group

GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL for what was left behind."""

LOOK = 0.05
"""Seconds between two looks at a group, while somebody waits for it to be gone."""


@define(eq=False)
class Leftovers:
    """Knows the groups whose leader is gone.

    Args:
        clock: for the time between signals.
        is_taken: whether a process that we have started since has this id.
    """

    _clock: IReactorTime
    _is_taken: Callable[[int], bool]
    _send: Callable[[int, int], bool] = send_to_group
    _next_step: dict[int, IDelayedCall] = field(factory=dict)
    _asked: set[int] = field(factory=set)

    def sweep(self, group: int, after: float) -> None:
        """End what is left of a group: SIGTERM in ``after`` seconds, SIGKILL ``GRACE`` seconds later.

        May be called while its leader is still a zombie, which counts as a member until it is reaped.
        """
        self._plan(group, 0.0, self._begin, group, after)

    def hurry(self) -> None:
        """Kill everything that is left, now."""
        for group in list(self._next_step):
            self._kill(group)

    def all_gone(self) -> Deferred[None]:
        """Ask everything that is left to end, at once; fires when nothing of it is left."""
        for group in list(self._next_step):
            if group not in self._asked:
                self._terminate(group)
        gone: Deferred[None] = Deferred()
        if self._next_step:
            self._clock.callLater(0, self._wait, gone)
        else:
            gone.callback(None)
        return gone

    def _wait(self, gone: Deferred[None]) -> None:
        if self._look():
            self._clock.callLater(LOOK, self._wait, gone)
        else:
            gone.callback(None)

    def _look(self) -> bool:
        for group in list(self._next_step):
            if not self._is_left(group):
                self._forget(group)
        return bool(self._next_step)

    def _is_left(self, group: int) -> bool:
        return not self._is_taken(group) and self._send(group, 0)

    def _plan(self, group: int, after: float, step: Callable[..., None], *args: object) -> None:
        self._forget(group)
        self._next_step[group] = self._clock.callLater(after, step, *args)

    def _forget(self, group: int) -> None:
        self._asked.discard(group)
        step = self._next_step.pop(group, None)
        if step is not None and step.active():
            step.cancel()

    def _begin(self, group: int, after: float) -> None:
        if self._is_left(group):
            self._plan(group, after, self._terminate, group)
        else:
            self._forget(group)

    def _terminate(self, group: int) -> None:
        if not self._is_left(group):
            self._forget(group)
            return
        self._send(group, signal.SIGTERM)
        self._send(group, signal.SIGCONT)
        self._plan(group, GRACE, self._kill, group)
        self._asked.add(group)

    def _kill(self, group: int) -> None:
        self._forget(group)
        if self._is_left(group):
            self._send(group, signal.SIGKILL)
