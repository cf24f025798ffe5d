"""Makes the fleet what a new config asks for: stops, swaps, starts, and leaves everything else alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from attrs import define, evolve, field, frozen
from twisted.internet import defer
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from procwrap.children.child import Child
from procwrap.children.fleet import Fleet
from procwrap.children.orders import Orders
from procwrap.children.slices import SLICE
from procwrap.core.board import Board
from procwrap.core.difference import CHECKS, Difference
from procwrap.core.events import Declared
from procwrap.core.lifecycle import FINAL, Input, State
from procwrap.core.reloads import Forgotten
from procwrap.core.roster import Roster
from procwrap.errors import OrderRefusedError
from procwrap.spec.process import ProcessSpec

LATE = 10.0
"""Seconds after its SIGKILL in which a process has to be gone; what hangs in the kernel is not waited for."""

Keys = tuple[str, ...]


class Floors(Protocol):
    """Everybody else who knows the processes one by one."""

    def admit(self, spec: ProcessSpec) -> None:
        """Learn of a process that is about to begin: a new one, or one that begins with another spec."""

    def adjust(self, spec: ProcessSpec, keys: Keys) -> None:
        """Learn that a process goes on with another spec, in which these keys are different."""

    def forget(self, child: Child) -> None:
        """Learn that a process is gone for good; it may not be settled yet."""

    def changed(self) -> None:
        """Learn that the roster is complete again, and all that is in it was begun."""


@frozen
class Begun:
    """What was begun.

    Attributes:
        starts: fires for each process that was started when it is up, and fails when it does not come up.
        resting: those that an operator had stopped: they begin with their new spec when somebody starts them.
        late: those that have not ended in time, and are left as they were.
    """

    starts: Mapping[str, Deferred[None]]
    resting: Collection[str] = ()
    late: Sequence[str] = ()


@define(eq=False)
class Reshaping:
    """Carries a difference out; one at a time.

    Args:
        make: builds the child of a spec.
        ending: whether everything is about to end; then nothing is begun any more.
    """

    _fleet: Fleet
    _orders: Orders
    _board: Board
    _clock: IReactorTime
    _roster: Roster
    _make: Callable[[ProcessSpec], Child]
    _floors: Floors
    _ending: Callable[[], bool]
    _since: float = field(init=False, default=0.0)
    _owed: set[str] = field(init=False, factory=set)
    """Those that had not ended in time the last time, and were to begin again."""

    @inlineCallbacks
    def carry_out(self, difference: Difference) -> Generator[Deferred[Any], Any, Begun]:
        """Stop what is to go or to begin anew, and start that again and what is new.

        Returns:
            Deferred[Begun]; fails with OrderRefusedError when procwrap ends in the middle of it.
        """
        self._since = self._clock.seconds()
        for name, keys in difference.adjusted.items():
            self._adjust(difference.wanted[name], keys)
            yield self._breathe()
        leaving = (*difference.removed, *difference.renewed)
        children = self._fleet.children
        resting = {
            name
            for name in difference.renewed
            if children[name].state is State.STOPPED and name not in self._owed
        }
        self._orders.reserve(leaving)
        try:
            yield self._stop(difference)
            late = [name for name in leaving if children[name].state not in FINAL]
            yield self._exchange(difference, late)
        finally:
            self._orders.reserve(())
        begin = {*difference.added, *difference.renewed, *self._owed & difference.wanted.keys()}
        self._owed = set(late) & difference.renewed.keys()
        begin = self._with_skipped(begin.difference(resting, late), difference)
        starts = yield self._start(begin, difference.added)
        # Not earlier: those that have ended are about to run again.
        self._floors.changed()
        return Begun(starts, resting, late)

    def _with_skipped(self, begin: set[str], difference: Difference) -> set[str]:
        """Add those that were skipped because of others, if these begin anew or are others by now."""
        children = self._fleet.children
        skipped = {name for name in difference.wanted if children[name].state is State.SKIPPED}
        for layer in self._fleet.layers_of(skipped - begin):
            for name in layer:
                others = "dependsOn" in difference.adjusted.get(name, ())
                if others or any(need.name in begin for need in children[name].spec.depends_on):
                    begin.add(name)
        return begin

    @inlineCallbacks
    def _start(
        self, names: Collection[str], added: Collection[str]
    ) -> Generator[Deferred[Any], Any, dict[str, Deferred[None]]]:
        starts: dict[str, Deferred[None]] = {}
        for layer in self._fleet.layers_of(names):
            for name in layer:
                if name in added:
                    self._fleet.children[name].happen(Input.BEGIN)
                starts[name] = self._orders.start(name, "")
                yield self._breathe()
        return starts

    def _adjust(self, spec: ProcessSpec, keys: Keys) -> None:
        child = self._fleet.children[spec.name]
        self._roster.put(spec)
        child.adjust(spec, new_checks=not CHECKS.isdisjoint(keys))
        self._floors.adjust(spec, keys)
        if "dependsOn" in keys and child.state in (State.WAITING, State.STANDBY):
            # It asks again, for it waits for something else now.
            child.happen(Input.BEGIN)

    @inlineCallbacks
    def _stop(self, difference: Difference) -> Generator[Deferred[Any], Any, None]:
        """Stop those that are to go, or to begin anew; whatever others need outlives them."""

        def reason(name: str) -> str:
            keys = difference.renewed.get(name)
            return "it is no longer part of the config" if keys is None else _because(keys)

        for layer in reversed(self._fleet.layers_of((*difference.removed, *difference.renewed))):
            graces = [self._fleet.children[name].grace or 0.0 for name in layer]
            gone = self._fleet.stop_those(layer, reason).addTimeout(max(graces) + LATE, self._clock)
            with suppress(defer.TimeoutError):
                yield gone
            # Not in the middle of the news of the last one's end.
            yield deferLater(self._clock, 0)
            self._refuse_at_the_end()

    @inlineCallbacks
    def _exchange(self, difference: Difference, late: Collection[str]) -> Generator[Deferred[Any], Any, None]:
        children, wanted = self._fleet.children, difference.wanted
        for name in self._owed & wanted.keys():
            children[name].spec = wanted[name]
        for name in late:
            # So that no circle is made of what the old and the new config say.
            children[name].spec = evolve(children[name].spec, depends_on=())
        # Those that go come last: at no moment may it look as if nothing were left to run.
        for name in (*difference.renewed, *difference.added, *difference.removed):
            if name in late:
                continue
            if name not in wanted:
                self._remove(name)
            else:
                self._put(wanted[name])
            yield self._breathe()
        self._fleet.arrange(wanted)
        self._roster.arrange(wanted)
        if tuple(self._board.snapshot.processes) != tuple(self._roster):
            self._board.tell(Declared(tuple(self._roster)))

    def _put(self, spec: ProcessSpec) -> None:
        self._roster.put(spec)
        self._floors.admit(spec)
        child = self._fleet.children.get(spec.name)
        if child is None:
            self._fleet.children[spec.name] = self._make(spec)
        else:
            child.adjust(spec, new_checks=False)

    def _remove(self, name: str) -> None:
        child = self._fleet.remove(name)
        self._roster.drop(name)
        self._floors.forget(child)
        self._board.tell(Forgotten(name))

    def _breathe(self) -> Deferred[None]:
        """Give the reactor its turn when it is time."""
        if self._clock.seconds() - self._since < SLICE:
            return succeed(None)
        return deferLater(self._clock, 0, self._go_on)

    def _go_on(self) -> None:
        self._since = self._clock.seconds()
        self._refuse_at_the_end()

    def _refuse_at_the_end(self) -> None:
        if self._ending():
            raise OrderRefusedError("procwrap ends in the middle of the reload: nothing more is changed")


def _because(keys: Keys) -> str:
    return f"its config has changed: {', '.join(keys)}"
