from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from procwrap.conclusion import Conclusion
from procwrap.core.events import End
from procwrap.core.lifecycle import Input
from procwrap.core.policy import Judgement
from procwrap.core.roster import Roster
from procwrap.spec.process import ProcessSpec, Restart, RestartPolicy
from tests.support.children import make_world

ONCE = Restart(RestartPolicy.NEVER)
A, B = (ProcessSpec(name, "/bin/true", restart=ONCE) for name in "ab")
BACKGROUND = ProcessSpec("c", "/bin/true", restart=Restart(background=True))


class Shutdown:
    """Remembers with which code everything ended."""

    def __init__(self) -> None:
        self.codes: list[int] = []

    @property
    def begun(self) -> bool:
        return bool(self.codes)

    def begin(self, reason: str, code: int) -> None:
        self.codes.append(code)


class ConclusionTests(SynchronousTestCase):
    def build(self, *specs: ProcessSpec) -> None:
        self.world = make_world(*specs)
        self.shutdown: Any = Shutdown()
        self.roster = Roster(specs)
        self.conclusion = Conclusion(self.world.board, self.world.clock, self.roster, lambda: self.shutdown)
        self.world.start()

    def end(self, name: str, code: int) -> None:
        self.world.run(name).end(End(code=code))

    def test_the_last_one_ends_it(self) -> None:
        """With the code of the first that failed, a moment after its end."""
        self.build(A, B, BACKGROUND)
        self.end("b", 3)
        self.world.clock.advance(0)
        self.end("a", 0)
        self.assertEqual(self.shutdown.codes, [])
        self.world.clock.advance(0)
        self.assertEqual(self.shutdown.codes, [3])

    def test_who_begins_anew_in_that_moment_goes_on(self) -> None:
        """An order that comes between the end of the last and the end of all wins."""
        self.build(A)
        self.end("a", 0)
        self.world.fleet.children["a"].happen(Input.BEGIN)
        self.world.clock.advance(0)
        self.assertEqual((self.shutdown.codes, len(self.world.runs("a"))), ([], 2))

    def test_what_was_stopped_may_come_back(self) -> None:
        """Nothing runs, and yet nothing is over."""
        self.build(A, B)
        self.end("a", 0)
        self.world.fleet.children["b"].happen(Input.STOP)
        self.world.clock.advance(0)
        self.assertEqual(self.shutdown.codes, [])

    def test_a_reload_counts_anew(self) -> None:
        """What is no longer asked for is not waited for, and what serves the others by now neither."""
        self.build(A, B)
        self.end("a", 5)
        self.roster.drop("b")
        self.conclusion.recount()
        self.world.clock.advance(0)
        self.assertEqual(self.shutdown.codes, [5])

    def test_one_may_end_all(self) -> None:
        """The first cause counts."""
        self.build(A, B)
        for code in (7, 0):
            judged = Judgement(Input.OVER, success=False, reason="", ends_all=True)
            self.conclusion.one_ended_all(A, End(code=code), judged)
        self.world.clock.advance(0)
        self.assertEqual(self.shutdown.codes[0], 7)
