from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import ProbeResult
from procwrap.errors import ProbeError
from procwrap.probes.look import STALL, look_at_all
from tests.support.probes import DeafDeferred, ScriptedProbe


class LookTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def look(self, *probes: ScriptedProbe) -> Deferred[tuple[ProbeResult, ...]]:
        return look_at_all(probes, self.clock)

    def test_success(self) -> None:
        """A probe that is content has a result without a reason."""
        (result,) = self.successResultOf(self.look(ScriptedProbe([""])))
        self.assertEqual(result, ProbeResult("scripted", succeeded=True, reason="", took=0.0))

    def test_failure(self) -> None:
        """A probe's own words become the reason."""
        (result,) = self.successResultOf(self.look(ScriptedProbe(["peer: 503, expected 200"])))
        self.assertEqual((result.succeeded, result.reason), (False, "peer: 503, expected 200"))

    def test_excused(self) -> None:
        """A failure that the process has asked patience for says so."""
        error = ProbeError("not ready", excused=True)
        (result,) = self.successResultOf(self.look(ScriptedProbe([fail(error)])))
        self.assertEqual((result.succeeded, result.reason, result.excused), (False, "not ready", True))

    def test_results_keep_the_order(self) -> None:
        """Results come in the order of the config, whoever answers first."""
        slow, fast = Deferred[None](), Deferred[None]()
        round_ = self.look(ScriptedProbe([slow], kind="slow"), ScriptedProbe([fast], kind="fast"))
        fast.callback(None)
        self.clock.advance(0.5)
        slow.callback(None)
        results = self.successResultOf(round_)
        self.assertEqual([(r.probe, r.took) for r in results], [("slow", 0.5), ("fast", 0.0)])

    def test_probes_look_at_the_same_time(self) -> None:
        """A slow probe does not delay the others of its round."""
        probes = [ScriptedProbe([Deferred()], timeout=2.0) for _ in range(3)]
        round_ = self.look(*probes)
        self.assertEqual([probe.looked for probe in probes], [1, 1, 1])
        self.clock.advance(2.0)
        self.assertEqual(len(self.successResultOf(round_)), 3)

    def test_timeout_cancels(self) -> None:
        """A silent peer has failed at the timeout, and the attempt is cancelled for real."""
        cancelled: list[object] = []
        round_ = self.look(ScriptedProbe([Deferred(cancelled.append)]))
        self.clock.advance(1.99)
        self.assertNoResult(round_)
        self.clock.advance(0.01)
        (result,) = self.successResultOf(round_)
        self.assertEqual(result.reason, "peer: no answer within 2s, expected an answer")
        self.assertEqual(len(cancelled), 1)

    def test_each_probe_has_its_own_timeout(self) -> None:
        """The round ends with the slowest; each result says how long its probe took."""
        round_ = self.look(ScriptedProbe([Deferred()], timeout=1.0), ScriptedProbe([Deferred()], timeout=3.0))
        self.clock.pump([1.0, 1.0, 1.0])
        self.assertEqual([result.took for result in self.successResultOf(round_)], [1.0, 3.0])

    def test_late_answer_is_dropped(self) -> None:
        """What comes after the timeout changes nothing and raises nothing, success or failure."""
        for answer in (None, ProbeError("too late")):
            deaf = DeafDeferred()
            round_ = self.look(ScriptedProbe([deaf]))
            self.clock.advance(2.0)
            self.assertFalse(self.successResultOf(round_)[0].succeeded)
            deaf.callback(None) if answer is None else deaf.errback(answer)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_canceller_that_raises(self) -> None:
        """A probe that cannot even be cancelled is logged, and has failed like any other."""

        def broken(_: Deferred[None]) -> None:
            raise ZeroDivisionError

        round_ = self.look(ScriptedProbe([Deferred(broken)]))
        self.clock.advance(2.0)
        self.assertFalse(self.successResultOf(round_)[0].succeeded)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_canceller_that_answers(self) -> None:
        """An answer given because of the cancelling does not count."""
        round_ = self.look(ScriptedProbe([Deferred(lambda cancelled: cancelled.callback(None))]))
        self.clock.advance(2.0)
        self.assertFalse(self.successResultOf(round_)[0].succeeded)

    def test_probe_that_raises(self) -> None:
        """A bug in a probe is a failed probe with one line, password hidden."""
        bug = ValueError("cannot read\nhttp://user:pass@host/ \x1b[31m")
        (result,) = self.successResultOf(self.look(ScriptedProbe([bug])))
        self.assertEqual(
            result.reason, "peer: ValueError: cannot read http://***@host/ [31m, expected an answer"
        )

    def test_cancelling_the_round(self) -> None:
        """Cancelling a round cancels its probes and stops its timers."""
        cancelled: list[object] = []
        probes = [ScriptedProbe([Deferred(cancelled.append)]) for _ in range(3)]
        round_ = self.look(ScriptedProbe([""]), *probes)
        round_.cancel()
        self.failureResultOf(round_).value.subFailure.trap(CancelledError)
        self.assertEqual(len(cancelled), 3)

    def test_a_stall_of_our_own(self) -> None:
        """When procwrap was stopped or starved, the peer gets the time back, once."""
        answer = Deferred[None]()
        round_ = self.look(ScriptedProbe([answer]))
        self.clock.advance(2.0 + STALL + 0.4)
        self.assertNoResult(round_)
        answer.callback(None)
        self.assertTrue(self.successResultOf(round_)[0].succeeded)

    def test_a_stall_is_forgiven_once(self) -> None:
        """However often procwrap stalls, a silent peer has failed in the end."""
        round_ = self.look(ScriptedProbe([Deferred()]))
        self.clock.advance(60.0)
        self.assertNoResult(round_)
        self.clock.advance(60.0)
        self.assertFalse(self.successResultOf(round_)[0].succeeded)

    def test_no_timeout(self) -> None:
        """A probe that answers from memory costs no timer."""
        round_ = self.look(ScriptedProbe([Deferred()], timeout=None))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        round_.cancel()
        self.failureResultOf(round_)

    def test_no_probes(self) -> None:
        """A round without probes has no results and ends at once."""
        self.assertEqual(self.successResultOf(self.look()), ())
