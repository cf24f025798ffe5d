"""All children: started in layers up, stopped in layers down."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks

from procwrap.children.child import Child
from procwrap.core.board import Board
from procwrap.core.ending import Remaining
from procwrap.core.events import Declared, Event
from procwrap.core.lifecycle import FINAL, Input
from procwrap.core.order import layers
from procwrap.core.snapshot import Snapshot


@define(eq=False)
class Fleet:
    """The children by name, in the plan's order."""

    children: Mapping[str, Child]
    _board: Board
    _layers: Sequence[Sequence[str]] = field(init=False)
    _stopping: Deferred[None] | None = None

    def __attrs_post_init__(self) -> None:
        """Work out who needs whom."""
        needs = {name: [need.name for need in child.spec.depends_on] for name, child in self.children.items()}
        self._layers = layers(needs)

    def start(self) -> None:
        """Start everything; each process starts as soon as what it needs is there."""
        self._board.tell(Declared(tuple(self.children)))
        for layer in self._layers:
            for name in layer:
                self.children[name].happen(Input.BEGIN)

    def stop(self, reason: str) -> Deferred[None]:
        """Stop everything, last layer first; fires when no process is left.

        A layer is stopped only when everything that depends on it is gone.
        """
        if self._stopping is None:
            for child in self.children.values():
                child.retire(reason)
            self._stopping = self._stop_layers(reason)
        return self._stopping

    @inlineCallbacks
    def _stop_layers(self, reason: str) -> Generator[Deferred[None], None, None]:
        for layer in reversed(self._layers):
            names = [name for name in layer if self.children[name].state not in FINAL]
            if not names:
                continue
            gone = self._when(Remaining(frozenset(names), FINAL))
            for name in names:
                self.children[name].happen(Input.STOP, reason)
            yield gone

    def kill(self, reason: str) -> None:
        """Send SIGKILL to every group, now; a stop that is under way goes on with what is left."""
        for child in self.children.values():
            child.happen(Input.KILL, reason)

    def signal(self, number: int) -> None:
        """Send a signal to every process group."""
        for child in self.children.values():
            child.signal(number)

    def _when(self, remaining: Remaining) -> Deferred[None]:
        done: Deferred[None] = Deferred()

        def look(snapshot: Snapshot, event: Event) -> None:
            if remaining.note(event):
                forget()
                done.callback(None)

        forget = self._board.watch(look)
        return done
