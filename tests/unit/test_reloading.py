from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.child import Child
from procwrap.children.orders import Orders
from procwrap.children.reshaping import Reshaping
from procwrap.config.node import Mark
from procwrap.config.problem import ConfigError, Problem
from procwrap.coordinating import Ties
from procwrap.core.changes import Changes
from procwrap.core.events import Level, Notice
from procwrap.core.reloads import Reloaded
from procwrap.core.roster import Roster
from procwrap.errors import OrderRefusedError, UsageError
from procwrap.probes.aside import Asides
from procwrap.reloading import READ_WITHIN, UP_WITHIN, Reloading
from procwrap.spec.plan import LivenessRule, Plan, Settings
from procwrap.spec.probe import Check, HttpProbe
from procwrap.spec.process import ProcessSpec, Restart, RestartPolicy
from tests.support.children import make_world

A = ProcessSpec("a", "/bin/a")
B = ProcessSpec("b", "/bin/b")
SLOW = ProcessSpec("slow", "/bin/slow")
ONCE = Restart(RestartPolicy.NEVER)


class Around:
    """Everybody else: floors, coordination, HTTP and the shutdown, none of whom does anything."""

    def __init__(self) -> None:
        self.begun = False
        self.refused: str | None = None
        self.shown: list[Plan] = []

    def admit(self, spec: ProcessSpec) -> None:
        return

    def adjust(self, spec: ProcessSpec, keys: tuple[str, ...]) -> None:
        return

    forget: Any = admit

    def changed(self) -> None:
        return

    def refusal(self, spec: ProcessSpec) -> str | None:
        return self.refused

    def prepare(self, plan: Plan) -> None:
        return

    def go_by(self, plan: Plan) -> None:
        self.shown.append(plan)


class ReloadingTests(SynchronousTestCase):
    def setUp(self) -> None:
        """One process runs; nothing is read before a test says so."""
        self.world = world = make_world(A, slow=("slow",))
        self.roster, around = Roster([A]), Around()
        self.around = around
        orders = Orders(world.fleet, world.board, world.clock, lambda: around.begun)
        child = world.fleet.children["a"]
        anybody: Any = around
        reshaping = Reshaping(
            world.fleet,
            orders,
            world.board,
            world.clock,
            self.roster,
            lambda spec: Child(spec, child._around),
            anybody,
            lambda: around.begun,
        )
        reactor: Any = world.clock
        reactor.callFromThread = lambda work, *args: work(*args)
        wall, nobody = world.clock.seconds, (lambda: world.fleet)
        ties = Ties(self.roster, Settings(), world.board, reactor, wall, nobody, lambda: anybody, anybody)
        self.reads: list[Callable[[], None]] = []
        self.asked: tuple[Plan, Settings] | Exception = (Plan((A,)), Settings())
        asides = Asides(reactor, self.reads.append)
        self.reloading = Reloading(self.ask_again, ties, reshaping, anybody, anybody, asides)
        world.start()

    def ask_again(self) -> tuple[Plan, Settings]:
        if isinstance(self.asked, Exception):
            raise self.asked
        return self.asked

    def want(self, *specs: ProcessSpec, settings: Settings = Settings(), **plan: Any) -> None:
        """Let the config say this from now on."""
        self.asked = (Plan(specs, **plan), settings)

    def read(self) -> None:
        """Let what was asked for be read, and everything follow."""
        while self.reads:
            self.reads.pop(0)()
        self.turn()

    def turn(self) -> None:
        for _ in range(6):
            self.world.clock.advance(0)

    def reload(self) -> Deferred[Changes]:
        asked = self.reloading.ask()
        self.read()
        return asked

    def said(self, level: Level) -> list[str]:
        return [notice.text for notice in self.world.told(Notice) if notice.level is level]

    def test_what_has_changed_is_answered(self) -> None:
        """With names and keys; it is told as an event, and the new plan is shown from then on."""
        self.want(evolve(A, args=("x",)), B, warnings=("careful",))
        changes = self.successResultOf(self.reload())
        self.assertEqual((changes.added, dict(changes.restarted)), (("b",), {"a": ("args",)}))
        self.assertEqual((changes.failed, changes.warnings), ({}, ("careful",)))
        self.assertEqual([event.changes.added for event in self.world.told(Reloaded)], [("b",)])
        self.assertEqual(self.around.shown, [self.ask_again()[0]])
        self.assertEqual(self.said(Level.WARNING), ["careful"])
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_a_hundred_at_once_are_two(self) -> None:
        """Who asks while one is under way shares the next, which reads what is there by then."""
        asked = [self.reloading.ask() for _ in range(100)]
        self.assertEqual(len(self.reads), 1)
        self.reads.pop()()
        self.want(A, B)
        self.turn()
        self.assertEqual(self.successResultOf(asked[0]).unchanged, 1)
        self.assertEqual(len(self.reads), 1)
        self.read()
        self.assertEqual({self.successResultOf(each).added for each in asked[1:]}, {("b",)})
        self.assertEqual((self.reads, len(self.world.told(Reloaded))), ([], 2))

    def test_a_wrong_config_changes_nothing(self) -> None:
        """Each problem is a record of its own; whoever asked gets all of them."""
        problems = [Problem(Mark(2, 3), "processes", "bad"), Problem(Mark(4, 1), "", "worse")]
        self.asked = ConfigError("app.yaml", problems)
        self.failureResultOf(self.reload(), ConfigError)
        lines = ["app.yaml:2:3: processes: bad", "app.yaml:4:1: worse"]
        self.assertEqual(self.said(Level.ERROR)[1:], lines)
        self.assertEqual((self.world.told(Reloaded), self.around.shown), ([], []))
        self.want(A)
        self.assertEqual(self.successResultOf(self.reload()).unchanged, 1)

    def test_a_config_that_cannot_be_read(self) -> None:
        """One line."""
        self.asked = UsageError("cannot read the config app.yaml: no such file")
        self.failureResultOf(self.reload(), UsageError)
        self.assertEqual(self.said(Level.ERROR), [f"not reloaded: {self.asked}"])

    def test_a_bug_is_logged_and_the_next_reload_works(self) -> None:
        """With its place, as any other bug."""
        self.asked = ZeroDivisionError("oops")
        self.failureResultOf(self.reload(), ZeroDivisionError)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.want(A)
        self.successResultOf(self.reload())

    def test_a_disk_that_hangs(self) -> None:
        """It is given up after a while, and the one thread that hangs is all that is left."""
        asked = self.reloading.ask()
        self.world.clock.advance(READ_WITHIN)
        self.assertIn("could not be read within", str(self.failureResultOf(asked).value))
        again = self.reloading.ask()
        self.assertEqual(len(self.reads), 1)
        self.read()
        self.successResultOf(again)

    def test_what_would_be_done_by_half_is_refused(self) -> None:
        """Before anything is done."""
        self.around.refused = "b has birthDeps"
        self.want(evolve(A, args=("x",)), B)
        refused = self.failureResultOf(self.reload(), OrderRefusedError)
        self.assertIn("b has birthDeps; b has birthDeps: start procwrap again", str(refused.value))
        self.assertEqual(len(self.world.runs("a")), 1)

    def test_tls_that_was_not_loaded_is_refused(self) -> None:
        """Twisted cannot get it later; where it is there, nothing is refused."""
        self.want(evolve(A, readiness=Check((HttpProbe("https://x/"),))))
        hidden: Any = None
        self.patch(sys, "modules", {**sys.modules, "OpenSSL": hidden})
        self.assertIn("needs TLS", str(self.failureResultOf(self.reload(), OrderRefusedError).value))
        self.patch(sys, "modules", {**sys.modules, "OpenSSL": sys})
        self.successResultOf(self.reload())

    def test_the_end_wins(self) -> None:
        """Before the reload, and while the config is read."""
        self.around.begun = True
        self.failureResultOf(self.reload(), OrderRefusedError)
        self.around.begun = False
        asked = self.reloading.ask()
        self.want(evolve(A, args=("x",)))
        self.around.begun = True
        self.read()
        self.failureResultOf(asked, OrderRefusedError)
        self.assertEqual(len(self.world.runs("a")), 1)

    def test_what_does_not_come_up_is_told(self) -> None:
        """With the reason, at level error; the rest of the reload stands."""
        self.want(A, ProcessSpec("b", "missing", restart=ONCE))
        changes = self.successResultOf(self.reload())
        self.assertEqual(changes.added, ("b",))
        self.assertEqual(
            dict(changes.failed), {"b": "b did not come up: cannot execute missing: no such file"}
        )
        self.assertIn(f"after the reload: {changes.failed['b']}", self.said(Level.ERROR))

    def test_what_takes_long_to_come_up_holds_nobody_up(self) -> None:
        """The next reload may begin at once; whoever waits is told after a while that it is on its way."""
        self.want(A, SLOW)
        asked = self.reload()
        self.assertNoResult(asked)
        self.want(A, SLOW, B)
        self.reload()
        self.assertEqual([run.spec.name for run in self.world.executor.started], ["a", "slow", "b"])
        self.world.clock.advance(UP_WITHIN)
        changes = self.successResultOf(asked)
        self.assertEqual(changes.warnings, ("slow is not up after 30s, it may still come",))
        self.assertEqual(dict(changes.failed), {})

    def test_what_only_a_restart_changes_is_told(self) -> None:
        """Compared with what procwrap was started with, as often as somebody asks."""
        self.want(A, settings=Settings(liveness=LivenessRule.STUCK))
        for _ in range(2):
            self.assertEqual(self.successResultOf(self.reload()).needs_restart, ("health.liveness",))
        self.assertEqual(len(self.said(Level.WARNING)), 2)

    def test_who_stops_waiting_changes_nothing(self) -> None:
        """The reload goes on for the others, and for the config."""
        first, second, third = (self.reloading.ask() for _ in range(3))
        for cancelled in (first, second):
            cancelled.cancel()
            self.failureResultOf(cancelled, CancelledError)
        self.want(A, B)
        self.read()
        self.read()
        self.assertEqual(self.successResultOf(third).unchanged, 2)
        self.assertEqual(self.world.states(), {"a": "running", "b": "running"})
