from __future__ import annotations

import signal

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.leftovers import Leftovers
from procwrap.children.permits import Permit
from procwrap.children.reactions import HostReactions, WrapperReactions
from procwrap.children.shutdown import FAST, Shutdown
from procwrap.core.events import End, Hurried, ShutdownBegan
from procwrap.core.lifecycle import State
from procwrap.spec.process import ProcessSpec
from tests.support.children import World, make_world
from tests.support.permits import ScriptedPermit

TERM = frozenset({signal.SIGTERM})


class Ending(SynchronousTestCase):
    """A fleet and its shutdown."""

    def build(
        self,
        *specs: ProcessSpec,
        withstands: frozenset[int] = frozenset(),
        permits: dict[str, list[Permit]] | None = None,
    ) -> World:
        specs = specs or (ProcessSpec("api", "/bin/api"),)
        world = make_world(*specs, withstands={spec.name: withstands for spec in specs}, permits=permits)
        self.codes: list[int] = []
        self.flushed: Deferred[None] = succeed(None)
        self.flushes = 0
        self.waiting = 0
        leftovers = Leftovers(world.clock, lambda group: False, lambda group, number: False)
        self.shutdown = Shutdown(
            world.board,
            world.clock,
            world.fleet,
            leftovers,
            self.flush,
            self.codes.append,
            10.0,
            lambda: self.waiting,
        )
        world.start()
        return world

    def flush(self) -> Deferred[None]:
        self.flushes += 1
        return self.flushed


class ShutdownTests(Ending):
    def test_the_end_in_order(self) -> None:
        """Not ready at once, processes stopped, output written, and only then the exit code."""
        world = self.build(withstands=TERM)
        self.shutdown.begin("SIGTERM", 0, signal.SIGTERM)
        self.assertTrue(world.board.snapshot.shutdown)
        self.assertEqual((self.flushes, self.codes), (0, []))
        world.run("api").end(End(code=0))
        world.clock.advance(0.01)
        self.assertEqual((self.flushes, self.codes), (1, [0]))
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_duties_have_their_turn(self) -> None:
        """One before any process is stopped, one after all are gone; each is waited for."""
        world = self.build(withstands=TERM)
        before: Deferred[None] = Deferred()
        after: Deferred[None] = Deferred()
        self.shutdown.do_before(lambda: before)
        self.shutdown.do_after(lambda: after)
        self.shutdown.begin("SIGTERM", 0, signal.SIGTERM)
        self.assertEqual(world.run("api").signals, [])
        before.callback(None)
        world.run("api").end(End(code=0))
        world.clock.advance(0.01)
        self.assertEqual(self.codes, [])
        after.callback(None)
        world.clock.advance(0.01)
        self.assertEqual(self.codes, [0])

    def test_a_hurry_calls_off_the_duties(self) -> None:
        """A second SIGTERM waits for no proxy; a fast shutdown asks none at all."""
        for fast in (False, True):
            self.build()
            called_off: list[str] = []
            self.shutdown.do_before(lambda off=called_off: Deferred(lambda _: off.append("off")))  # type: ignore[misc]
            self.shutdown.begin("SIGTERM", 0, signal.SIGTERM, fast=fast)
            if not fast:
                self.shutdown.hurry("a further SIGTERM")
            self.assertEqual((called_off, self.codes), ([] if fast else ["off"], [0]))

    def test_a_duty_that_fails_keeps_nothing_up(self) -> None:
        """It tells by itself what went wrong."""
        self.build()
        self.shutdown.do_before(lambda: fail(OSError("gone")))
        self.shutdown.begin("SIGTERM", 0, signal.SIGTERM)
        self.assertEqual(self.codes, [0])

    def test_a_second_reason_changes_nothing(self) -> None:
        """The first one gives the exit code, and the end is begun once."""
        world = self.build()
        self.shutdown.begin("main ended", 3)
        self.shutdown.begin("SIGTERM", 0)
        self.assertEqual(self.codes, [3])
        self.assertEqual(len(world.told(ShutdownBegan)), 1)

    def test_it_waits_until_everything_was_read(self) -> None:
        """What a process wrote before its end comes out before the exit."""
        world = self.build(withstands=TERM)
        self.shutdown.begin("SIGTERM", 0)
        running = world.run("api")
        running.end(End(code=0), drained=False)
        world.clock.advance(0.5)
        self.assertEqual(self.codes, [])
        running.drained()
        world.clock.advance(0.5)
        self.assertEqual(self.codes, [0])

    def test_a_pipe_that_is_never_read_does_not_hold_it_for_ever(self) -> None:
        """The patience of a graceful shutdown is its deadline."""
        world = self.build(withstands=TERM)
        self.shutdown.begin("SIGTERM", 0)
        world.run("api").end(End(code=0), drained=False)
        world.clock.pump([0.01] * 990)
        self.assertEqual(self.codes, [])
        world.clock.pump([0.01] * 20)
        self.assertEqual(self.codes, [0])

    def test_a_reader_that_never_reads_does_not_hold_it_for_ever(self) -> None:
        """What could not be written by then is given up."""
        world = self.build()
        self.flushed = Deferred()
        self.shutdown.begin("SIGTERM", 0)
        world.clock.advance(9.9)
        self.assertEqual(self.codes, [])
        world.clock.advance(0.2)
        self.assertEqual(self.codes, [0])

    def test_flushing_in_several_steps(self) -> None:
        """The last of them is waited for, not the first."""
        world = self.build()
        last: Deferred[None] = Deferred()
        self.flushed = succeed(None).addCallback(lambda _: last)
        self.shutdown.begin("SIGTERM", 0)
        world.clock.advance(1)
        self.assertEqual(self.codes, [])
        last.callback(None)
        world.clock.advance(0.01)
        self.assertEqual(self.codes, [0])

    def pass_time(self, world: World, seconds: float, taken_each_second: int = 0) -> None:
        for _ in range(round(seconds)):
            self.waiting -= taken_each_second
            world.clock.pump([0.1] * 10)

    def test_a_reader_is_waited_for_when_nobody_asked_for_the_end(self) -> None:
        """However long it takes, as for any program that writes; SIGTERM gives it the graceful deadline."""
        world = self.build()
        self.flushed, self.waiting = Deferred(), 100
        self.shutdown.begin("main ended", 3)
        self.pass_time(world, 1000)
        self.assertEqual(self.codes, [])
        self.shutdown.begin("SIGTERM", 0, signal.SIGTERM)
        self.pass_time(world, 9)
        self.assertEqual(self.codes, [])
        self.pass_time(world, 2)
        self.assertEqual(self.codes, [3])

    def test_only_a_reader_is_waited_for(self) -> None:
        """A log file on a disk that answers no more holds the end up for the patience, not for ever."""
        world = self.build()
        self.flushed = Deferred()
        self.shutdown.begin("main ended", 3)
        self.pass_time(world, 11)
        self.assertEqual(self.codes, [3])

    def test_a_reader_that_takes_nothing_does_not_double_the_grace(self) -> None:
        """When the processes have used it up, 2 s are left; one that goes on taking gets all of it anew."""
        for taken, seconds in ((0, 2), (1, 10)):
            world = self.build(withstands=TERM)
            self.flushed, self.waiting = Deferred(), 100
            self.shutdown.begin("SIGTERM", 0, signal.SIGTERM)
            world.clock.advance(9.9)
            world.run("api").end(End(code=0))
            self.pass_time(world, seconds - 1, taken)
            self.assertEqual(self.codes, [])
            self.pass_time(world, 2, taken)
            self.assertEqual(self.codes, [0])

    def test_a_fast_one_gives_less_patience(self) -> None:
        """2 s for what was written."""
        world = self.build()
        self.flushed = Deferred()
        self.shutdown.begin("SIGINT", 130)
        self.shutdown.hurry("SIGINT", 130)
        world.clock.advance(FAST + 0.1)
        self.assertEqual(self.codes, [130])


class HostReactionsTests(Ending):
    def react(self, world: World, *numbers: int) -> list[str]:
        said: list[str] = []
        reactions = HostReactions(
            world.board,
            self.shutdown,
            lambda: said.append("reap"),
            lambda: said.append("states"),
            lambda: said.append("reload"),
        )
        for number in numbers:
            reactions.deliver(number)
        return said

    def test_sigterm_and_sigquit_are_graceful(self) -> None:
        """Exit code 0."""
        for number in (signal.SIGTERM, signal.SIGQUIT):
            world = self.build()
            self.react(world, number)
            self.assertEqual((self.codes, world.told(ShutdownBegan)[0].signal), ([0], number))

    def test_a_second_sigterm_kills(self) -> None:
        """No more grace; the exit code stays 0, and eight more change nothing."""
        world = self.build(withstands=TERM)
        self.react(world, *[signal.SIGTERM] * 10)
        self.assertEqual(self.codes, [0])
        self.assertEqual(world.run("api").signals, [signal.SIGTERM, signal.SIGCONT, signal.SIGKILL])

    def test_sigint_kills_at_once(self) -> None:
        """Exit code 130, also when a graceful shutdown was under way."""
        for numbers in ([signal.SIGINT], [signal.SIGTERM, signal.SIGINT]):
            world = self.build(withstands=TERM)
            self.react(world, *numbers)
            self.assertEqual(self.codes, [130])
            self.assertEqual(world.run("api").signals[-1], signal.SIGKILL)
            self.assertTrue(world.told(Hurried))

    def test_the_others(self) -> None:
        """SIGUSR1 and 2 say the states, SIGCHLD reaps, SIGHUP reloads, the rest is ignored."""
        world = self.build()
        said = self.react(
            world, signal.SIGUSR1, signal.SIGCHLD, signal.SIGUSR2, signal.SIGHUP, signal.SIGWINCH
        )
        self.assertEqual(said, ["states", "reap", "states", "reload"])
        self.assertEqual(world.state("api"), State.RUNNING)


class WrapperReactionsTests(Ending):
    def react(self, world: World, deadline: float | None, *numbers: int) -> None:
        child = world.fleet.children["api"]
        reactions = WrapperReactions(world.board, world.clock, child, self.shutdown, lambda: None, deadline)
        for number in numbers:
            reactions.deliver(number)

    def test_every_signal_is_passed_on_in_order(self) -> None:
        """And nothing else is done for it."""
        numbers = [signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP, signal.SIGTERM]
        world = self.build(withstands=frozenset(numbers))
        self.react(world, None, *numbers, signal.SIGCHLD)
        self.assertEqual(world.run("api").signals, numbers)
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_a_deadline_that_was_asked_for_is_kept_once(self) -> None:
        """--graceful-shutdown-deadline counts from the first SIGTERM."""
        world = self.build(withstands=TERM)
        self.react(world, 1.0, signal.SIGTERM, signal.SIGTERM)
        self.assertTrue(world.board.snapshot.shutdown)
        world.clock.advance(1.0)
        self.assertEqual(world.run("api").signals, [signal.SIGTERM, signal.SIGTERM, signal.SIGKILL])

    def test_a_signal_while_it_waits_for_a_permit_ends_all(self) -> None:
        """As the signal would have ended the command: 143 after SIGTERM, and the command never runs."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            world = self.build(permits={"api": [ScriptedPermit()]})
            self.react(world, None, number, number)
            self.assertEqual((self.codes, world.runs("api")), ([128 + number], []))

    def test_a_signal_that_would_not_end_it_is_ignored_then(self) -> None:
        """SIGUSR1 comes too early for a command that waits."""
        world = self.build(permits={"api": [ScriptedPermit()]})
        self.react(world, None, signal.SIGUSR1, signal.SIGWINCH)
        self.assertEqual(self.codes, [])
        self.assertIs(world.state("api"), State.WAITING)
