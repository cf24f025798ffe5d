from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.interfaces import IProbe
from procwrap.probes.watch import Results, Watch
from procwrap.spec.probe import Check, FileProbe, Probe
from tests.support.probes import DeafDeferred, ScriptedProbe, SilentProbe

ONE = (FileProbe("/x"),)
EVERY_5_SECONDS = Check(ONE, period=5.0)


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ended: list[tuple[float, Results]] = []

    def watch(self, probe: ScriptedProbe, check: Check = EVERY_5_SECONDS) -> Watch:
        """A watch over one probe; the test ends by stopping it and finding nothing left behind."""
        return self.watch_building(lambda _: probe, check)

    def watch_building(self, build: Callable[[Probe], IProbe | Deferred[IProbe]], check: Check) -> Watch:
        watch = Watch(check, build, self.clock, lambda r: self.ended.append((self.clock.seconds(), r)))
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(watch.stop)
        return watch

    def times(self) -> list[float]:
        return [time for time, _ in self.ended]

    def test_delay_then_period(self) -> None:
        """The first round comes after the delay, the others one period apart."""
        self.watch(ScriptedProbe([""])).start(7.0)
        self.clock.pump([1.0] * 20)
        self.assertEqual(self.times(), [7.0, 12.0, 17.0])

    def test_start_looks_later(self) -> None:
        """Even without a delay nothing is looked at within start()."""
        probe = ScriptedProbe([""])
        self.watch(probe).start(0.0)
        self.assertEqual(probe.looked, 0)
        self.clock.advance(0)
        self.assertEqual(probe.looked, 1)

    def test_built_later(self) -> None:
        """The first round looks when its probes have been imported, and later rounds find them there."""
        building: Deferred[IProbe] = Deferred()
        self.watch_building(lambda _: building, EVERY_5_SECONDS).start(0.0)
        self.clock.pump([0.0, 1.0])
        self.assertEqual(self.times(), [])
        building.callback(ScriptedProbe([""]))
        self.clock.pump([5.0, 5.0])
        self.assertEqual(self.times(), [1.0, 6.0, 11.0])

    def test_stop_while_building(self) -> None:
        """A check that ends while its probes are imported looks at nothing any more."""
        cancelled: list[object] = []
        building: Deferred[IProbe] = Deferred(cancelled.append)
        watch = self.watch_building(lambda _: building, EVERY_5_SECONDS)
        watch.start(0.0)
        self.clock.advance(0)
        watch.stop()
        self.assertEqual((len(cancelled), self.times()), (1, []))

    def test_period_counts_from_the_end(self) -> None:
        """A slow round moves all later ones: the pause between rounds is always a period."""
        slow = Deferred[None]()
        self.watch(ScriptedProbe([slow, ""])).start(0.0)
        self.clock.pump([0.0, 1.3])
        slow.callback(None)
        self.clock.pump([4.9, 0.1])
        self.assertEqual([round(time, 6) for time in self.times()], [1.3, 6.3])

    def test_round_longer_than_the_period(self) -> None:
        """Rounds never overlap, however long one takes."""
        probe = SilentProbe([""], timeout=30.0)
        self.watch(probe).start(0.0)
        self.clock.pump([0.0] + [1.0] * 29)
        self.assertEqual(probe.looked, 1)
        self.clock.pump([1.0] * 6)
        self.assertEqual((self.times(), probe.looked), ([30.0], 2))

    def test_a_probe_that_raises_ends_nothing(self) -> None:
        """A bug in a probe is a failed round; the next one comes as ever."""
        self.watch(ScriptedProbe([RuntimeError("bug"), ""])).start(0.0)
        self.clock.pump([0.0, 5.0])
        self.assertEqual([r.succeeded for _, (r,) in self.ended], [False, True])

    def test_a_listener_that_raises_ends_nothing(self) -> None:
        """A bug behind the watch is logged, and the rounds go on."""
        probe = ScriptedProbe([""])

        def broken(_: Results) -> None:
            raise ZeroDivisionError

        watch = Watch(Check(ONE, period=5.0), lambda _: probe, self.clock, broken)
        watch.start(0.0)
        self.clock.pump([0.0, 5.0])
        watch.stop()
        self.assertEqual(probe.looked, 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_stop_before_the_first_round(self) -> None:
        """Nothing is looked at after a stop during the delay."""
        probe = ScriptedProbe([""])
        watch = self.watch(probe)
        watch.start(5.0)
        watch.stop()
        self.clock.advance(60)
        self.assertEqual((probe.looked, self.ended), (0, []))

    def test_stop_between_rounds(self) -> None:
        """Nothing is looked at after a stop, and what the probe kept is released."""
        probe = ScriptedProbe([""])
        watch = self.watch(probe)
        watch.start(0.0)
        self.clock.advance(0)
        watch.stop()
        self.clock.advance(60)
        self.assertEqual((probe.looked, probe.closed), (1, 1))

    def test_stop_within_a_round(self) -> None:
        """A round under way is cancelled and never told of."""
        cancelled: list[object] = []
        watch = self.watch(ScriptedProbe([Deferred(cancelled.append)]))
        watch.start(0.0)
        self.clock.advance(0)
        watch.stop()
        self.assertEqual((len(cancelled), self.ended), (1, []))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_late_answer_after_stop(self) -> None:
        """An answer of a probe that would not be cancelled is dropped after the stop."""
        deaf = DeafDeferred()
        watch = self.watch(ScriptedProbe([deaf]))
        watch.start(0.0)
        self.clock.advance(0)
        watch.stop()
        deaf.callback(None)
        self.assertEqual(self.ended, [])

    def test_stop_from_its_own_result(self) -> None:
        """The result of a round may stop the watch."""
        watch = Watch(Check(ONE), lambda _: ScriptedProbe([""]), self.clock, lambda _: watch.stop())
        watch.start(0.0)
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_and_start_from_its_own_result(self) -> None:
        """The result of a round may begin the watch anew: one series of rounds, not two."""

        def again(_: Results) -> None:
            self.ended.append((self.clock.seconds(), ()))
            watch.stop()
            watch.start(1.0)

        watch = Watch(Check(ONE, period=5.0), lambda _: ScriptedProbe([""]), self.clock, again)
        watch.start(0.0)
        self.clock.pump([0.0, 1.0, 1.0, 1.0])
        self.assertEqual(self.times(), [0.0, 1.0, 2.0, 3.0])
        watch.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_twice_and_before_start(self) -> None:
        """Stopping what does not run does no harm."""
        watch = self.watch(ScriptedProbe([""]))
        watch.stop()
        watch.start(1.0)
        watch.stop()
        watch.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_start_again(self) -> None:
        """After a stop it starts anew with its delay and the same probes."""
        built: list[Probe] = []

        def build(spec: Probe) -> IProbe:
            built.append(spec)
            return ScriptedProbe([""])

        watch = self.watch_building(build, Check(ONE, period=5.0))
        for _ in range(3):
            watch.start(1.0)
            self.clock.pump([1.0, 5.0])
            watch.stop()
        self.assertEqual(self.times(), [1.0, 6.0, 7.0, 12.0, 13.0, 18.0])
        self.assertEqual(len(built), 1)

    def test_look_early(self) -> None:
        """Instead of after the delay or the period, not within the call; then the period counts anew."""
        probe = ScriptedProbe([""])
        watch = self.watch(probe)
        watch.start(7.0)
        self.clock.advance(1.0)
        watch.look_early()
        watch.look_early()
        self.assertEqual(probe.looked, 0)
        self.clock.pump([0.0, 5.0, 2.0])
        watch.look_early()
        self.clock.pump([0.0, 4.0, 1.0])
        self.assertEqual(self.times(), [1.0, 6.0, 8.0, 13.0])

    def test_look_early_is_no_start(self) -> None:
        """Nothing is looked at before the start and after the stop."""
        probe = ScriptedProbe([""])
        watch = self.watch(probe)
        watch.look_early()
        watch.start(0.0)
        watch.stop()
        watch.look_early()
        self.clock.advance(60)
        self.assertEqual(probe.looked, 0)

    def test_look_early_within_a_round(self) -> None:
        """A round that is under way goes on, and stays the only one."""
        slow = Deferred[None]()
        probe = ScriptedProbe([slow, ""])
        watch = self.watch(probe)
        watch.start(0.0)
        self.clock.advance(0)
        watch.look_early()
        self.clock.advance(1.0)
        self.assertEqual(probe.looked, 1)
        slow.callback(None)
        self.clock.advance(5.0)
        self.assertEqual(self.times(), [1.0, 6.0])

    def test_look_early_because_of_a_look(self) -> None:
        """What is heard in the very moment of a look is not lost, and there is one series of rounds."""

        class Hearing(ScriptedProbe):
            def check(self) -> Deferred[None]:
                if self.looked < 2:
                    watch.look_early()
                return super().check()

        watch = self.watch(Hearing([""]))
        watch.start(0.0)
        self.clock.pump([0.0, 0.0, 0.0, 5.0, 5.0])
        self.assertEqual(self.times(), [0.0, 5.0, 10.0])

    def test_probes_are_built_late(self) -> None:
        """What a probe imports delays no start: it is built at the first round."""
        built: list[Probe] = []

        def build(spec: Probe) -> IProbe:
            built.append(spec)
            return ScriptedProbe([""])

        self.watch_building(build, Check(ONE)).start(5.0)
        self.assertEqual(built, [])
        self.clock.advance(5.0)
        self.assertEqual(built, list(ONE))

    def test_a_probe_that_cannot_be_built(self) -> None:
        """A missing library is a failed round that names it, tried again at the next."""

        def build(_: Probe) -> IProbe:
            raise ImportError("No module named 'treq'")

        self.watch_building(build, Check(ONE, period=5.0)).start(0.0)
        self.clock.pump([0.0, 5.0])
        self.assertEqual([r.reason for _, (r,) in self.ended], ["cannot probe: No module named 'treq'"] * 2)

    def test_a_probe_that_cannot_be_closed(self) -> None:
        """A bug in close() is logged and keeps nothing from stopping."""

        class Sticky(ScriptedProbe):
            def close(self) -> None:
                raise ZeroDivisionError

        watch = self.watch(Sticky([""]))
        watch.start(0.0)
        self.clock.advance(0)
        watch.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        watch._probes = ()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_a_hundred_thousand_rounds(self) -> None:
        """Rounds are no nested calls, and leave nothing behind, whether they succeed, fail or raise."""
        count = [0]
        watch = Watch(
            Check(ONE, period=1.0),
            lambda _: ScriptedProbe(["", "bad", ValueError(), ""]),
            self.clock,
            lambda _: count.__setitem__(0, count[0] + 1),
        )
        watch.start(0.0)
        self.clock.pump([1.0] * 100_000)
        self.assertEqual((count[0], len(self.clock.getDelayedCalls())), (100_000, 1))
        watch.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ten_thousand_timeouts(self) -> None:
        """Rounds that end at the timeout leave neither timers nor unhandled errors behind."""
        watch = self.watch_building(lambda _: SilentProbe([""], timeout=1.0), Check(ONE, period=1.0))
        watch.start(0.0)
        self.clock.pump([1.0] * 20_000)
        self.assertEqual(len(self.ended), 10_000)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertEqual(self.flushLoggedErrors(), [])
