"""What tests of HTTP need: a host without processes, and a wire that remembers what was done to it."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from procwrap.core.board import Board
from procwrap.core.events import Declared, End, Ended, ShutdownBegan, Spawned, StateChanged
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.lifecycle import State
from procwrap.spec.plan import LivenessRule
from procwrap.web.channel import Channel
from procwrap.web.connections import BoundedSite
from procwrap.web.limits import Limits
from procwrap.web.site import HostView, make_site

WALL = 1_795_291_384.567  # 2026-11-21T20:03:04.567Z


def seconds_of(text: str) -> float:
    """Understand ``30s``, and nothing that does not end in ``s``."""
    if not text.endswith("s"):
        raise ValueError(text)
    return float(text[:-1])


def broken_watcher(error: Exception) -> None:
    """Let a watcher that raises break the test."""
    raise error


@define(eq=False)
class Host:
    """Two processes that do what the test says."""

    names: tuple[str, ...] = ("api", "db")
    clock: Clock = field(factory=Clock)
    board: Board = field(factory=lambda: Board(broken_watcher))
    rule: LivenessRule = LivenessRule.HEALTHY
    heartbeats: Heartbeats = field(init=False)

    @heartbeats.default
    def _heartbeats(self) -> Heartbeats:
        return Heartbeats(self.names)

    @property
    def view(self) -> HostView:
        """What the HTTP floor gets."""
        return HostView(self.board, self.heartbeats, self.rule, self.clock, lambda: WALL, seconds_of)

    @property
    def watchers(self) -> int:
        """How many watch the board."""
        return len(self.board._watchers)

    def declare(self) -> None:
        """Say which processes there are."""
        self.board.tell(Declared(self.names))

    def becomes(self, name: str, state: State, reason: str = "") -> None:
        """Move a process."""
        self.board.tell(StateChanged(name, state, self.clock.seconds(), WALL, reason))

    def spawned(self, name: str, pid: int) -> None:
        """Give a process a pid."""
        self.board.tell(Spawned(name, pid, self.clock.seconds(), WALL))

    def ended(self, name: str, end: End, success: bool = False) -> None:
        """End a process."""
        self.board.tell(Ended(name, 1, end, 1.0, self.clock.seconds(), WALL, success))

    def all_up(self) -> None:
        """Have everything run."""
        self.declare()
        for name in self.names:
            self.becomes(name, State.RUNNING)

    def shut_down(self) -> None:
        """Begin the end."""
        self.board.tell(ShutdownBegan("SIGTERM"))

    def site(self, **limits: float) -> BoundedSite:
        """Build the real site with these limits changed."""
        return make_site(self.view, Limits(**limits))


class Wire(StringTransport):
    """A transport that remembers whether it was half-closed, closed or aborted."""

    half_closed = False
    aborted = False

    def loseWriteConnection(self) -> None:
        """Send nothing more."""
        self.half_closed = True

    def abortConnection(self) -> None:
        """Be gone."""
        self.aborted = True

    def unregisterProducer(self) -> None:
        """Forget the producer, if there is one, as real transports do."""
        if self.producer is not None:
            super().unregisterProducer()

    @property
    def closed(self) -> bool:
        """Whether it was told to close, kindly or not."""
        return self.disconnecting or self.aborted

    @property
    def codes(self) -> list[int]:
        """The status of every response on the wire."""
        return [int(part[1:4]) for part in self.value().split(b"HTTP/1.1")[1:]]


def connect(site: BoundedSite) -> tuple[Channel, Wire]:
    """Open a connection."""
    channel, wire = site.buildProtocol(None), Wire()
    channel.makeConnection(wire)
    return channel, wire
