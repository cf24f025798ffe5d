from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.hookrun import HookRun
from procwrap.interfaces import IProbe
from tests.support.probes import Answer, DeafDeferred, ScriptedProbe, SilentProbe


class HookRunTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ends: list[str] = []
        self.built: list[ScriptedProbe] = []

    def tearDown(self) -> None:
        """Whatever happened, no timer is left and every step that was begun was closed."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(all(step.closed for step in self.built))

    def step(self, answer: Answer, target: str = "peer") -> IProbe:
        """Build a step, when its turn comes."""
        kind = SilentProbe if isinstance(answer, DeafDeferred) else ScriptedProbe
        self.built.append(kind([answer], target=target))
        return self.built[-1]

    def started(self, *answers: Answer, seconds: float = 30.0) -> HookRun:
        """A run whose steps answer so."""
        run = HookRun(
            [partial(self.step, answer) for answer in answers], self.clock, seconds, self.ends.append
        )
        run.start()
        return run

    def test_all_steps(self) -> None:
        """They are done in order, each when the one before has succeeded; then it is over."""
        first: Deferred[None] = Deferred()
        self.started(first, "")
        self.assertEqual((len(self.built), self.ends), (1, []))
        first.callback(None)
        self.assertEqual(([step.looked for step in self.built], self.ends), ([1, 1], [""]))

    def test_a_step_fails(self) -> None:
        """Its reason is the hook's, and the steps behind it are not done."""
        self.started("exit code 3", "")
        self.assertEqual((len(self.built), self.ends), (1, ["exit code 3"]))

    def test_deadline(self) -> None:
        """One for all steps together: it is cancelled, and said which step was not done."""
        first: Deferred[None] = Deferred()
        cancelled: list[object] = []
        self.started(first, Deferred(cancelled.append))
        self.clock.advance(29)
        first.callback(None)
        self.clock.advance(1)
        self.assertEqual((len(cancelled), self.ends), (1, ["peer: not done within 30s"]))

    def test_late_answer(self) -> None:
        """What answers although it was cancelled is not heard, and what stands behind it is not done."""
        deaf = DeafDeferred()
        self.started(deaf, "")
        self.clock.advance(30)
        self.assertEqual(self.ends, ["peer: not done within 30s"])

    def test_held_up(self) -> None:
        """A deadline that fires late because procwrap was stopped gives the time back, once."""
        self.started(Deferred(), seconds=1.0)
        self.clock.advance(60)
        self.assertEqual(self.ends, [])
        self.clock.advance(1)
        self.assertEqual(self.ends, ["peer: not done within 1s"])

    def test_cannot_be_cancelled(self) -> None:
        """A step that fails even at being given up is told of, and does no further harm."""

        def broken(_: Deferred[None]) -> None:
            raise ValueError("bug")

        self.started(Deferred(broken), seconds=1.0)
        self.clock.advance(1)
        self.assertEqual(self.ends, ["peer: not done within 1s"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_stop(self) -> None:
        """A hook that was given up cancels its step and tells nothing, however often."""
        cancelled: list[object] = []
        run = self.started(Deferred(cancelled.append), "")
        run.stop()
        run.stop()
        self.assertEqual((len(cancelled), len(self.built), self.ends), (1, 1, []))

    def test_stop_after_the_end(self) -> None:
        """A hook that is over can be stopped all the same."""
        run = self.started("")
        run.stop()
        self.assertEqual(self.ends, [""])

    def test_stop_before_its_turn(self) -> None:
        """A hook that has not begun yet never does; its deadline counts while it waits."""
        waiting: list[Callable[[], None]] = []
        for ends in (lambda run: run.stop(), lambda run: self.clock.advance(1.0)):
            run = HookRun([partial(self.step, "")], self.clock, 1.0, self.ends.append, waiting.append)
            run.start()
            ends(run)
            waiting.pop()()
        self.assertEqual((self.built, self.ends), ([], ["not done within 1s"]))

    def test_no_time(self) -> None:
        """With no time at all nothing is begun."""
        self.started("", seconds=0.0)
        self.assertEqual((self.built, self.ends), ([], ["it has no time at all"]))

    def test_cannot_be_built(self) -> None:
        """What is not installed is said; another exception's text, which may quote a secret, is not."""

        def build(error: Exception) -> IProbe:
            raise error

        for error in (ImportError("PostgreSQL needs psycopg2: pip install x"), ValueError("hunter2")):
            HookRun([partial(build, error)], self.clock, 1.0, self.ends.append).start()
        self.assertEqual(
            self.ends,
            ["cannot be done: PostgreSQL needs psycopg2: pip install x", "cannot be done (ValueError)"],
        )

    def test_a_step_raises(self) -> None:
        """A bug in a step is a failed hook, never a traceback."""
        self.started(ValueError("hunter2"))
        self.assertEqual(self.ends, ["peer: cannot be done (ValueError)"])
