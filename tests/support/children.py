"""Children without processes: what they are started with is kept, and their end comes when a test says so."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.task import Clock

from procwrap.children.child import Child
from procwrap.children.fleet import Fleet
from procwrap.children.gate import Gate
from procwrap.children.permits import Entrance, Permit
from procwrap.children.surroundings import Surroundings
from procwrap.core.board import Board
from procwrap.core.events import End, Event
from procwrap.core.lifecycle import Input, State
from procwrap.core.policy import Judgement
from procwrap.core.snapshot import Snapshot
from procwrap.errors import ExitStatus, SpawnError
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec

WALL = 1_700_000_000.0


@define(eq=False)
class FakeRunning:
    """A process that ends when told, or at once by the signals it does not withstand."""

    group: int
    spec: ProcessSpec
    exited: Callable[[End], None]
    drained: Callable[[], None]
    withstands: frozenset[int]
    signals: list[int] = field(factory=list)
    pid: int | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pid = self.group

    def signal(self, number: int) -> bool:
        if self.pid is None:
            return False
        self.signals.append(number)
        if number not in self.withstands | {signal.SIGCONT}:
            self.end(End(signal=number))
        return True

    def end(self, end: End, drained: bool = True) -> None:
        self.pid = None
        self.exited(end)
        if drained:
            self.drained()


@define
class FakeStarted:
    """What an executor returns."""

    running: FakeRunning
    environment: Mapping[str, str]
    at: float


@define(eq=False)
class FakeExecutor:
    """Starts nothing; refuses the entrypoint ``missing``."""

    clock: Clock
    withstands: dict[str, frozenset[int]] = field(factory=dict)
    before_start: Callable[[], None] = lambda: None
    started: list[FakeRunning] = field(factory=list)

    def start(
        self,
        spec: ProcessSpec,
        exited: Callable[[End], None],
        drained: Callable[[], None],
        given: Pairs = (),
    ) -> FakeStarted:
        self.before_start()
        if spec.entrypoint == "missing":
            raise SpawnError("cannot execute missing: no such file", ExitStatus.NOT_FOUND)
        withstands = self.withstands.get(spec.name, frozenset())
        running = FakeRunning(1000 + len(self.started), spec, exited, drained, withstands)
        self.started.append(running)
        return FakeStarted(running, {**dict(spec.envs), **dict(given)}, self.clock.seconds())


@define(eq=False)
class FakeChecks:
    """Checks that say what a test says; healthy at once unless told to wait."""

    child: Child
    healthy_at_once: bool
    running: bool = False

    def start(self) -> None:
        self.running = True
        if self.healthy_at_once:
            self.child.happen(Input.HEALTHY)

    def stop(self) -> None:
        self.running = False


@define(eq=False)
class FakePreStop:
    """A preStop hook that is over when a test says so; at once where there is none."""

    child: Child
    over_at_once: bool
    running: bool = False

    def start(self) -> None:
        self.running = True
        if self.over_at_once:
            self.end()

    def stop(self) -> None:
        self.running = False

    def end(self) -> None:
        self.running = False
        self.child.happen(Input.PRE_STOPPED)


class NoLeftovers:
    """Every group is empty as soon as its leader is gone."""

    def sweep(self, group: int, after: float) -> None:
        return


@define(eq=False)
class World:
    """A fleet of children with nothing real about it.

    Attributes:
        events: everything that was told.
        ended_all: the processes that ended the whole, with the end.
        checks: the checks of every run.
        pre_stops: the preStop hook of every stop.
        renewed: the processes whose checks were made anew.
    """

    clock: Clock
    board: Board
    executor: FakeExecutor
    fleet: Fleet
    events: list[Event]
    ended_all: list[tuple[str, End]]
    checks: list[FakeChecks]
    pre_stops: list[FakePreStop]
    renewed: list[str]

    def start(self) -> None:
        """Start the fleet and let the gate have its turn."""
        self.fleet.start()
        self.clock.advance(0)

    def state(self, name: str) -> State:
        return self.fleet.children[name].state

    def states(self) -> dict[str, str]:
        return {name: child.state.value for name, child in self.fleet.children.items()}

    def runs(self, name: str) -> list[FakeRunning]:
        return [running for running in self.executor.started if running.spec.name == name]

    def run(self, name: str) -> FakeRunning:
        return self.runs(name)[-1]

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def _raise(error: Exception) -> None:
    raise error


def make_world(
    *specs: ProcessSpec,
    grace: float | None = 10.0,
    healthy_at_once: bool = True,
    withstands: dict[str, frozenset[int]] | None = None,
    permits: dict[str, list[Permit]] | None = None,
    slow: tuple[str, ...] = (),
) -> World:
    """Build a fleet of these processes around a Clock; the slow ones become healthy when a test says so."""
    clock, board = Clock(), Board(_raise)
    executor = FakeExecutor(clock, withstands or {})
    events: list[Event] = []
    ended_all: list[tuple[str, End]] = []
    checks: list[FakeChecks] = []
    pre_stops: list[FakePreStop] = []
    renewed: list[str] = []

    def watch(snapshot: Snapshot, event: Event) -> None:
        events.append(event)

    def make_checks(child: Child) -> FakeChecks:
        checks.append(FakeChecks(child, healthy_at_once and child.spec.name not in slow))
        return checks[-1]

    def make_pre_stop(child: Child) -> FakePreStop:
        hook = FakePreStop(child, child.spec.pre_stop is None)
        pre_stops.append(hook)
        return hook

    def renew_checks(child: Child, old: Any) -> Any:
        renewed.append(child.spec.name)
        return old

    def note(spec: ProcessSpec, end: End, judged: Judgement) -> None:
        ended_all.append((spec.name, end))

    board.watch(watch)
    around: Any = Surroundings(
        clock,
        lambda: WALL + clock.seconds(),
        board.tell,
        Entrance(Gate(board, clock), lambda name: (permits or {}).get(name, ())),
        executor,  # type: ignore[arg-type]
        NoLeftovers(),  # type: ignore[arg-type]
        make_checks,
        make_pre_stop,
        note,
        grace,
        renew_checks=renew_checks,
    )
    fleet = Fleet({spec.name: Child(spec, around) for spec in specs}, board)
    return World(clock, board, executor, fleet, events, ended_all, checks, pre_stops, renewed)
