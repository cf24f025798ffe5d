from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.locks import LockAsked, LockChange, LockChanged, Outcome
from procwrap.lock import wire
from procwrap.lock.margin import until
from procwrap.lock.permit import BEGIN_WITHIN
from tests.support.locking import FREE, OVER, Asker, granted, held, refused


class LockPermitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asker = Asker()
        self.server, self.clock = self.asker.server, self.asker.clock

    def changes(self) -> list[LockChange]:
        return [event.change for event in self.asker.told if isinstance(event, LockChanged)]

    def outcomes(self) -> list[Outcome]:
        return [event.outcome for event in self.asker.told if isinstance(event, LockAsked)]

    def advance(self, seconds: float, step: float = 0.01) -> None:
        self.clock.pump([step] * round(seconds / step))

    def keep_for(self, seconds: float) -> None:
        """Let time pass while the server answers every keepalive at once."""
        for _ in range(round(seconds / 0.01)):
            self.clock.advance(0.01)
            while self.server.waits:
                self.server.answer(held())

    def test_a_lock_that_is_free_is_granted_with_its_token(self) -> None:
        """The process may start, and gets the fencing token as a variable."""
        self.asker.ask()
        self.server.answer(granted(token=42))
        self.assertEqual(self.asker.variables, [(("PROCWRAP_FENCING_TOKEN", "42"),)])
        self.assertEqual(self.changes(), [LockChange.TAKEN])
        self.assertEqual(self.outcomes(), [Outcome.SUCCESS])

    def test_the_guard_knows_before_the_process_starts(self) -> None:
        """Nothing is asked for without a guard, and it has the deadline when the start is granted."""
        self.asker.guarding.is_there = False
        self.asker.ask()
        self.assertEqual(self.server.asked, [])
        self.asker.guarding.waiting[0].callback(None)
        self.clock.advance(0.2)
        self.server.answer(granted())
        # It counts from when it was asked, not from when it was answered.
        self.assertEqual(self.asker.guarding.runs[0].deadlines, [until(0.0, 2.0)])

    def test_who_waits_says_for_whom(self) -> None:
        """Another holds it: the process stands by, told at once; then the server is asked to wait."""
        self.asker.ask()
        self.server.answer(refused("pod-b"))
        self.assertEqual(self.asker.said, ["pod-b holds the lock"])
        self.advance(0.1)
        waiting = self.server.asked[-1]
        self.assertEqual((len(self.server.asked), waiting.headers[wire.WAIT]), (2, "1000ms"))
        self.server.answer(granted())
        self.assertEqual(len(self.asker.variables), 1)

    def test_who_waits_is_not_told_the_same_again_and_again(self) -> None:
        """A holder that stays is one line, and another one soon another."""
        self.asker.ask()
        for holder in ["pod-b"] * 5 + ["pod-c"] * 3:
            self.server.answer(refused(holder))
            self.advance(1.1)
        self.assertEqual(self.asker.said, ["pod-b holds the lock", "pod-c holds the lock"])

    def test_a_server_that_does_not_wait_is_asked_less_often(self) -> None:
        """It is not stormed: every 150 ms at first, then every 600."""
        self.asker.ask()
        for _ in range(3000):
            self.clock.advance(0.01)
            if self.server.waits:
                self.server.answer(refused())
        self.assertLess(len(self.server.asked), 60)

    def test_a_server_that_is_away_is_asked_on(self) -> None:
        """The process stands by, says why, and starts as soon as the server is back."""
        self.asker.ask()
        self.server.fail()
        self.assertEqual(self.asker.said, ["lock server lock:8191: connection refused"])
        self.assertEqual(self.outcomes(), [Outcome.FAILED])
        self.advance(0.3)
        self.server.answer(granted())
        self.assertEqual(len(self.asker.variables), 1)

    def test_the_same_wish_has_the_same_name(self) -> None:
        """So a lease whose answer was lost is given to who has it already; the next wish is another."""
        self.asker.ask()
        self.server.fail()
        self.advance(0.3)
        names = [asked.headers[wire.REQUEST] for asked in self.server.asked]
        self.assertEqual(len(set(names)), 1)
        self.server.answer(granted())
        self.asker.permit.ended("api")
        self.server.answer(FREE)
        self.asker.ask()
        self.assertNotIn(self.server.asked[-1].headers[wire.REQUEST], names)

    def test_an_answer_that_waited_is_settled_by_a_keepalive(self) -> None:
        """The time to live counts from when it was asked, and most of it is to be left for the start."""
        self.asker.ask()
        self.server.answer(refused())
        self.advance(0.06)
        self.advance(0.9)
        self.server.answer(granted())
        self.assertEqual(self.server.paths[-1], "/keepalive")
        self.assertEqual(self.asker.variables, [])
        sent = self.clock.seconds()
        self.server.answer(held())
        self.assertEqual(self.asker.guarding.runs[0].deadlines, [until(sent, 2.0)])
        self.assertEqual(len(self.asker.variables), 1)

    def test_a_kept_lock_is_kept(self) -> None:
        """As long as the server answers, every third of the TTL moves the deadline."""
        run = self.asker.run()
        self.keep_for(10.0)
        self.assertEqual(self.asker.lost, [])
        self.assertEqual(len(run.deadlines), 1 + 14)
        self.assertGreater(run.deadlines[-1], self.clock.seconds() + 1.0)

    def test_a_keepalive_counts_from_when_it_was_sent(self) -> None:
        """However late its answer comes: the server may have begun to count as early as that."""
        run = self.asker.run()
        self.advance(0.67)
        sent = self.clock.seconds()
        self.advance(0.5)
        self.server.answer(held())
        self.assertAlmostEqual(run.deadlines[-1], until(sent, 2.0), delta=0.01)

    def test_a_lost_lock_kills_the_process(self) -> None:
        """The server has given it up: the guard strikes, then the process is told lost, and asks anew."""
        run = self.asker.run()
        self.advance(0.67)
        self.server.answer(OVER)
        self.assertEqual(run.deadlines[-1], 0.0)
        self.assertEqual(self.asker.lost, [])
        run.killed("")
        self.assertEqual(self.asker.lost, ["lost the shared lock: the server has given it up"])
        self.assertEqual(self.asker.killed, [100])
        self.assertEqual(self.changes(), [LockChange.TAKEN, LockChange.LOST])

    def test_a_guard_that_says_nothing_is_not_waited_for(self) -> None:
        """Then procwrap kills by itself, a moment later."""
        self.asker.run()
        self.advance(0.67)
        self.server.answer(OVER)
        self.advance(0.06)
        self.assertEqual((len(self.asker.lost), self.asker.killed), (1, [100]))

    def test_what_is_not_renewed_is_lost_in_time(self) -> None:
        """Nobody answers, or with errors: after the deadline, and before the TTL is over, it is gone."""
        self.asker.run()
        while not self.asker.lost:
            self.clock.advance(0.01)
            while self.server.waits and self.clock.seconds() > 1.0:
                self.server.fail("503")
        self.assertTrue(until(0.0, 2.0) <= self.clock.seconds() < 2.0, self.clock.seconds())
        self.assertEqual(
            self.asker.lost, ["lost the shared lock: not renewed in time: lock server lock:8191: 503"]
        )
        self.assertGreaterEqual(len(self.server.asked), 4)

    def test_a_renewal_that_comes_too_late_changes_nothing(self) -> None:
        """The guard has struck by then, even when nobody here has noticed yet."""
        run = self.asker.run()
        self.advance(1.3)
        self.clock.rightNow = 1.85
        self.server.answer(held())
        self.assertEqual(len(run.deadlines), 1)
        self.assertEqual(len(self.asker.lost), 1)

    def test_without_its_guard_a_process_does_not_go_on(self) -> None:
        """Killed, with the reason, and asked for again."""
        run = self.asker.run()
        run.killed("the guard is gone")
        self.assertEqual(self.asker.lost, ["lost the shared lock: the guard is gone"])
        self.assertEqual(self.asker.killed, [100])

    def test_it_is_given_back_when_nothing_is_left(self) -> None:
        """While a descendant still runs the lock is kept, and the guard still knows the group."""
        run = self.asker.run()
        self.asker.left.add(100)
        self.asker.permit.ended("api")
        self.keep_for(3.0)
        self.assertNotIn("/release", self.server.paths)
        self.assertEqual((run.is_over, self.asker.lost), (False, []))
        self.asker.left.clear()
        self.advance(0.06)
        self.assertTrue(run.is_over)
        self.assertEqual((self.server.paths[-1], self.server.asked[-1].body), ("/release", b"7"))
        self.server.answer(FREE)
        self.assertEqual(self.changes(), [LockChange.TAKEN, LockChange.GIVEN_BACK])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_lingers_is_killed_when_the_lock_is_lost(self) -> None:
        """A descendant that outlives its leader and the lock is killed; the new run waits for its end."""
        run = self.asker.run()
        self.asker.left.add(100)
        self.asker.permit.ended("api")
        run.killed("the guard is gone")
        self.assertEqual((self.asker.killed, self.asker.lost), ([100], []))
        self.asker.ask()
        self.advance(0.5)
        self.assertEqual(self.server.paths.count("/lease"), 1)
        self.asker.left.clear()
        self.advance(0.1)
        self.server.answer(OVER)
        self.advance(1.0)
        self.assertEqual(self.server.paths.count("/lease"), 2)

    def test_an_end_after_the_deadline_is_a_loss(self) -> None:
        """Procwrap was stopped, the guard has killed: what is seen first is the end of the process."""
        self.asker.run()
        self.clock.rightNow = 5.0
        self.asker.permit.ended("api")
        self.assertEqual(self.asker.lost, ["lost the shared lock: not renewed in time"])
        self.assertEqual(self.changes(), [LockChange.TAKEN, LockChange.LOST])

    def test_who_does_not_want_it_any_more_leaves_nothing_behind(self) -> None:
        """A question whose answer is unknown is settled: what was granted unheard is given back."""
        self.asker.ask()
        self.asker.permit.leave("api")
        self.assertEqual(self.server.paths, ["/lease", "/lease"])
        self.server.answer(granted())
        self.assertEqual(self.server.paths[-1], "/release")
        self.assertNoResult(over := self.asker.permit.over)
        self.server.answer(FREE)
        self.successResultOf(over)
        self.assertEqual((self.asker.variables, self.clock.getDelayedCalls()), ([], []))

    def test_who_leaves_between_two_questions_is_gone_at_once(self) -> None:
        """There is nothing to settle then."""
        self.asker.ask()
        self.server.answer(refused())
        self.asker.permit.leave("api")
        self.successResultOf(self.asker.permit.over)
        self.assertEqual((len(self.server.asked), self.clock.getDelayedCalls()), (1, []))

    def test_a_lock_is_not_held_for_nothing(self) -> None:
        """A process that may not start for another reason gives it back and asks again."""
        self.asker.ask()
        self.server.answer(granted())
        self.keep_for(BEGIN_WITHIN + 0.1)
        self.assertEqual(len(self.asker.lost), 1)

    def test_ten_thousand_times(self) -> None:
        """Taking and giving back leaves neither timers nor runs behind."""
        for _ in range(10_000):
            self.asker.run()
            self.asker.permit.ended("api")
            self.server.answer(FREE)
            self.server.asked.clear()
            self.asker.told.clear()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(all(run.is_over for run in self.asker.guarding.runs))
