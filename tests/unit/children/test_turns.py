from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.turns import TURN, Turns


class TurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock)
        self.went: list[str] = []

    def spend(self, seconds: float) -> float:
        self.passing = seconds
        return self.turns.measure(self.pass_time, b"")

    def pass_time(self, piece: bytes) -> None:
        # Without running what has become due meanwhile: a reactor would not, either.
        self.clock.rightNow += self.passing

    def waiting(self, name: str, seconds: float) -> Waits:
        return Waits(self, name, seconds)

    def go_on(self) -> None:
        # Clock would run at once what is planned meanwhile; a reactor leaves that for its next turn.
        for call in self.clock.getDelayedCalls():
            planned = call.func
            call.cancel()
            planned()

    def test_a_turn_is_over_when_its_time_is_spent(self) -> None:
        """All readers together have so much time; then the reactor looks after everybody else first."""
        self.assertEqual(self.spend(TURN / 2), TURN / 2)
        self.assertFalse(self.turns.is_over)
        self.spend(TURN / 2)
        self.assertTrue(self.turns.is_over)
        self.go_on()
        self.assertFalse(self.turns.is_over)

    def test_who_waits_comes_first_and_in_order(self) -> None:
        """However many there are, each of them is read before one of them is read again."""
        self.spend(TURN)
        for name in "abcd":
            self.turns.wait(self.waiting(name, TURN / 2))
        self.go_on()
        self.assertEqual((self.went, self.turns.is_over), (["a", "b"], True))
        self.turns.wait(self.waiting("a", TURN / 2))
        self.go_on()
        self.go_on()
        self.assertEqual(self.went, ["a", "b", "c", "d", "a"])

    def test_little_needs_no_timer(self) -> None:
        """A child that writes one byte at a time costs no timer for each."""
        self.spend(TURN / 100)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        for _ in range(100):
            self.spend(TURN / 100)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)


class Waits:
    """A reader that takes a while when its turn comes."""

    def __init__(self, test: TurnsTests, name: str, seconds: float) -> None:
        self._test, self._name, self._seconds = test, name, seconds

    def take_turn(self) -> None:
        self._test.went.append(self._name)
        self._test.spend(self._seconds)
