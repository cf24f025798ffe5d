"""``procwrap wait``: until processes are ready, run, or have exited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from procwrap.client import crowd
from procwrap.client.call import Call
from procwrap.client.events import entry_of
from procwrap.client.following import LOST, follow
from procwrap.client.sse import OPEN, Event
from procwrap.client.truth import Truth
from procwrap.errors import ExitStatus, NoHostError, OrderRefusedError

DEADLINE = 120.0
"""Seconds, as for ``--wait``."""

MOST_SHOWN = 20


def run(call: Call) -> int:
    """Wait.

    Returns:
        0 when it has come true, 1 at the deadline.

    Raises:
        NoHostError: there is no procwrap at the deadline, or none that could be understood.
        OrderRefusedError: there is no process of a name.
    """
    condition = call.asked.text("for") or "ready"
    timeout = call.asked.seconds("timeout")
    seconds = DEADLINE if timeout is None else timeout
    waiting = _Waiting(call, Truth(), condition, call.asked.words)
    if waiting.until(call.clock.now() + seconds):
        return ExitStatus.DONE
    missing = waiting.missing()
    for name, why in list(missing.items())[:MOST_SHOWN]:
        call.screen.say(f"not {condition} after {seconds:g}s: {name} {why}")
    if len(missing) > MOST_SHOWN:
        call.screen.say(f"not {condition} after {seconds:g}s: {len(missing) - MOST_SHOWN} more")
    return ExitStatus.CANNOT_START


class _Waiting:
    """Follows what is true until it is what was waited for."""

    def __init__(self, call: Call, truth: Truth, condition: str, names: Sequence[str]) -> None:
        self._call = call
        self._truth = truth
        self._condition = condition
        self._names = tuple(dict.fromkeys(names))
        self._why = ""
        self._connected = False

    def until(self, deadline: float) -> bool:
        """Wait until a time of the clock; return whether it has come true."""
        comers: crowd.Crowd[Event] = crowd.Crowd()
        comers.add("live", self._events)
        while (item := comers.next(deadline - self._call.clock.now())) is not None:
            if item.error is not None:
                return self._has_ended(item.error)
            if item.brought is not None and self._take(item.brought):
                return True
        if not self._connected:
            raise NoHostError(self._why or f"no answer from {self._call.host.name}")
        return False

    def missing(self) -> dict[str, str]:
        """Return who is not as wanted, and why."""
        return self._truth.missing(self._condition, self._names)

    def _events(self) -> Iterator[Event]:
        host, clock = self._call.host, self._call.clock
        # Somebody who waits for an end knows that it has begun; the others may be here before it has.
        ends = self._condition == "exited"
        return follow(
            lambda last: host.stream("/live", last), host.name, clock, patient=not ends, gone_after=0.0
        )

    def _has_ended(self, error: Exception) -> bool:
        """Tell whether the end of procwrap itself is what was waited for: nothing that it ran is left."""
        if isinstance(error, NoHostError) and error.gone and self._truth.is_known:
            return True
        raise error

    def _take(self, event: Event) -> bool:
        if event.kind == LOST:
            self._connected, self._why = False, event.data
        if event.kind in (OPEN, LOST):
            return False
        first = not self._truth.is_known
        self._truth.take(event.kind, entry_of(event, self._call.host.name), self._call.host.name)
        self._connected = self._truth.is_known
        if not self._connected:
            return False
        if first and (unknown := self._truth.unknown(self._names)):
            raise OrderRefusedError("\n".join(unknown))
        return not self.missing()
