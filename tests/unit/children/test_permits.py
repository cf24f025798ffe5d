from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from procwrap.core import verdicts
from procwrap.core.events import End, RestartCause, Restarting
from procwrap.core.lifecycle import Input, State
from procwrap.spec.process import Dependency, ProcessSpec
from tests.support.children import World, make_world
from tests.support.permits import ScriptedPermit

API = ProcessSpec("api", "/bin/api", envs=(("A", "1"),))


class PermitTests(SynchronousTestCase):
    def build(self, *specs: ProcessSpec, count: int = 2) -> World:
        self.permits = [ScriptedPermit() for _ in range(count)]
        world = make_world(*(specs or (API,)), permits={"api": list(self.permits)})
        world.start()
        return world

    def grant(self, world: World, *variables: tuple[str, str]) -> None:
        for permit in self.permits:
            permit.replies["api"].grant(variables)
        world.clock.advance(0)

    def test_all_are_asked_in_order(self) -> None:
        """The second only after the first has agreed; then the process starts."""
        world = self.build()
        first, second = self.permits
        self.assertEqual((first.heard, second.heard), (["ask api"], []))
        first.replies["api"].grant(())
        self.assertEqual((second.heard, world.state("api")), (["ask api"], State.WAITING))
        second.replies["api"].grant(())
        world.clock.advance(0)
        self.assertIs(world.state("api"), State.RUNNING)

    def test_they_give_it_variables(self) -> None:
        """They win over its own, for this run."""
        world = self.build()
        self.permits[0].replies["api"].grant((("TOKEN", "7"),))
        self.permits[1].replies["api"].grant((("A", "2"),))
        world.clock.advance(0)
        self.assertEqual(world.fleet.children["api"].environment, {"A": "2", "TOKEN": "7"})

    def test_why_it_waits_is_seen(self) -> None:
        """In its state, as often as there is something new."""
        world = self.build()
        for reason in ("waits for proxy", "waits for envoy"):
            self.permits[0].replies["api"].wait(reason)
            self.assertEqual(world.board.snapshot.processes["api"].reason, reason)
        self.assertIs(world.state("api"), State.WAITING)

    def test_a_standby_counts_for_no_health(self) -> None:
        """Neither alive nor ready depends on it; but where all stand by, nobody is ready."""
        world = self.build(API, ProcessSpec("web", "/bin/web"))
        self.permits[0].replies["api"].stand_by("b holds the lock")
        snapshot = world.board.snapshot
        self.assertIs(world.state("api"), State.STANDBY)
        self.assertTrue(verdicts.readiness(snapshot).ok)
        alone = self.build()
        self.permits[0].replies["api"].stand_by("b holds the lock")
        verdict = verdicts.readiness(alone.board.snapshot)
        self.assertEqual((verdict.ok, list(verdict.causes)), (False, ["api"]))

    def test_a_denial_is_for_good(self) -> None:
        """It is skipped, and what was granted before is given back."""
        world = self.build()
        self.permits[0].replies["api"].grant(())
        self.permits[1].replies["api"].deny("sidecar proxy has failed")
        view = world.board.snapshot.processes["api"]
        self.assertEqual((view.state, view.reason), (State.SKIPPED, "sidecar proxy has failed"))
        self.assertEqual(self.permits[0].heard, ["ask api", "ended api"])

    def test_a_stop_calls_it_off(self) -> None:
        """Who is asked learns it, who has agreed gets it back, and late answers start nothing."""
        world = self.build()
        first, second = self.permits
        first.replies["api"].grant(())
        world.fleet.children["api"].happen(Input.STOP, "SIGTERM")
        second.replies["api"].grant(())
        second.replies["api"].stand_by("late")
        world.clock.advance(1)
        self.assertEqual((first.heard[1:], second.heard[1:]), (["ended api"], ["leave api"]))
        self.assertEqual((world.state("api"), world.runs("api")), (State.STOPPED, []))

    def test_each_run_asks_anew(self) -> None:
        """The end of a run gives back what it was granted, the last first."""
        world = self.build()
        self.grant(world)
        world.run("api").end(End(code=1))
        world.clock.advance(1)
        heard = ["ask api", "ended api", "ask api"]
        self.assertEqual((self.permits[0].heard, self.permits[1].heard), (heard, heard[:2]))

    def test_a_failed_start_gives_back_too(self) -> None:
        """Nobody holds a lock for a command that is not there."""
        world = self.build(ProcessSpec("api", "missing"))
        self.grant(world)
        self.assertEqual(self.permits[1].heard, ["ask api", "ended api"])

    def test_what_it_depends_on_comes_first(self) -> None:
        """Nobody is asked before, and it is looked at once more when all have agreed."""
        specs = (ProcessSpec("db", "/bin/db"), ProcessSpec("api", "/bin/api", depends_on=(Dependency("db"),)))
        self.permits = [ScriptedPermit()]
        world = make_world(*specs, healthy_at_once=False, permits={"api": list(self.permits)})
        world.start()
        self.assertEqual(self.permits[0].heard, [])
        db = world.fleet.children["db"]
        db.happen(Input.HEALTHY)
        world.clock.advance(0)
        db.happen(Input.DEGRADED)
        self.grant(world)
        self.assertEqual(world.runs("api"), [])
        db.happen(Input.HEALTHY)
        world.clock.advance(0)
        self.assertEqual(len(world.runs("api")), 1)

    def test_a_loss_kills_and_asks_again(self) -> None:
        """No hook, no grace, no backoff: another may run it any moment."""
        world = self.build()
        self.grant(world)
        world.fleet.children["api"].lose("lost the lock")
        self.assertEqual(world.run("api").signals[0], 9)
        world.clock.advance(0)
        self.assertEqual(world.told(Restarting)[0].cause, RestartCause.LOCK)
        self.assertEqual(self.permits[0].heard, ["ask api", "ended api", "ask api"])
        self.assertIs(world.state("api"), State.WAITING)

    def test_a_loss_seen_after_the_end_is_a_loss(self) -> None:
        """Somebody else has killed it, and its end is seen first."""
        world = self.build(count=1)
        permit, child = self.permits[0], world.fleet.children["api"]
        permit.on_end = lambda: child.lose("lost the lock")
        self.grant(world)
        world.run("api").end(End(signal=9))
        self.assertEqual([event.cause for event in world.told(Restarting)], [RestartCause.LOCK])
        world.clock.advance(0)
        self.assertEqual(permit.heard.count("ask api"), 2)

    def test_a_loss_before_the_start_asks_again(self) -> None:
        """What was granted is given back, and no process is started."""
        world = self.build(count=1)
        self.permits[0].replies["api"].grant(())
        world.fleet.children["api"].lose("it took too long")
        world.clock.advance(0)
        self.assertEqual(self.permits[0].heard, ["ask api", "ended api", "ask api"])
        self.assertEqual((world.runs("api"), world.state("api")), ([], State.WAITING))

    def test_a_loss_during_a_stop_changes_nothing(self) -> None:
        """It ends at once, and for good."""
        world = make_world(API, permits={"api": []}, withstands={"api": frozenset({15})})
        world.start()
        child = world.fleet.children["api"]
        child.happen(Input.STOP, "SIGTERM")
        child.lose("lost the lock")
        self.assertIs(world.state("api"), State.STOPPED)
        child.lose("once more")
        self.assertIs(world.state("api"), State.STOPPED)
