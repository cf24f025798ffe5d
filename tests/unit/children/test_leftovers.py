from __future__ import annotations

import signal

from attrs import define, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.leftovers import GRACE, Leftovers

GROUP = 31


@define(eq=False)
class Groups:
    """Process groups whose members end by the signals they do not withstand."""

    left: set[int] = field(factory=lambda: {GROUP})
    withstand: set[int] = field(factory=set)
    sent: list[int] = field(factory=list)

    def send(self, group: int, number: int) -> bool:
        if group not in self.left:
            return False
        if number:
            self.sent.append(number)
        if number in {signal.SIGTERM, signal.SIGKILL} - self.withstand:
            self.left.discard(group)
        return True


class LeftoversTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.groups, self.taken = Clock(), Groups(), set[int]()
        self.leftovers = Leftovers(self.clock, lambda group: group in self.taken, self.groups.send)

    def test_an_empty_group_is_forgotten_at_once(self) -> None:
        """A process that leaves nothing behind costs nothing further."""
        self.groups.left.clear()
        self.leftovers.sweep(GROUP, 2.0)
        self.clock.advance(0)
        self.assertEqual((self.clock.getDelayedCalls(), self.groups.sent), ([], []))

    def test_what_is_left_may_finish_then_is_asked_then_killed(self) -> None:
        """2 s to finish writing, SIGTERM, 2 s more, SIGKILL."""
        self.groups.withstand = {signal.SIGTERM}
        self.leftovers.sweep(GROUP, 2.0)
        self.clock.pump([0, 1.9])
        self.assertEqual(self.groups.sent, [])
        self.clock.advance(0.1)
        self.assertEqual(self.groups.sent, [signal.SIGTERM, signal.SIGCONT])
        self.clock.advance(GRACE)
        self.assertEqual(self.groups.sent[-1], signal.SIGKILL)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_group_id_that_is_ours_again_is_never_signalled(self) -> None:
        """A pid that was recycled for a process we started since is left alone."""
        self.leftovers.sweep(GROUP, 2.0)
        self.clock.advance(0)
        self.taken.add(GROUP)
        self.clock.advance(2.0)
        self.assertEqual((self.groups.sent, self.clock.getDelayedCalls()), ([], []))

    def test_at_the_end_nobody_waits_for_what_is_not_there(self) -> None:
        """With nothing left the end goes on at once."""
        self.successResultOf(self.leftovers.all_gone())

    def test_at_the_end_what_is_left_is_asked_at_once(self) -> None:
        """It fires as soon as the group is empty."""
        self.leftovers.sweep(GROUP, 2.0)
        self.clock.advance(0)
        gone = self.leftovers.all_gone()
        self.assertEqual(self.groups.sent, [signal.SIGTERM])
        self.clock.advance(0)
        self.successResultOf(gone)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_at_the_end_what_withstands_is_killed_after_its_grace(self) -> None:
        """The end waits for it, but not for ever; asking again sends nothing twice."""
        self.groups.withstand = {signal.SIGTERM}
        self.leftovers.sweep(GROUP, 0.0)
        self.clock.pump([0, 0])
        gone = self.leftovers.all_gone()
        self.assertEqual(self.groups.sent, [signal.SIGTERM, signal.SIGCONT])
        self.assertNoResult(gone)
        self.clock.pump([0.05] * 50)
        self.assertEqual(self.groups.sent[-1], signal.SIGKILL)
        self.successResultOf(gone)

    def test_a_hurry_kills_without_asking(self) -> None:
        """A second SIGTERM: no more grace for anybody."""
        self.leftovers.sweep(GROUP, 2.0)
        self.clock.advance(0)
        self.leftovers.hurry()
        self.assertEqual((self.groups.sent, self.clock.getDelayedCalls()), ([signal.SIGKILL], []))
