from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import Event, RoundEnded
from procwrap.core.lifecycle import Input
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.checkup import Checkup
from procwrap.spec.probe import Check, FileProbe, NotifyProbe, Probe
from procwrap.spec.process import ProcessSpec
from tests.support.probes import Answer, ScriptedProbe


def check(
    path: str, *, delay: float = 0.0, period: float = 1.0, failures: int = 3, deadline: float = 0
) -> Check:
    """A check of one scripted probe that goes by the name ``path``."""
    return Check(
        (FileProbe(path),), delay=delay, period=period, failure_threshold=failures, startup_deadline=deadline
    )


class CheckupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[RoundEnded] = []
        self.happened: list[tuple[float, Input, str]] = []
        self.probes: dict[str, ScriptedProbe] = {}
        self.on_tell: Callable[[], object] = lambda: None
        self.on_happen: Callable[[], object] = lambda: None

    def checkup(self, answers: dict[str, list[Answer]] | None = None, **checks: Check) -> Checkup:
        """A checkup of a process; it is stopped at the end and must leave nothing behind."""

        def build(spec: Probe) -> IProbe:
            assert isinstance(spec, FileProbe)
            script = (answers or {}).get(spec.path, [""])
            self.probes[spec.path] = ScriptedProbe(script, target=spec.path)
            return self.probes[spec.path]

        process = ProcessSpec("api", "/bin/api", **checks)
        made = Checkup(process, build, self.clock, lambda: 1e9 + self.clock.seconds(), self.tell, self.happen)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(made.stop)
        return made

    def tell(self, event: Event) -> None:
        assert isinstance(event, RoundEnded)
        self.told.append(event)
        self.on_tell()

    def happen(self, happened: Input, reason: str) -> None:
        self.happened.append((self.clock.seconds(), happened, reason))
        self.on_happen()

    def inputs(self) -> list[Input]:
        return [happened for _, happened, _ in self.happened]

    def run_for(self, rounds: int) -> None:
        self.clock.pump([0.0] + [1.0] * (rounds - 1))

    def test_without_checks(self) -> None:
        """A process without probes is healthy as soon as it runs."""
        self.checkup().start()
        self.assertEqual(self.inputs(), [Input.HEALTHY])

    def test_readiness_succeeds(self) -> None:
        """The process is healthy with the first good round, not sooner."""
        self.checkup(readiness=check("r", delay=5.0)).start()
        self.clock.advance(4.9)
        self.assertEqual(self.inputs(), [])
        self.clock.advance(0.1)
        self.assertEqual(self.happened, [(5.0, Input.HEALTHY, "")])

    def test_readiness_fails_and_recovers(self) -> None:
        """One failed round degrades, with the reason; the next good one heals."""
        self.checkup({"r": ["", "r: 503", ""]}, readiness=check("r")).start()
        self.run_for(3)
        self.assertEqual(
            self.happened,
            [(0.0, Input.HEALTHY, ""), (1.0, Input.DEGRADED, "r: 503"), (2.0, Input.HEALTHY, "")],
        )

    def test_readiness_condemns(self) -> None:
        """At the threshold the process is condemned with a reason that says how often; then silence."""
        self.checkup({"r": ["r: 503"]}, readiness=check("r")).start()
        self.run_for(60)
        self.assertEqual(self.inputs(), [Input.DEGRADED, Input.DEGRADED, Input.CONDEMNED])
        self.assertEqual(self.happened[-1][2], "readiness failed 3 times in a row: r: 503")
        self.assertEqual(len(self.told), 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_two_failing_probes_are_one_failed_round(self) -> None:
        """Two failing probes of a round count once (process-wrapper restarts after two rounds)."""
        both = Check((FileProbe("a"), FileProbe("b")), delay=0.0, period=1.0, failure_threshold=3)
        self.checkup({"a": ["a: no"], "b": ["b: no"]}, readiness=both).start()
        self.run_for(2)
        self.assertEqual(self.inputs(), [Input.DEGRADED, Input.DEGRADED])
        self.assertEqual(self.happened[-1][2], "a: no; b: no")

    def test_one_of_two_probes_fails(self) -> None:
        """All probes have to succeed; the reason names those that did not."""
        both = Check((FileProbe("a"), FileProbe("b")), delay=0.0)
        self.checkup({"b": ["b: no"]}, readiness=both).start()
        self.run_for(1)
        self.assertEqual(self.happened, [(0.0, Input.DEGRADED, "b: no")])

    def test_event_of_a_round(self) -> None:
        """Every round is told of, with its results, its count and its recovery."""
        self.checkup({"r": ["r: 503", ""]}, readiness=check("r")).start()
        self.run_for(2)
        first, second = self.told
        self.assertEqual((first.name, first.check, first.wall), ("api", "readiness", 1e9))
        self.assertEqual((first.failures, first.threshold, first.counted), (1, 3, True))
        self.assertEqual((first.reason, first.recovered), ("r: 503", False))
        self.assertEqual((second.failures, second.succeeded, second.recovered), (0, True, True))

    def test_startup_deadline(self) -> None:
        """Within the deadline of its start a process may fail without being condemned."""
        self.checkup({"r": ["no"]}, readiness=check("r", failures=2, deadline=10.0)).start()
        self.run_for(13)
        self.assertEqual(self.happened[-1][:2], (11.0, Input.CONDEMNED))
        self.assertEqual([event.counted for event in self.told], [False] * 10 + [True] * 2)

    def test_liveness_has_no_effect_on_readiness(self) -> None:
        """Failed liveness rounds do not degrade; at the threshold they condemn."""
        self.checkup({"l": ["", "no"]}, liveness=check("l")).start()
        self.run_for(60)
        self.assertEqual(self.inputs(), [Input.HEALTHY, Input.CONDEMNED])
        self.assertEqual(self.happened[-1][2], "liveness failed 3 times in a row: no")

    def test_liveness_condemns_beside_readiness(self) -> None:
        """A process that is ready is condemned all the same, and readiness is no longer looked at."""
        self.checkup({"l": ["no"]}, liveness=check("l", failures=1), readiness=check("r", period=0.1)).start()
        self.clock.pump([0.0, 0.1, 0.1])
        self.assertEqual(self.inputs(), [Input.CONDEMNED])
        self.assertEqual(self.happened[-1][2], "liveness failed once: no")

    def test_the_others_wait_for_startup(self) -> None:
        """Neither readiness nor liveness looks before startup has succeeded; then startup looks no more."""
        self.checkup(
            {"s": ["no", "no", ""]}, startup=check("s"), readiness=check("r"), liveness=check("l")
        ).start()
        self.run_for(2)
        self.assertEqual((set(self.probes), self.inputs()), ({"s"}, []))
        self.run_for(4)
        self.assertEqual((self.probes["s"].looked, self.probes["s"].closed), (3, 1))
        self.assertGreater(min(self.probes["r"].looked, self.probes["l"].looked), 0)
        self.assertEqual(self.inputs()[0], Input.HEALTHY)

    def test_startup_without_readiness(self) -> None:
        """Without a readiness check the process is healthy when startup has succeeded."""
        self.checkup({"s": ["no", ""]}, startup=check("s")).start()
        self.run_for(5)
        self.assertEqual(self.happened, [(1.0, Input.HEALTHY, "")])

    def test_startup_condemns(self) -> None:
        """A process that does not start up in time is condemned; the others never looked."""
        self.checkup({"s": ["no"]}, startup=check("s", failures=2), readiness=check("r")).start()
        self.run_for(10)
        self.assertEqual(self.inputs(), [Input.CONDEMNED])
        self.assertEqual((self.happened[0][0], set(self.probes)), (1.0, {"s"}))

    def test_delays_count_from_the_start(self) -> None:
        """After startup the others look when their delay is over, or at once when it has been."""
        self.checkup(
            {"s": ["no", "no", ""]},
            startup=check("s"),
            readiness=check("r", delay=1.0),
            liveness=check("l", delay=4.0),
        ).start()
        self.clock.pump([0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
        seen = [(event.check, event.wall - 1e9) for event in self.told if event.check != "startup"]
        self.assertEqual(seen[0], ("readiness", 2.0))
        self.assertIn(("liveness", 4.0), seen)
        self.assertNotIn(("liveness", 3.0), seen)

    def test_start_begins_anew(self) -> None:
        """A restart forgets all failures: the full threshold applies again."""
        checkup = self.checkup({"r": ["no"]}, readiness=check("r"))
        for _ in range(5):
            checkup.start()
            self.run_for(2)
        self.assertEqual(set(self.inputs()), {Input.DEGRADED})
        self.run_for(2)
        self.assertEqual(self.inputs()[-1], Input.CONDEMNED)

    def test_start_after_condemned(self) -> None:
        """Checks run again after the restart they caused."""
        checkup = self.checkup({"r": ["no"]}, readiness=check("r", failures=1))
        for _ in range(3):
            checkup.start()
            self.run_for(3)
        self.assertEqual(self.inputs(), [Input.CONDEMNED] * 3)

    def test_stop_silences(self) -> None:
        """After stop() nothing is told and nothing happens, even if a probe answers late."""
        answer = Deferred[None]()
        checkup = self.checkup({"r": [answer]}, readiness=check("r"), liveness=check("l"))
        checkup.start()
        self.run_for(1)
        told = len(self.told)
        checkup.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(60)
        self.assertEqual((len(self.told), self.happened), (told, []))

    def test_stop_while_told(self) -> None:
        """Who is told of a round may stop the checks: what would have followed does not happen."""
        checkup = self.checkup({"r": ["no"]}, readiness=check("r", failures=1))
        self.on_tell = checkup.stop
        checkup.start()
        self.run_for(10)
        self.assertEqual((len(self.told), self.happened), (1, []))

    def test_restart_while_told(self) -> None:
        """A run that began while a round of the last one was told of does not get its verdict."""
        checkup = self.checkup({"r": ["no", ""]}, readiness=check("r", failures=1))
        self.on_tell = lambda: checkup.start() if len(self.told) == 1 else None
        checkup.start()
        self.run_for(3)
        self.assertEqual(set(self.inputs()), {Input.HEALTHY})

    def test_stop_when_healthy_at_once(self) -> None:
        """What happens may stop the checks, also from within start()."""
        checkup = self.checkup(liveness=check("l"))
        self.on_happen = checkup.stop
        checkup.start()
        self.run_for(10)
        self.assertEqual((self.told, self.inputs()), ([], [Input.HEALTHY]))

    def test_restart_on_failure_off(self) -> None:
        """A process that is to be left alone stays unhealthy, and heals by itself."""
        alone = Check((FileProbe("r"),), delay=0.0, period=1.0, restart_on_failure=False)
        self.checkup({"r": ["no"] * 20 + [""]}, readiness=alone).start()
        self.run_for(21)
        self.assertEqual(self.inputs(), [Input.DEGRADED] * 20 + [Input.HEALTHY])

    def notified(self, **checks: Check) -> Checkup:
        """A checkup of a process with notify probes, all of which succeed."""
        process = ProcessSpec("api", "/bin/api", **checks)
        probe = ScriptedProbe([""])
        made = Checkup(process, lambda spec: probe, self.clock, lambda: 1e9, self.tell, self.happen)
        self.addCleanup(made.stop)
        return made

    def test_look_early(self) -> None:
        """A check that only listens looks as soon as something was said, the others when they are due."""
        only = Check((NotifyProbe(),), delay=5.0)
        mixed = Check((NotifyProbe(), FileProbe("/x")), delay=5.0)
        checkup = self.notified(readiness=only, liveness=mixed)
        checkup.start()
        self.clock.advance(1.0)
        checkup.look_early()
        self.clock.advance(0.0)
        self.assertEqual([event.check for event in self.told], ["readiness"])
        self.assertEqual(self.happened, [(1.0, Input.HEALTHY, "")])

    def test_heard_during_startup(self) -> None:
        """What was said while startup was looking is looked at without a delay; a new run begins with it."""
        checkup = self.notified(startup=Check((NotifyProbe(),)), readiness=Check((NotifyProbe(),), delay=5.0))
        for began in (0.0, 7.0):
            checkup.start()
            self.clock.advance(1.0)
            checkup.look_early()
            self.clock.pump([0.0, 0.0])
            self.assertEqual(self.happened[-1], (began + 1.0, Input.HEALTHY, ""))
            self.clock.advance(6.0)
        checkup.stop()
        checkup.look_early()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_excused_failures(self) -> None:
        """They are told and make it unhealthy, and never condemn it; one that is not excused counts."""
        script: list[Answer] = [fail(ProbeError("busy", excused=True)) for _ in range(5)]
        self.checkup({"/r": [*script, "bad"]}, readiness=check("/r", failures=2)).start()
        self.run_for(6)
        self.assertEqual(self.inputs(), [Input.DEGRADED] * 6)
        self.assertEqual([event.counted for event in self.told], [False] * 5 + [True])
        self.clock.advance(1.0)
        self.assertEqual(self.inputs()[-1], Input.CONDEMNED)

    def test_one_transient_failure_is_forgotten(self) -> None:
        """One failed round among good ones never keeps a process from being healthy."""
        self.checkup({"r": ["no", ""]}, readiness=check("r")).start()
        self.run_for(2)
        self.assertEqual(self.inputs(), [Input.DEGRADED, Input.HEALTHY])
