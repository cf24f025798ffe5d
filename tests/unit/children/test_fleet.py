from __future__ import annotations

import signal

from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import End, StateChanged
from procwrap.core.lifecycle import Input, State
from procwrap.spec.process import Condition, Dependency, ProcessSpec, Restart, RestartPolicy
from tests.support.children import make_world

ONCE = Restart(RestartPolicy.NEVER)


def spec(name: str, *needs: Dependency, restart: Restart = Restart()) -> ProcessSpec:
    return ProcessSpec(name, "/bin/true", depends_on=needs, restart=restart)


class StartTests(SynchronousTestCase):
    def test_what_is_needed_starts_first(self) -> None:
        """A process starts as soon as what it needs is ready, and says what it waits for until then."""
        world = make_world(spec("api", Dependency("db")), spec("db"), healthy_at_once=False)
        world.start()
        self.assertEqual(world.states(), {"api": "waiting", "db": "starting"})
        self.assertEqual(world.board.snapshot.processes["api"].reason, "waits for db to be ready")
        world.fleet.children["db"].happen(Input.HEALTHY)
        world.clock.advance(0)
        self.assertEqual(world.state("api"), State.STARTING)

    def test_completed_waits_for_success(self) -> None:
        """An init process that fails leaves those that wait for it skipped, with the reason."""
        needs = Dependency("init", Condition.COMPLETED)
        for code, expected in ((0, State.RUNNING), (1, State.SKIPPED)):
            world = make_world(spec("init", restart=ONCE), spec("api", needs))
            world.start()
            self.assertEqual(world.state("api"), State.WAITING)
            world.run("init").end(End(code=code))
            world.clock.advance(0)
            self.assertEqual(world.state("api"), expected)

    def test_a_restart_waits_for_what_it_needs_again(self) -> None:
        """A process that crashed because its database is gone does not crash in a loop."""
        world = make_world(spec("db"), spec("api", Dependency("db")))
        world.start()
        world.run("db").end(End(code=1))
        world.run("api").end(End(code=1))
        world.clock.advance(0.99)
        world.clock.advance(0.01)
        self.assertEqual(world.states(), {"db": "running", "api": "running"})

    def test_the_reactor_gets_its_turn_while_many_start(self) -> None:
        """Starting is done in slices: after each the rest waits for the next turn."""
        world = make_world(*(spec(f"p{number}") for number in range(50)))

        def take_a_while() -> None:
            world.clock.rightNow += 0.004

        world.executor.before_start = take_a_while
        turns: list[int] = []
        world.clock.callLater(0.02, lambda: turns.append(len(world.executor.started)))
        world.start()
        self.assertEqual(len(world.executor.started), 50)
        self.assertLess(turns[0], 10)


class StopTests(SynchronousTestCase):
    def test_stop_runs_in_reverse_order(self) -> None:
        """Whatever is needed by others outlives them."""
        world = make_world(
            spec("db"),
            spec("api", Dependency("db")),
            spec("web", Dependency("api")),
            withstands={"api": frozenset({signal.SIGTERM})},
        )
        world.start()
        done = world.fleet.stop("test")
        self.assertEqual(world.states(), {"db": "running", "api": "stopping", "web": "stopped"})
        self.assertNoResult(done)
        world.run("api").end(End(code=0))
        self.successResultOf(done)
        self.assertEqual(world.state("db"), State.STOPPED)

    def test_nothing_is_started_any_more(self) -> None:
        """Neither what waits, nor what would be restarted, nor what crashes during the shutdown."""
        world = make_world(
            spec("db"),
            spec("api", Dependency("db")),
            withstands={"api": frozenset({signal.SIGTERM})},
        )
        world.start()
        world.fleet.stop("test")
        world.run("db").end(End(code=1))
        self.assertEqual(world.state("db"), State.STOPPED)
        world.run("api").end(End(code=0))
        world.clock.advance(100)
        self.assertEqual(len(world.executor.started), 2)

    def test_a_stop_before_everything_was_started(self) -> None:
        """SIGTERM during the start: what has not begun is never begun."""
        world = make_world(spec("db"), spec("api", Dependency("db")), healthy_at_once=False)
        world.start()
        self.successResultOf(world.fleet.stop("test"))
        self.assertEqual(world.states(), {"db": "stopped", "api": "stopped"})
        self.assertEqual(len(world.executor.started), 1)

    def test_a_kill_ends_a_stop_that_takes_too_long(self) -> None:
        """A second SIGTERM: SIGKILL to everything, and the stop that was under way ends."""
        stubborn = frozenset({signal.SIGTERM})
        world = make_world(
            spec("db"), spec("api", Dependency("db")), withstands={"db": stubborn, "api": stubborn}
        )
        world.start()
        done = world.fleet.stop("test")
        world.fleet.kill("again")
        self.successResultOf(done)
        self.assertEqual(world.run("db").signals, [signal.SIGKILL])
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_stopping_twice_is_stopping_once(self) -> None:
        """Ten SIGTERMs send no process ten signals."""
        world = make_world(spec("api"), withstands={"api": frozenset({signal.SIGTERM})})
        world.start()
        for _ in range(10):
            world.fleet.stop("test")
        self.assertEqual(world.run("api").signals, [signal.SIGTERM, signal.SIGCONT])

    def test_a_chain_of_a_thousand_stops_without_deep_recursion(self) -> None:
        """However long the chain of dependencies is."""
        chain = [spec("p0"), *(spec(f"p{n}", Dependency(f"p{n - 1}")) for n in range(1, 1000))]
        world = make_world(*chain)
        world.start()
        self.successResultOf(world.fleet.stop("test"))
        stopped = [event.name for event in world.told(StateChanged) if event.state is State.STOPPED]
        self.assertEqual(stopped, [f"p{n}" for n in reversed(range(1000))])
