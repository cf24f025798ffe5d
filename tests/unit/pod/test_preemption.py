from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import Event, Notice
from procwrap.core.preempted import Preempted, PreemptionCounted, PreemptionRevoked, PreemptionWatched
from procwrap.pod.ask import AskError
from procwrap.pod.preemption import COUNTED, LONGEST, QUIET, PreemptionWatch


@define(eq=False)
class ScriptedHerald:
    """Looks as long as a test wants."""

    where: str = "http://metadata/x"
    period: float = 5.0
    looks: list[Deferred[str]] = field(factory=list)

    def look(self) -> Deferred[str]:
        self.looks.append(Deferred())
        return self.looks[-1]


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.herald = Clock(), ScriptedHerald()
        self.events: list[Event] = []
        self.random = 1.0
        watch = PreemptionWatch(self.herald, self.clock, lambda: self.random, self.events.append)
        watch.begin()
        self.assertEqual(self.events.pop(), PreemptionWatched())

    def see(self, announced: str) -> None:
        """Let the look that is under way see something, and the next one begin."""
        self.herald.looks[-1].callback(announced)
        self.clock.advance(self.herald.period)

    def fail(self, error: Exception) -> float:
        """Let it fail; return after how long the next one begins."""
        looks, waited = len(self.herald.looks), 0.0
        self.herald.looks[-1].errback(error)
        while len(self.herald.looks) == looks:
            self.clock.advance(0.25)
            waited += 0.25
        return waited

    def told(self) -> list[Event]:
        """Return what was told, without the seconds that were counted."""
        return [event for event in self.events if not isinstance(event, PreemptionCounted)]

    def test_one_look_at_a_time(self) -> None:
        """The next begins when the last is over, and not before its period is."""
        self.clock.advance(1000)
        self.assertEqual(len(self.herald.looks), 1)
        self.herald.looks[-1].callback("")
        self.clock.advance(0)
        self.assertEqual(len(self.herald.looks), 2)
        self.herald.looks[-1].callback("")
        self.clock.advance(4.9)
        self.assertEqual(len(self.herald.looks), 2)
        self.clock.advance(0.1)
        self.assertEqual(len(self.herald.looks), 3)

    def test_told_once(self) -> None:
        """However often it is announced; and once more when it was taken back meanwhile."""
        for announced in ("", "soon", "soon", "now", "", "", "again"):
            self.see(announced)
        self.assertEqual(self.told(), [Preempted("soon"), PreemptionRevoked(), Preempted("again")])

    def test_a_minute_is_counted(self) -> None:
        """One event each second for 60 s, and none after that."""
        self.herald.looks[-1].callback("soon")
        self.clock.advance(0.9)
        self.assertEqual(self.events, [Preempted("soon")])
        self.clock.pump([1] * 1000)
        self.assertEqual(self.events.count(PreemptionCounted()), COUNTED)

    def test_what_is_taken_back_is_not_counted(self) -> None:
        """The counting ends with it."""
        self.see("soon")
        self.see("")
        counted = self.events.count(PreemptionCounted())
        self.clock.pump([1] * 100)
        self.assertEqual(self.events.count(PreemptionCounted()), counted)

    def test_failures_are_no_tight_loop(self) -> None:
        """The pauses double to 30 s; with jitter they are half as long at least. A success begins anew."""
        self.herald.period = 0.0
        waited = [self.fail(AskError("no")) for _ in range(8)]
        self.assertEqual(waited, [1, 2, 4, 8, 16, LONGEST, LONGEST, LONGEST])
        self.herald.looks[-1].callback("")
        self.clock.advance(0)
        self.random = 0.0
        self.assertEqual([self.fail(AskError("no")) for _ in range(3)], [0.5, 1, 2])

    def test_ten_thousand_failures(self) -> None:
        """Nothing overflows, and the stack does not grow."""
        for _ in range(10_000):
            self.herald.looks.pop().errback(AskError("no"))
            self.clock.advance(LONGEST)

    def test_failures_are_told_once(self) -> None:
        """One warning, and one line when it works again; one that comes and goes is told once a minute."""
        for _ in range(5):
            self.fail(AskError("connection refused"))
        (warned,) = self.events
        assert isinstance(warned, Notice)
        self.assertIn("http://metadata/x whether we are preempted: connection refused;", warned.text)
        self.see("")
        self.assertEqual(len(self.events), 2)
        self.fail(AskError("again"))
        self.assertEqual(len(self.events), 2)
        self.clock.advance(QUIET)
        self.fail(AskError("again"))
        self.assertEqual(len(self.events), 3)

    def test_a_failure_revokes_nothing(self) -> None:
        """Who cannot be asked has not changed his mind."""
        self.see("soon")
        self.fail(AskError("no"))
        self.assertNotIn(PreemptionRevoked(), self.events)

    def test_a_bug_ends_nothing(self) -> None:
        """It is told without its text, which may hold a secret, and the watch goes on."""
        self.fail(ValueError("hunter2"))
        (warned,) = self.events
        assert isinstance(warned, Notice)
        self.assertIn("unexpected ValueError", warned.text)
        self.assertNotIn("hunter2", warned.text)
