"""Keeps a process's own tombstone: born at its first run, died when no run will follow."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from procwrap.core.events import Ended, Event, Spawned, StateChanged
from procwrap.core.lifecycle import FINAL
from procwrap.core.snapshot import Snapshot
from procwrap.pod.tombstone import Tombstone

PATIENCE = 2.0
"""Seconds that the end of everything waits for the last stroke; the file system may be dead too."""

Carve = Callable[[Tombstone], Deferred[None]]
"""Writes the tombstone aside."""


@define(eq=False)
class Mason:
    """A Board watcher for one process. A restart is no death: others would end because of it."""

    _process: str
    _carve: Carve
    _clock: IReactorTime
    _wall: Callable[[], float]
    _warn: Callable[[str], None]
    _stone: Tombstone = Tombstone()
    _last_code: int | None = None
    _carving: bool = False
    _unfinished: bool = False
    _waiting: list[Deferred[None]] = field(factory=list)
    _dying: tuple[Tombstone, IDelayedCall] | None = None

    def watch(self, snapshot: Snapshot, event: Event) -> None:
        """Carve what there is to carve about an event."""
        if getattr(event, "name", None) != self._process:
            return
        if isinstance(event, Spawned) and (self._stone.born is None or self._stone.died is not None):
            self._strike(Tombstone(born=event.wall))
        elif isinstance(event, Ended):
            self._last_code = event.end.exit_code
        elif isinstance(event, StateChanged):
            self._revive()
            if event.state in FINAL and self._stone.died is None:
                # What never began has no code of its own, and is as dead as the others.
                code = 0 if self._last_code is None else self._last_code
                stone = evolve(self._stone, died=event.wall, exit_code=code)
                # A moment later: one that an operator restarts begins anew at once.
                self._dying = stone, self._clock.callLater(0, self._die)

    def finish(self) -> Deferred[None]:
        """Return a Deferred that fires when everything is carved, or after a while."""
        if self._dying is not None:
            self._die()
        done: Deferred[None] = Deferred()
        if not self._carving:
            done.callback(None)
            return done
        self._waiting.append(done)
        late: IDelayedCall = self._clock.callLater(PATIENCE, self._give_up)

        def disarm(result: object) -> None:
            if late.active():
                late.cancel()

        return done.addBoth(disarm)

    def _die(self) -> None:
        dying = self._revive()
        if dying is not None:
            self._strike(dying)

    def _revive(self) -> Tombstone | None:
        """Carve no death, at least not yet; return the tombstone that was about to be carved."""
        dying, self._dying = self._dying, None
        if dying is None:
            return None
        if dying[1].active():
            dying[1].cancel()
        return dying[0]

    def _strike(self, stone: Tombstone) -> None:
        self._stone = stone
        # One at a time, so that the last one stands.
        self._unfinished = True
        self._go_on()

    def _go_on(self) -> None:
        if self._carving or not self._unfinished:
            return
        self._carving, self._unfinished = True, False
        self._carve(self._stone).addErrback(self._could_not).addBoth(self._carved)

    def _could_not(self, failure: Failure) -> None:
        reason = getattr(failure.value, "strerror", None) or failure.value
        self._warn(f"cannot write the tombstone of {self._process}: {reason}; others will not see its end")

    def _carved(self, _: object) -> None:
        self._carving = False
        self._go_on()
        if not self._carving:
            self._release()

    def _give_up(self) -> None:
        self._warn(f"the tombstone of {self._process} could not be written within {PATIENCE:g}s")
        self._release()

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            if not done.called:
                done.callback(None)
