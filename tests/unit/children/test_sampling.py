from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.sampling import PERIOD, STUCK, Sampling, usage_reader
from procwrap.core.events import End, Level, Notice, RestartCause, Restarting, StateChanged, UsageSampled
from procwrap.core.lifecycle import State
from procwrap.core.limits import Usage
from procwrap.spec.process import ProcessSpec, Stop
from tests.support.children import make_world

MIB = 1024 * 1024
API = ProcessSpec("api", "/bin/api", memory_limit=512 * MIB, stop=Stop(timeout=60.0))


def using(mebibytes: int) -> Usage:
    return Usage(mebibytes * MIB, 1.0, 1, 1, 3)


class Threads:
    """Threads that do their work when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def start(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


class SamplingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = make_world(
            API, evolve(API, name="db", memory_limit=None), withstands={"api": frozenset({15})}
        )
        self.world.start()
        self.api = self.world.fleet.children["api"]
        self.threads = Threads()
        self.uses: dict[str, Usage] = {}
        self.asked: list[tuple[int, ...]] = []
        reactor: Any = self.world.clock
        reactor.callFromThread = lambda function, *args: function(*args)
        self.sampling = Sampling(
            reactor,
            self.world.fleet.children.values,
            self.world.board.tell,
            self.read,
            self.threads.start,
        )
        self.sampling.start()

    def read(self, leaders: Iterable[int]) -> Mapping[int, Usage]:
        """What a test says that the processes use."""
        self.asked.append(tuple(leaders))
        children = self.world.fleet.children
        return {g: use for name, use in self.uses.items() if (g := children[name].group) is not None}

    def period(self, **uses: int) -> None:
        """Let one measurement find this, in MiB."""
        self.uses = {name: using(size) for name, size in uses.items()}
        self.world.clock.advance(PERIOD)
        self.threads.work()

    def usage(self, name: str) -> Usage | None:
        return self.world.board.snapshot.processes[name].usage

    def test_limits_come_first_when_measuring_is_expensive(self) -> None:
        """With thousands of processes, those without a limit are measured less often."""
        self.period(api=100, db=900)
        groups = {name: child.group for name, child in self.world.fleet.children.items()}
        self.sampling._everybody_at = self.world.clock.seconds() + 2.5 * PERIOD
        for _ in range(3):
            self.period(api=100, db=900)
        both = (groups["api"], groups["db"])
        self.assertEqual(self.asked, [both, (groups["api"],), (groups["api"],), both])

    def test_what_is_used_is_told(self) -> None:
        """Of all that run, every period, and first after one."""
        self.assertEqual(self.threads.waiting, [])
        self.period(api=100, db=900)
        self.assertEqual((self.usage("api"), self.usage("db")), (using(100), using(900)))
        self.assertEqual(len(self.asked), 1)

    def test_over_the_limit(self) -> None:
        """It is stopped with a reason that says by how much, and restarted with the cause told."""
        self.period(api=600, db=900)
        self.assertEqual(self.world.states(), {"api": "stopping", "db": "running"})
        reason = "memory 600 MiB over the limit of 512 MiB"
        self.assertEqual(self.world.told(Notice), [Notice(Level.ERROR, reason, "api")])
        self.assertEqual(self.world.told(StateChanged)[-1].reason, reason)
        self.world.run("api").end(End(signal=15))
        self.assertIs(self.world.told(Restarting)[0].cause, RestartCause.OOM)
        self.assertIsNone(self.usage("api"))

    def test_twice_over_the_limit(self) -> None:
        """While it is being stopped it may go on growing: one stop, one restart, one line."""
        for size in (600, 700, 800):
            self.period(api=size)
        self.assertEqual((self.world.state("api"), len(self.world.told(Notice))), (State.STOPPING, 1))
        self.world.run("api").end(End(signal=15))
        self.assertEqual(len(self.world.told(Restarting)), 1)

    def test_a_measurement_of_the_last_run(self) -> None:
        """What is told about a process that has been restarted meanwhile is not held against the new one."""
        self.uses = {"api": using(600)}
        self.world.clock.advance(PERIOD)
        measured = {self.world.run("api").group: using(600)}
        self.world.run("api").end(End(code=1))
        self.world.clock.advance(1)
        self.assertIs(self.world.state("api"), State.RUNNING)
        self.sampling._read = lambda leaders: measured
        self.threads.work()
        self.assertEqual((self.world.state("api"), self.usage("api")), (State.RUNNING, None))
        self.assertEqual(self.world.told(UsageSampled), [])

    def test_a_measurement_that_hangs(self) -> None:
        """No second thread is started beside it; after a minute somebody is told, once."""
        for _ in range(STUCK * 3):
            self.world.clock.advance(PERIOD)
        self.assertEqual(len(self.threads.waiting), 1)
        (notice,) = self.world.told(Notice)
        self.assertEqual(notice.text, "/proc has not been read for 60s: no memory limit holds meanwhile")
        self.uses = {"api": using(1)}
        self.threads.work()
        self.period(api=2)
        self.assertEqual(self.usage("api"), using(2))

    def test_a_measurement_that_fails(self) -> None:
        """Is said, and tried again."""

        def broken(leaders: Iterable[int]) -> Mapping[int, Usage]:
            raise OSError("no /proc")

        self.sampling._read = broken
        self.period()
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.sampling._read = self.read
        self.period(api=3)
        self.assertEqual(self.usage("api"), using(3))

    def test_no_thread_to_be_had(self) -> None:
        """A host at its limit of threads goes on without, and tries again."""

        def refuse(work: Callable[[], None]) -> None:
            raise RuntimeError("can't start new thread")

        self.sampling._run = refuse
        self.period(api=3)
        self.assertIsNone(self.usage("api"))
        self.sampling._run = self.threads.start
        self.period(api=3)
        self.assertEqual(self.usage("api"), using(3))

    def test_nothing_runs(self) -> None:
        """Then nothing is measured."""
        for name in ("api", "db"):
            self.world.run(name).end(End(code=1))
        self.sampling._measure()
        self.assertEqual((self.threads.waiting, self.asked), ([], []))

    def test_the_real_reader(self) -> None:
        """It imports what it needs when it is first asked."""
        self.assertEqual(usage_reader()([2**30]), {})
