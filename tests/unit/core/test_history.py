from __future__ import annotations

from procwrap.core.events import Declared, End, Ended, Event, ProbeResult, RoundEnded, Spawned, UsageSampled
from procwrap.core.history import ROUNDS, USAGES, History, Past
from procwrap.core.limits import Usage
from procwrap.core.reloads import Forgotten
from procwrap.core.snapshot import Snapshot, reduce


class Machine:
    """A history with its snapshot, and a clock that the test sets."""

    def __init__(self, *names: str) -> None:
        self.now = 0.0
        self.snapshot = Snapshot()
        self.history = History(lambda: self.now)
        self.tell(Declared(names))

    def tell(self, event: Event) -> None:
        self.snapshot = reduce(self.snapshot, event)
        self.history.note(self.snapshot, event)

    def spawn(self, name: str) -> None:
        self.tell(Spawned(name, 31, self.now, 0.0))

    def sample(self, cpu: float, *names: str, memory: int = 1000) -> None:
        self.tell(UsageSampled({name: Usage(memory, cpu, 1, 1, 3) for name in names}))

    def round(self, name: str, *results: ProbeResult, check: str = "readiness") -> None:
        self.tell(RoundEnded(name, check, results, 0, 3, True, False, 0.0))


def test_cpu_is_the_fraction_of_a_core() -> None:
    """From the start to the first sample, then from one sample to the next."""
    machine = Machine("api")
    machine.spawn("api")
    assert machine.history.cpu("api") is None
    machine.now = 5.0
    machine.sample(1.0, "api")
    assert machine.history.cpu("api") == 0.2
    machine.now = 10.0
    machine.sample(8.5, "api")
    assert machine.history.cpu("api") == 1.5


def test_cpu_begins_anew_with_each_run() -> None:
    """The CPU time of a new run begins at zero; it is no negative fraction of a core."""
    machine = Machine("api")
    machine.spawn("api")
    machine.now = 5.0
    machine.sample(4.0, "api")
    machine.tell(Ended("api", 31, End(0), 5.0, 5.0, 0.0, True))
    machine.now = 6.0
    machine.spawn("api")
    machine.now = 10.0
    machine.sample(1.0, "api")
    assert machine.history.cpu("api") == 0.25
    machine.now = 15.0
    machine.sample(0.5, "api")  # a descendant is gone, and what it had spent with it
    assert machine.history.cpu("api") == 0.0


def test_cpu_of_what_was_running_already() -> None:
    """Nobody knows what a process used before it was first seen."""
    machine = Machine("api")
    machine.sample(100.0, "api")
    assert machine.history.cpu("api") is None


def test_points_are_told_in_seconds_ago() -> None:
    """A client draws them with its own clock."""
    machine = Machine("api")
    machine.spawn("api")
    machine.now = 5.0
    machine.sample(1.0, "api")
    machine.now = 6.0
    machine.round("api", ProbeResult("tcp", True, "", 0.1), ProbeResult("http", False, "503", 0.25))
    assert machine.history.of("api").told(8.0) == {
        "usage": [[3.0, 0.2, 1000]],
        "rounds": {"readiness": [[2.0, False, 0.25]]},
    }


def test_history_is_bounded() -> None:
    """Whatever happens, ten minutes of samples and sixty rounds of each check are kept."""
    machine = Machine("api")
    for second in range(1000):
        machine.now = float(second)
        machine.sample(0.0, "api")
        machine.round("api")
        machine.round("api", check="liveness")
    past = machine.history.of("api")
    assert len(past.usages) == USAGES
    assert {check: len(points) for check, points in past.rounds.items()} == {
        "readiness": ROUNDS,
        "liveness": ROUNDS,
    }
    assert len(past.told(1500.0)["usage"]) == 100  # type: ignore[arg-type]


def test_a_past_does_not_change() -> None:
    """What was taken at one moment can be written later."""
    machine = Machine("api")
    machine.sample(0.0, "api")
    past = machine.history.of("api")
    machine.sample(1.0, "api")
    assert len(past.usages) == 1


def test_what_is_removed_is_forgotten() -> None:
    """A process that is no longer declared has no past, also when it comes again or was measured late."""
    machine = Machine("api", "db")
    machine.sample(0.0, "api", "db")
    machine.tell(Forgotten("api"))
    machine.sample(0.0, "api", "db")
    machine.round("api")
    machine.spawn("api")
    assert machine.history.of("api") == Past()
    assert len(machine.history.of("db").usages) == 2
