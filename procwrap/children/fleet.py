"""All children: started in layers up, stopped in layers down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks, succeed

from procwrap.children.child import Child
from procwrap.core.board import Board
from procwrap.core.ending import Remaining
from procwrap.core.events import Declared, Event
from procwrap.core.lifecycle import FINAL, Input
from procwrap.core.order import arranged, layers
from procwrap.core.snapshot import Snapshot


@define(eq=False)
class Fleet:
    """The children by name, in the plan's order."""

    children: dict[str, Child]
    _board: Board
    _layers: Sequence[Sequence[str]] = field(init=False)
    _leaving: list[Child] = field(factory=list)
    _stopping: Deferred[None] | None = None

    def __attrs_post_init__(self) -> None:
        """Work out who needs whom."""
        self.arrange()

    def arrange(self, order: Iterable[str] = ()) -> None:
        """Bring the children into this order, if one is given, and work out anew who needs whom."""
        self.children = arranged(self.children, order)
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
            yield self.stop_those(layer, lambda _: reason)

    def layers_of(self, names: Collection[str]) -> list[list[str]]:
        """Return these names in layers, each of which needs only what is in earlier ones."""
        found = ([name for name in layer if name in names] for layer in self._layers)
        return [layer for layer in found if layer]

    def stop_those(self, names: Iterable[str], reason: Callable[[str], str]) -> Deferred[None]:
        """Stop some at the same time; fires when all of them are gone.

        Args:
            names: theirs.
            reason: tells for each why.
        """
        running = [name for name in names if name in self.children and self.children[name].state not in FINAL]
        if not running:
            return succeed(None)
        gone = self._when(Remaining(frozenset(running), FINAL))
        for name in running:
            self.children[name].happen(Input.STOP, reason(name))
        return gone

    def remove(self, name: str) -> Child:
        """Let go of one that is gone; what it wrote is still read."""
        child = self.children.pop(name)
        self._leaving = [other for other in (*self._leaving, child) if not other.settled]
        return child

    @property
    def settled(self) -> bool:
        """Whether all are over and everything that they wrote has been read."""
        return all(child.settled for child in (*self.children.values(), *self._leaving))

    def kill(self, reason: str) -> None:
        """Send SIGKILL to every group, now; a stop that is under way goes on with what is left."""
        for child in self.children.values():
            child.happen(Input.KILL, reason)

    def signal(self, number: int) -> None:
        """Send a signal to every process group."""
        for child in self.children.values():
            child.signal(number)

    def _when(self, remaining: Remaining) -> Deferred[None]:
        done: Deferred[None] = Deferred(lambda _: forget())

        def look(snapshot: Snapshot, event: Event) -> None:
            if remaining.note(event):
                forget()
                done.callback(None)

        forget = self._board.watch(look)
        return done
