"""After the end of our processes: until the other containers have ended, too, or long enough."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from procwrap.core.events import Level
from procwrap.core.oneline import one_line
from procwrap.pod.kubernetes import PodWatch, Sight
from procwrap.pod.podview import DEFAULT_GRACE, PodView
from procwrap.pod.sidecars import outliving

BLIND = 10.0
"""Seconds of waiting without seeing anything: the proxy that leads to the API server may have ended."""


@define(eq=False)
class LastWait:
    """Waits once, at most as long as the Pod's ``terminationGracePeriodSeconds``.

    Args:
        own: returns the name of our own container, empty when it is not known yet.
        is_needed: whether anything ran that others may have worked for.
        report: takes a line.
    """

    _watch: PodWatch
    _own: Callable[[PodView], str]
    _clock: IReactorTime
    _is_needed: Callable[[], bool]
    _report: Callable[[Level, str], None]
    _seen_ended: set[str] = field(factory=set)
    _left: str = ""
    _began: float = 0.0
    _hurried: bool = False
    _deadline: IDelayedCall | None = None
    _blind: IDelayedCall | None = None
    _forget: Callable[[], None] | None = None
    _done: Deferred[None] | None = None

    def wait(self) -> Deferred[None]:
        """Return a Deferred that fires when it is over; it never fails unless it is cancelled."""
        if self._hurried or not self._is_needed():
            return succeed(None)
        done: Deferred[None] = Deferred(lambda _: self._rest())
        self._done = done
        self._began = self._clock.seconds()
        self._deadline = self._clock.callLater(DEFAULT_GRACE, self._too_late)
        self._mind(Sight())
        self._forget = self._watch.follow(self._see)
        if done.called:
            # It was over at the first look.
            self._rest()
        return done

    def hurry(self) -> None:
        """Wait no longer: somebody wants us to end, and ends the others as well if the Pod is to end."""
        self._hurried = True
        self._end()

    def _see(self, sight: Sight) -> None:
        self._mind(sight)
        if sight.pod is None:
            return
        self._extend(sight.pod)
        own = self._own(sight.pod)
        running = outliving(sight.pod, own)
        # One that is restarted has ended all the same.
        names = {container.name for container in running}
        self._seen_ended |= {found.name for found in sight.pod.containers if found.name not in names}
        left = one_line(", ".join(str(found) for found in running if found.name not in self._seen_ended))
        if not left:
            self._end()
        elif left != self._left:
            self._left = left
            self._report(Level.INFO, f"waits for the other containers to end: {left}")

    def _extend(self, pod: PodView) -> None:
        """Put the deadline where the Pod wants it."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.reset(max(self._began + pod.grace - self._clock.seconds(), 0.0))

    def _mind(self, sight: Sight) -> None:
        if sight.pod is not None and not sight.trouble:
            _cancel(self._blind)
            self._blind = None
        elif self._blind is None:
            self._blind = self._clock.callLater(BLIND, self._blinded)

    def _blinded(self) -> None:
        why = self._watch.sight.trouble or "no answer"
        self._report(
            Level.WARNING, f"does not wait for the other containers, for nobody says how they are: {why}"
        )
        self._end()

    def _too_late(self) -> None:
        waited = self._clock.seconds() - self._began
        left = self._left or "other containers"
        self._report(Level.WARNING, f"waits no longer, after {waited:.0f}s, for the end of {left}")
        self._end()

    def _end(self) -> None:
        self._rest()
        done, self._done = self._done, None
        if done is not None:
            done.callback(None)

    def _rest(self) -> None:
        for timer in (self._deadline, self._blind):
            _cancel(timer)
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()


def _cancel(timer: IDelayedCall | None) -> None:
    if timer is not None and timer.active():
        timer.cancel()
