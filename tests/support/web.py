"""What tests of HTTP need: a host without processes, and a wire that remembers what was done to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from procwrap.core.board import Board
from procwrap.core.commandline import shown_command
from procwrap.core.events import Declared, End, Ended, ShutdownBegan, Spawned, StateChanged
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.history import History
from procwrap.core.journal import Journal
from procwrap.core.lifecycle import State
from procwrap.core.roster import Derived
from procwrap.logs.recent import Recent
from procwrap.spec.plan import LivenessRule
from procwrap.spec.process import ProcessSpec
from procwrap.web.access import Admission, fixed
from procwrap.web.channel import Channel
from procwrap.web.connections import BoundedSite
from procwrap.web.insight import Insight
from procwrap.web.limits import Limits
from procwrap.web.site import HostView, make_site

WALL = 1_795_291_384.567  # 2026-11-21T20:03:04.567Z


def seconds_of(text: str) -> float:
    """Understand ``30s``, and nothing that does not end in ``s``."""
    if not text.endswith("s"):
        raise ValueError(text)
    return float(text[:-1])


def signal_number(text: str) -> int:
    """Understand ``HUP``."""
    if text != "HUP":
        raise ValueError(text)
    return 1


def broken_watcher(error: Exception) -> None:
    """Let a watcher that raises break the test."""
    raise error


@define(eq=False)
class Host:
    """Two processes that do what the test says.

    Attributes:
        token: admits operators; None admits none over TCP.
        fleet: carries out what they ask for.
        specs: what was asked for.
        recents: what processes have printed.
    """

    names: tuple[str, ...] = ("api", "db")
    clock: Clock = field(factory=Clock)
    board: Board = field(factory=lambda: Board(broken_watcher))
    rule: LivenessRule = LivenessRule.HEALTHY
    token: str | None = None
    fleet: Any = None
    specs: Mapping[str, ProcessSpec] = field(factory=dict)
    recents: dict[str, Recent] = field(factory=dict)
    heartbeats: Heartbeats = field(init=False)
    history: History = field(init=False)
    journal: Journal = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Remember what happens."""
        self.history, self.journal = History(self.clock.seconds), Journal(lambda: WALL)
        self.board.watch(self.history.note)
        self.board.watch(self.journal.note)

    @heartbeats.default
    def _heartbeats(self) -> Heartbeats:
        return Heartbeats(self.names)

    @property
    def view(self) -> HostView:
        """What the HTTP floor gets."""
        view = HostView(self.board, self.heartbeats, self.rule, self.clock, lambda: WALL, seconds_of)
        view = evolve(view, admits=Admission(fixed(self.token)).admits, fleet=self.fleet)
        commands = Derived(self.specs, shown_command)
        known = Insight(
            self.history, self.journal, self.specs.get, commands.get, self.recents.get, signal_number
        )
        return evolve(view, insight=known)

    @property
    def watchers(self) -> int:
        """How many watch the board, besides those who remember what happens."""
        return len(self.board._watchers) - 2

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


class SlowWire(Wire):
    """A client that reads ``most`` bytes at a time, and then only when it is told to."""

    most = 10_000

    def write(self, data: bytes) -> None:
        super().write(data)
        producer: Any = self.producer
        if len(self.value()) > self.most:
            producer.pauseProducing()

    def read(self) -> None:
        """Take what is there."""
        self.clear()
        producer: Any = self.producer
        if producer is not None:
            producer.resumeProducing()


def connect(site: BoundedSite) -> tuple[Channel, Wire]:
    """Open a connection."""
    channel, wire = site.buildProtocol(None), Wire()
    channel.makeConnection(wire)
    return channel, wire
