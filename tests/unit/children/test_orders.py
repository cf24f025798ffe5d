from __future__ import annotations

import signal
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.children.orders import Orders
from procwrap.children.permits import Permit
from procwrap.core.events import End, Restarting, ShutdownBegan
from procwrap.core.lifecycle import Input, State
from procwrap.errors import OrderFailedError, OrderRefusedError
from procwrap.interfaces import IFleet
from procwrap.spec.process import Backoff, Dependency, MaxRestarts, ProcessSpec, Restart, RestartPolicy
from tests.support.children import make_world
from tests.support.permits import ScriptedPermit

TERM = frozenset({signal.SIGTERM})
ONCE = Restart(RestartPolicy.NEVER)
HOPELESS = Restart(limit=MaxRestarts(count=1))


def spec(name: str = "api", **settings: Any) -> ProcessSpec:
    return ProcessSpec(name, settings.pop("entrypoint", "/bin/api"), **settings)


class Ordered(SynchronousTestCase):
    """A fleet that takes orders."""

    def build(self, *specs: ProcessSpec, begin: bool = True, **settings: Any) -> Orders:
        self.world = make_world(*(specs or (spec(),)), **settings)
        self.ending = False
        self.orders = Orders(self.world.fleet, self.world.board, self.world.clock, lambda: self.ending)
        if begin:
            self.world.start()
        return self.orders

    def done(self, waiting: Deferred[None]) -> None:
        """Assert that an order has been carried out."""
        self.world.clock.advance(0)
        self.world.clock.advance(0)
        self.assertIsNone(self.successResultOf(waiting))

    def failed(self, waiting: Deferred[None]) -> str:
        """Return why an order was not carried out."""
        self.world.clock.advance(0)
        self.world.clock.advance(0)
        return str(self.failureResultOf(waiting, OrderRefusedError).value)


class StartTests(Ordered):
    def test_the_promises_of_the_interface(self) -> None:
        """Whoever knows IFleet can give every order."""
        verifyObject(IFleet, self.build())

    def test_what_runs_is_left_as_it_is(self) -> None:
        """Nothing happens, and nobody waits."""
        orders = self.build()
        self.assertIsNone(self.successResultOf(orders.start("api")))
        self.assertEqual(len(self.world.runs("api")), 1)

    def test_an_unknown_name_is_refused(self) -> None:
        """Every order for a process that does not exist says so."""
        orders = self.build()
        for order in (orders.start, orders.stop, orders.restart):
            self.assertEqual(self.failed(order("apu")), "there is no process 'apu'")
        with self.assertRaisesRegex(OrderRefusedError, "there is no process"):
            orders.signal("apu", signal.SIGHUP)

    def test_whatever_is_over_can_be_started_again(self) -> None:
        """Exited, failed, stopped or skipped: it begins anew, and the order ends when it is healthy."""
        cases = {
            State.EXITED: spec("api", restart=ONCE),
            State.FAILED: spec("api", restart=HOPELESS),
            State.STOPPED: spec("api"),
        }
        for state, asked in cases.items():
            orders = self.build(asked)
            if state is State.STOPPED:
                self.done(orders.stop("api"))
            while self.world.state("api") not in (State.EXITED, State.FAILED, State.STOPPED):
                self.world.run("api").end(End(code=1))
                self.world.clock.advance(1)
            self.assertEqual(self.world.state("api"), state)
            self.done(orders.start("api"))
            self.assertEqual(self.world.state("api"), State.RUNNING)

    def test_a_skipped_process_asks_its_gate_again(self) -> None:
        """What it depends on may be there by now."""
        orders = self.build(
            spec("db", entrypoint="missing", restart=ONCE), spec(depends_on=(Dependency("db"),))
        )
        self.assertEqual(self.world.states(), {"db": "failed", "api": "skipped"})
        self.assertIn("did not come up: waited for db", self.failed(orders.start("api")))
        self.world.fleet.children["db"].spec = spec("db")
        self.done(orders.start("db"))
        self.done(orders.start("api"))

    def test_the_pause_before_a_restart_is_cut_short(self) -> None:
        """A start of what would start later starts it now, and its timer is gone."""
        orders = self.build(spec(restart=Restart(backoff=Backoff(60.0, 60.0, 600.0))))
        self.world.run("api").end(End(code=1))
        self.assertEqual(self.world.state("api"), State.BACKOFF)
        self.done(orders.start("api"))
        self.assertEqual(self.world.state("api"), State.RUNNING)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_an_order_gives_another_chance(self) -> None:
        """Restarts of before the order count neither for maxRestarts nor for the pause."""
        orders = self.build(spec(restart=HOPELESS))
        self.world.run("api").end(End(code=1))
        self.world.clock.advance(1)
        self.world.run("api").end(End(code=1))
        self.assertEqual(self.world.state("api"), State.FAILED)
        self.done(orders.start("api"))
        self.world.run("api").end(End(code=1))
        self.assertEqual(self.world.told(Restarting)[-1].delay, 1.0)
        self.world.clock.advance(1)
        self.assertEqual(self.world.state("api"), State.RUNNING)

    def test_what_cannot_be_started_fails(self) -> None:
        """The order says why, in the words of the log."""
        orders = self.build(spec(entrypoint="missing"), begin=False)
        self.world.start()
        self.done(orders.stop("api"))
        self.assertEqual(
            self.failed(orders.start("api")),
            "api did not come up: cannot execute missing: no such file",
        )

    def test_it_waits_until_it_is_healthy(self) -> None:
        """Not only until it runs."""
        orders = self.build(healthy_at_once=False)
        waiting = orders.start("api")
        self.assertNoResult(waiting)
        self.world.fleet.children["api"].happen(Input.HEALTHY)
        self.done(waiting)

    def test_what_ends_well_has_come_up(self) -> None:
        """A job that has done its work is no failure, one that failed is."""
        for code, fine in ((0, True), (3, False)):
            orders = self.build(spec(restart=ONCE), healthy_at_once=False)
            waiting = orders.start("api")
            self.world.run("api").end(End(code=code))
            if fine:
                self.done(waiting)
            else:
                self.assertEqual(self.failed(waiting), "api did not come up: exit code 3")

    def test_what_ends_at_once_has_not_come_up(self) -> None:
        """Also where no check says that it was never healthy: a command line with a mistake, say."""
        for restart in (ONCE, Restart()):
            orders = self.build(spec(restart=restart))
            self.done(orders.stop("api"))
            waiting = orders.start("api")
            self.world.clock.callLater(0, lambda: self.world.run("api").end(End(code=2)))
            self.assertEqual(self.failed(waiting), "api did not come up: exit code 2")

    def test_what_is_stopping_is_started_when_it_is_gone(self) -> None:
        """Never two at the same time."""
        orders = self.build(withstands={"api": TERM})
        stopping = orders.stop("api")
        starting = orders.start("api")
        self.assertIn("gave way to a later one to start it", self.failed(stopping))
        self.assertEqual(len(self.world.runs("api")), 1)
        self.world.run("api").end(End(code=0))
        self.done(starting)
        self.assertEqual(len(self.world.runs("api")), 2)

    def test_a_start_twice_is_a_start_once(self) -> None:
        """Two operators who want the same do not get into each other's way."""
        orders = self.build(healthy_at_once=False)
        both = [orders.start("api"), orders.start("api")]
        self.world.fleet.children["api"].happen(Input.HEALTHY)
        for waiting in both:
            self.done(waiting)


class StopTests(Ordered):
    def test_a_stop_is_for_good(self) -> None:
        """It is not started again, whatever its restart policy, and ends nothing but itself."""
        for restart in (Restart(), Restart(vital=True), Restart(main=True)):
            orders = self.build(spec(restart=restart), withstands={"api": TERM})
            waiting = orders.stop("api")
            self.assertNoResult(waiting)
            self.world.run("api").end(End(code=1))
            self.done(waiting)
            self.world.clock.advance(600)
            self.assertEqual(self.world.state("api"), State.STOPPED)
            self.assertEqual(self.world.ended_all, [])

    def test_what_has_not_begun_is_called_off(self) -> None:
        """While it waits for others, and in the pause before a restart."""
        orders = self.build(spec("db"), spec(depends_on=(Dependency("db"),)), healthy_at_once=False)
        self.done(orders.stop("api"))
        self.world.fleet.children["db"].happen(Input.HEALTHY)
        self.world.run("db").end(End(code=1))
        self.done(orders.stop("db"))
        self.world.clock.advance(600)
        self.assertEqual(self.world.states(), {"db": "stopped", "api": "stopped"})

    def test_what_is_over_is_stopped_already(self) -> None:
        """It stays what it is."""
        orders = self.build(spec(restart=ONCE))
        self.world.run("api").end(End(code=0))
        self.assertIsNone(self.successResultOf(orders.stop("api")))
        self.assertEqual(self.world.state("api"), State.EXITED)

    def test_a_restart_by_its_probes_becomes_a_stop(self) -> None:
        """A stop that comes while it stops anyway is the last word."""
        orders = self.build(withstands={"api": TERM})
        self.world.fleet.children["api"].happen(Input.CONDEMNED, "port closed")
        waiting = orders.stop("api")
        self.world.run("api").end(End(code=1))
        self.done(waiting)
        self.assertEqual(self.world.state("api"), State.STOPPED)


class RestartTests(Ordered):
    def test_the_old_one_is_gone_before_the_new_one_begins(self) -> None:
        """With its grace, and without counting as a restart."""
        orders = self.build(withstands={"api": TERM})
        waiting = orders.restart("api")
        self.world.clock.advance(9.9)
        self.assertEqual(len(self.world.runs("api")), 1)
        self.world.clock.advance(0.1)
        self.done(waiting)
        self.assertEqual(self.world.runs("api")[0].signals, [signal.SIGTERM, signal.SIGCONT, signal.SIGKILL])
        self.assertEqual(self.world.state("api"), State.RUNNING)
        self.assertEqual(self.world.told(Restarting), [])

    def test_those_that_depend_on_it_go_on(self) -> None:
        """A restart does not cascade."""
        orders = self.build(spec("db"), spec(depends_on=(Dependency("db"),)))
        self.done(orders.restart("db"))
        self.assertEqual({name: len(self.world.runs(name)) for name in ("db", "api")}, {"db": 2, "api": 1})

    def test_a_restart_of_what_stops_waits_for_its_end(self) -> None:
        """And of what is over is a start."""
        orders = self.build(withstands={"api": TERM})
        stopping = orders.stop("api")
        waiting = orders.restart("api")
        self.failed(stopping)
        self.world.run("api").end(End(code=0))
        self.done(waiting)
        self.world.run("api").signal(signal.SIGKILL)
        self.done(orders.restart("api"))

    def test_the_later_of_two_orders_wins(self) -> None:
        """The earlier one says that it gave way, and to what."""
        orders = self.build(withstands={"api": TERM})
        first = orders.restart("api")
        second = orders.restart("api")
        third = orders.stop("api")
        self.assertEqual(self.failed(first), "the order to restart api gave way to a later one to restart it")
        self.assertEqual(self.failed(second), "the order to restart api gave way to a later one to stop it")
        self.world.run("api").end(End(code=0))
        self.done(third)
        self.assertEqual(self.world.state("api"), State.STOPPED)

    def test_a_permit_is_asked_for_again(self) -> None:
        """A lock is given back at the stop and taken anew at the start."""
        permit = ScriptedPermit()
        permits: dict[str, list[Permit]] = {"api": [permit]}
        orders = self.build(permits=permits)
        self.world.clock.advance(0)
        permit.replies["api"].grant(())
        self.world.clock.advance(0)
        waiting = orders.restart("api")
        self.world.clock.advance(0)
        self.assertEqual(permit.heard.count("ended api"), 1)
        self.assertNoResult(waiting)
        permit.replies["api"].grant(())
        self.done(waiting)


class RefusalTests(Ordered):
    def test_nothing_is_started_at_the_end(self) -> None:
        """Once the shutdown has begun, start and restart are refused, and those under way fail."""
        orders = self.build(spec(), spec("db"), healthy_at_once=False, withstands={"api": TERM})
        under_way = orders.restart("api")
        stopping = orders.stop("db")
        self.ending = True
        self.world.board.tell(ShutdownBegan("SIGTERM"))
        self.assertEqual(self.failed(under_way), "procwrap ends before api was up")
        self.assertIn("procwrap is about to end", self.failed(orders.start("api")))
        self.assertIn("procwrap is about to end", self.failed(orders.restart("api")))
        self.world.run("api").end(End(code=0))
        self.done(stopping)
        self.assertEqual(self.world.states(), {"api": "stopped", "db": "stopped"})

    def test_the_one_command_cannot_be_ordered_about(self) -> None:
        """It is procwrap's life; only signals reach it."""
        orders = self.build(spec(wrapped=True))
        for order in (orders.start, orders.stop, orders.restart):
            self.assertIn("the one command that it wraps", self.failed(order("api")))
        orders.signal("api", signal.SIGHUP)
        self.assertEqual(self.world.run("api").signals, [signal.SIGHUP])

    def test_a_signal_needs_a_process(self) -> None:
        """What does not run cannot get one."""
        orders = self.build()
        self.done(orders.stop("api"))
        with self.assertRaisesRegex(OrderRefusedError, "api does not run, so it cannot get SIGUSR1"):
            orders.signal("api", signal.SIGUSR1)

    def test_without_a_config_there_is_no_reload(self) -> None:
        """The Deferred says so."""
        self.assertIn("no config", self.failed(self.build().reload()))


class WaitingTests(Ordered):
    def test_who_stops_waiting_changes_nothing(self) -> None:
        """The order goes on, and others still hear of its end."""
        orders = self.build(withstands={"api": TERM})
        first, second = orders.stop("api"), orders.stop("api")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.world.run("api").end(End(code=0))
        self.done(second)

    def test_who_hears_may_stop_others_from_waiting(self) -> None:
        """A cancel in the very moment of the end harms nobody."""
        orders = self.build(withstands={"api": TERM})
        first, second = orders.stop("api"), orders.stop("api")
        first.addCallback(lambda _: second.cancel())
        second.addErrback(lambda failure: failure.trap(CancelledError) and None)
        self.world.run("api").end(End(code=0))
        self.done(first)

    def test_ten_thousand_orders_leave_nothing_behind(self) -> None:
        """Neither timers nor orders, whatever became of them."""
        orders = self.build()
        for number in range(10_000):
            order = (orders.restart, orders.stop, orders.start)[number % 3]
            order("api").addErrback(lambda failure: failure.trap(OrderFailedError) and None)
            if number % 7 == 0:
                self.world.clock.advance(0)
        self.world.clock.advance(0)
        self.world.clock.advance(0)
        self.done(orders.stop("api"))
        self.assertEqual(self.world.clock.getDelayedCalls(), [])
        self.assertEqual(orders._orders, {})
