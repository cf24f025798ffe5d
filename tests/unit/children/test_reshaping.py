from __future__ import annotations

import signal
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.child import Child
from procwrap.children.orders import Orders
from procwrap.children.permits import Permit
from procwrap.children.reshaping import LATE, Begun, Reshaping
from procwrap.core.difference import compare
from procwrap.core.events import End, Restarting, ShutdownBegan
from procwrap.core.lifecycle import Input, State
from procwrap.core.reloads import Forgotten
from procwrap.core.roster import Roster
from procwrap.errors import OrderRefusedError
from procwrap.spec.hook import PreStop
from procwrap.spec.probe import Check, FileProbe
from procwrap.spec.process import Dependency, ProcessSpec, Restart, RestartPolicy, Stop
from tests.support.children import make_world
from tests.support.permits import ScriptedPermit

TERM = frozenset({signal.SIGTERM})
READY = Check((FileProbe("/ready"),))


class Floors:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def admit(self, spec: ProcessSpec) -> None:
        self.told.append(f"admit {spec.name}")

    def adjust(self, spec: ProcessSpec, keys: tuple[str, ...]) -> None:
        self.told.append(f"adjust {spec.name} {' '.join(keys)}")

    def forget(self, child: Child) -> None:
        self.told.append(f"forget {child.spec.name}")

    def changed(self) -> None:
        self.told.append("changed")


def spec(name: str, *needs: str, **settings: Any) -> ProcessSpec:
    return ProcessSpec(name, "/bin/x", depends_on=tuple(Dependency(need) for need in needs), **settings)


def other(before: ProcessSpec) -> ProcessSpec:
    """The same, with another command line."""
    return evolve(before, args=(*before.args, "x"))


class ReshapingTests(SynchronousTestCase):
    def build(self, *specs: ProcessSpec, begin: bool = True, **settings: Any) -> None:
        self.world = world = make_world(*specs, **settings)
        self.ending = False
        self.roster, self.floors = Roster(specs), Floors()
        self.orders = Orders(world.fleet, world.board, world.clock, lambda: self.ending)
        around = next(iter(world.fleet.children.values()))._around
        self.reshaping = Reshaping(
            world.fleet,
            self.orders,
            world.board,
            world.clock,
            self.roster,
            lambda spec: Child(spec, around),
            self.floors,
            lambda: self.ending,
        )
        if begin:
            world.start()

    def reshape(self, *wanted: ProcessSpec) -> Deferred[Begun]:
        self.begun = self.reshaping.carry_out(compare(self.roster, wanted))
        self.turn()
        return self.begun

    def turn(self, times: int = 6) -> None:
        for _ in range(times):
            self.world.clock.advance(0)

    def up(self) -> Begun:
        """Return what was begun, all of which is up."""
        begun = self.successResultOf(self.begun)
        for waiting in begun.starts.values():
            self.successResultOf(waiting)
        return begun

    def runs(self, *names: str) -> list[int]:
        return [len(self.world.runs(name)) for name in names]

    def test_only_what_is_different_begins_again(self) -> None:
        """The others notice nothing."""
        a, b = spec("a"), spec("b")
        self.build(a, b)
        self.reshape(other(a), b)
        self.assertEqual(self.up().starts.keys(), {"a"})
        self.assertEqual(self.runs("a", "b"), [2, 1])
        self.assertEqual(self.world.run("a").spec.args, ("x",))
        self.assertEqual(self.roster["a"].args, ("x",))
        self.assertEqual(self.world.told(Restarting), [])

    def test_what_is_new_starts_in_order(self) -> None:
        """What others need comes first; everybody knows of it by then."""
        a = spec("a")
        self.build(a)
        self.reshape(spec("c", "b"), spec("b"), a)
        self.up()
        self.assertEqual([run.spec.name for run in self.world.executor.started], ["a", "b", "c"])
        self.assertEqual(list(self.world.board.snapshot.processes), ["c", "b", "a"])
        self.assertEqual((list(self.roster), list(self.world.fleet.children)), (["c", "b", "a"],) * 2)
        self.assertEqual(self.floors.told, ["admit c", "admit b", "changed"])

    def test_what_is_gone_is_stopped_then_forgotten(self) -> None:
        """With its own grace, after what depends on it."""
        a, b, c = spec("a"), spec("b"), spec("c", "b")
        self.build(a, b, c, withstands={"c": TERM})
        self.reshape(a)
        self.assertEqual(self.world.states(), {"a": "running", "b": "running", "c": "stopping"})
        self.assertNoResult(self.begun)
        self.world.run("c").end(End(code=0))
        self.turn()
        self.up()
        self.assertEqual((list(self.roster), self.world.states()), (["a"], {"a": "running"}))
        self.assertEqual([event.name for event in self.world.told(Forgotten)], ["b", "c"])
        self.assertEqual(self.floors.told, ["forget b", "forget c", "changed"])
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_what_is_new_is_known_before_what_is_gone_is_forgotten(self) -> None:
        """When all are replaced, nobody ever sees a moment in which nothing is left to run."""
        self.build(spec("a"), spec("b"))
        left: list[int] = []
        self.world.board.watch(lambda _, event: left.append(len(self.roster)))
        self.reshape(spec("c"))
        self.up()
        self.assertEqual(self.floors.told, ["admit c", "forget a", "forget b", "changed"])
        self.assertGreaterEqual(min(left), 1)

    def test_the_old_spec_holds_until_the_end(self) -> None:
        """Its stop signal, its preStop hook and its grace."""
        a = spec("a", stop=Stop(signal.SIGINT, 3.0), pre_stop=PreStop(sleep=1.0))
        self.build(a, withstands={"a": frozenset({signal.SIGINT})})
        self.reshape(other(spec("a")))
        self.assertTrue(self.world.pre_stops[-1].running)
        self.world.pre_stops[-1].end()
        self.assertEqual(self.world.run("a").signals, [signal.SIGINT, signal.SIGCONT])
        self.world.clock.advance(3.0)
        self.turn()
        self.up()
        self.assertEqual(self.world.run("a").spec.stop, Stop())

    def test_probes_change_in_a_running_process(self) -> None:
        """Without an end, and without being unhealthy meanwhile."""
        a = spec("a")
        self.build(a)
        self.reshape(evolve(a, readiness=READY, labels=(("x", "y"),)))
        self.assertEqual(self.successResultOf(self.begun).starts, {})
        self.assertEqual((self.runs("a"), self.world.state("a")), ([1], State.RUNNING))
        self.assertEqual(len(self.world.renewed), 1)
        self.assertEqual(self.floors.told, ["adjust a labels readiness", "changed"])

    def test_another_restart_policy_holds_at_once(self) -> None:
        """For the run that goes on, and what is remembered of restarts is kept."""
        a = spec("a")
        self.build(a)
        self.reshape(evolve(a, restart=Restart(RestartPolicy.NEVER)))
        self.world.run("a").end(End(code=3))
        self.assertEqual(self.world.state("a"), State.EXITED)

    def test_who_waits_for_others_waits_for_the_new_ones(self) -> None:
        """Even for one that comes with the same reload."""
        a, b = spec("a", "b"), spec("b")
        self.build(a, b, healthy_at_once=False)
        self.reshape(spec("a", "c"), b, spec("c"))
        self.assertEqual(self.world.board.snapshot.processes["a"].reason, "waits for c to be ready")
        self.world.fleet.children["c"].happen(Input.HEALTHY)
        self.turn()
        self.assertEqual(self.world.state("a"), State.STARTING)

    def test_who_was_skipped_has_another_chance(self) -> None:
        """When what it depends on begins anew, or it depends on others by now; else it stays skipped."""
        failed = [spec(name, restart=Restart(RestartPolicy.NEVER)) for name in ("db", "mq", "old")]
        skipped = [spec("api", "db"), spec("web", "api"), spec("other", "mq"), spec("job", "old")]
        self.build(*failed, *skipped, healthy_at_once=False)
        for each in failed:
            self.world.run(each.name).end(End(code=1))
        self.assertEqual({self.world.state(each.name) for each in skipped}, {State.SKIPPED})
        db, mq, _ = failed
        self.reshape(other(db), mq, *skipped[:3], spec("job"))
        starts = self.successResultOf(self.begun).starts
        self.assertEqual(starts.keys(), {"db", "api", "web", "job"})
        for name in ("db", "api", "web", "job"):
            self.assertEqual(self.world.state(name), State.STARTING)
            self.world.fleet.children[name].happen(Input.HEALTHY)
            self.turn()
            self.successResultOf(starts[name])
        self.assertEqual(self.world.state("other"), State.SKIPPED)

    def test_who_stands_by_asks_again(self) -> None:
        """What it depends on is another by now, and what it was told before counts no more."""
        permit = ScriptedPermit()
        self.build(spec("a"), spec("b"), permits={"a": [permit]})
        self.turn()
        before = permit.replies["a"]
        before.stand_by("another holds it")
        self.reshape(spec("a", "b"), spec("b"))
        self.assertEqual(permit.heard, ["ask a", "leave a", "ask a"])
        before.grant(())
        self.turn()
        self.assertEqual(self.runs("a"), [0])
        permit.replies["a"].grant(())
        self.turn()
        self.assertEqual(self.runs("a"), [1])

    def test_what_an_operator_stopped_stays_stopped(self) -> None:
        """Its new command is for the next start."""
        a, b = spec("a"), spec("b")
        self.build(a, b)
        self.orders.stop("a")
        self.reshape(other(a), b)
        self.assertEqual(self.up().resting, {"a"})
        self.assertEqual(self.world.state("a"), State.STOPPED)
        self.orders.start("a")
        self.turn()
        self.assertEqual(self.world.run("a").spec.args, ("x",))

    def test_what_is_over_begins_again_if_it_is_different(self) -> None:
        """A job whose command has changed is another job; one in its pause does not wait for its end."""
        job, sick, z = spec("job", restart=Restart(RestartPolicy.NEVER)), spec("sick"), spec("z")
        self.build(job, sick, z)
        self.world.run("job").end(End(code=0))
        self.world.run("sick").end(End(code=1))
        self.assertEqual(self.world.state("sick"), State.BACKOFF)
        self.reshape(other(job), other(sick), z)
        self.up()
        self.assertEqual(self.runs("job", "sick", "z"), [2, 2, 1])
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_who_stops_anyway_begins_again(self) -> None:
        """Stopping by an operator, or for a restart by its probes: the reload is the last word."""
        a = spec("a")
        for order in (False, True):
            self.build(a, withstands={"a": TERM})
            if order:
                waiting = self.orders.restart("a")
            else:
                self.world.fleet.children["a"].happen(Input.CONDEMNED, "port closed")
            self.reshape(other(a))
            self.world.run("a").end(End(code=0))
            self.turn()
            self.up()
            self.assertEqual(self.runs("a"), [2])
            if order:
                self.assertIn("gave way to a reload", str(self.failureResultOf(waiting).value))

    def test_orders_wait_while_a_process_is_changed(self) -> None:
        """They are refused with the reason; those for others are not."""
        a, b = spec("a"), spec("b")
        self.build(a, b, withstands={"a": TERM})
        self.reshape(other(a), b)
        refused = self.failureResultOf(self.orders.start("a"), OrderRefusedError)
        self.assertIn("is being changed at this moment", str(refused.value))
        self.orders.restart("b")
        self.turn()
        self.assertEqual(self.runs("b"), [2])

    def test_a_permit_is_given_back_and_asked_for_again(self) -> None:
        """A process that holds a lock, and one that waits for it."""
        permit = ScriptedPermit()
        permits: dict[str, list[Permit]] = {"a": [permit], "b": [permit]}
        a, b = spec("a"), spec("b")
        self.build(a, b, permits=permits)
        permit.replies["a"].grant(())
        self.turn()
        self.reshape(other(a), other(b))
        self.assertEqual(permit.heard, ["ask a", "ask b", "ended a", "leave b", "ask a", "ask b"])

    def test_the_shutdown_wins(self) -> None:
        """Nothing is started after it; the reload says that it was given up."""
        a, b = spec("a"), spec("b")
        self.build(a, b, withstands={"a": TERM})
        self.reshape(other(a), b, spec("c"))
        self.ending = True
        self.world.board.tell(ShutdownBegan("SIGTERM"))
        stopped = self.world.fleet.stop("SIGTERM")
        self.world.run("a").end(End(code=0))
        self.turn()
        self.failureResultOf(self.begun, OrderRefusedError)
        self.successResultOf(stopped)
        self.assertEqual(self.world.states(), {"a": "stopped", "b": "stopped"})
        self.assertEqual(self.runs("a", "b", "c"), [1, 1, 0])

    def test_what_does_not_die_is_left_as_it_was(self) -> None:
        """Even SIGKILL does not reach what hangs in the kernel; the others do not wait for it for ever."""
        immortal = frozenset({signal.SIGTERM, signal.SIGKILL})
        a, b, c = spec("a"), spec("b"), spec("c")
        self.build(a, b, c, withstands={"a": immortal, "b": immortal})
        self.reshape(other(a), other(c))
        self.world.clock.advance(10.0)
        self.world.clock.advance(LATE)
        self.turn()
        begun = self.up()
        self.assertEqual(sorted(begun.late), ["a", "b"])
        self.assertEqual(self.runs("a", "b", "c"), [1, 1, 2])
        self.assertEqual((self.roster["a"], list(self.roster)), (a, ["a", "c", "b"]))
        self.world.run("a").withstands = frozenset()
        self.world.run("a").signal(signal.SIGKILL)
        self.reshape(other(a), other(c), b)
        self.turn()
        self.assertEqual(self.runs("a"), [2])

    def test_the_reactor_gets_its_turn(self) -> None:
        """Ten thousand changes are made in slices."""
        many = [spec(f"p{number}") for number in range(300)]
        self.build(*many)
        adjust = self.floors.adjust

        def slow(spec: ProcessSpec, keys: tuple[str, ...]) -> None:
            self.world.clock.rightNow += 0.004
            adjust(spec, keys)

        self.floors.adjust = slow  # type: ignore[method-assign]
        turns: list[int] = []
        self.world.clock.callLater(0.02, lambda: turns.append(len(self.floors.told)))
        self.reshape(*(evolve(each, labels=(("a", "b"),)) for each in many))
        self.turn(500)
        self.up()
        self.assertLess(turns[0], 10)

    def test_a_hundred_reshapes_leave_nothing_behind(self) -> None:
        """No timers, no orders, no children, no watchers of the board."""
        a = spec("a")
        self.build(a)
        watchers = len(self.world.board._watchers)
        for number in range(100):
            self.reshape(a, spec(f"n{number}"), evolve(spec("same"), args=(str(number),)))
            self.up()
        self.reshape(a)
        self.up()
        self.assertEqual(self.world.states(), {"a": "running"})
        self.assertEqual((self.world.clock.getDelayedCalls(), self.orders._orders), ([], {}))
        self.assertEqual(len(self.world.board._watchers), watchers)
        self.assertEqual(list(self.world.board.snapshot.processes), ["a"])
