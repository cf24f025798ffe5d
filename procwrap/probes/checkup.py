"""The checks of one process: startup first, then readiness and liveness, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from procwrap.core.events import Event, RoundEnded
from procwrap.core.health import Judgement, Streak, Verdict, judge
from procwrap.core.lifecycle import Input
from procwrap.interfaces import IProbe
from procwrap.probes.watch import Results, Watch
from procwrap.spec.probe import Check, NotifyProbe, Probe
from procwrap.spec.process import ProcessSpec

STARTUP, READINESS, LIVENESS = "startup", "readiness", "liveness"


@define(eq=False)
class Checkup:
    """Runs the checks of one process between start() and stop(); after stop() nothing is called back.

    Attributes:
        build: makes a probe, at once or later; called at the first round that needs it.
        wall: seconds since the epoch.
        tell: takes the event of every round that has ended.
        happen: takes HEALTHY, DEGRADED and CONDEMNED with the reason; the last ends all checks.
    """

    _process: ProcessSpec
    _build: Callable[[Probe], IProbe | Deferred[IProbe]]
    _clock: IReactorTime
    _wall: Callable[[], float]
    _tell: Callable[[Event], None]
    _happen: Callable[[Input, str], None]
    _started_at: float = 0.0
    _was_told: bool = False
    _checks: dict[str, Check] = field(init=False)
    _watches: dict[str, Watch] = field(init=False)
    _streaks: dict[str, Streak] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        asked = {
            STARTUP: self._process.startup,
            READINESS: self._process.readiness,
            LIVENESS: self._process.liveness,
        }
        self._checks = {name: check for name, check in asked.items() if check is not None}
        self._watches = {name: self._watch(name, check) for name, check in self._checks.items()}

    def _watch(self, name: str, check: Check) -> Watch:
        return Watch(check, self._build, self._clock, lambda results: self._round_ended(name, results))

    def start(self) -> None:
        """Begin anew: the process has been spawned. Without checks to wait for it is healthy at once."""
        self.stop()
        self._started_at = self._clock.seconds()
        self._was_told = False
        self._streaks = {name: Streak() for name in self._checks}
        if STARTUP in self._checks:
            self._begin(STARTUP)
        else:
            self._begin_the_others()

    def stop(self) -> None:
        """Cancel every timer and every round."""
        # A new dict, so that a round that is being told of right now sees that its run is over.
        self._streaks = {}
        for watch in self._watches.values():
            watch.stop()

    def look_early(self) -> None:
        """Look now: the process has said something about itself that notify probes need not wait for.

        Checks with other probes keep their rounds: those are not to be asked before they are due.
        """
        self._was_told = True
        for name, watch in self._watches.items():
            if _only_listens(self._checks[name]):
                watch.look_early()

    def _begin(self, name: str) -> None:
        age = self._clock.seconds() - self._started_at
        delay = max(0.0, self._checks[name].delay - age)
        self._watches[name].start(0.0 if self._was_told and _only_listens(self._checks[name]) else delay)

    def _begin_the_others(self) -> None:
        if LIVENESS in self._checks:
            self._begin(LIVENESS)
        if READINESS in self._checks:
            self._begin(READINESS)
        else:
            self._happen(Input.HEALTHY, "")

    def _round_ended(self, name: str, results: Results) -> None:
        streaks, check = self._streaks, self._checks[name]
        succeeded = all(result.succeeded for result in results)
        excused = all(result.succeeded or result.excused for result in results)
        age = self._clock.seconds() - self._started_at
        judgement = judge(check, streaks[name], age, succeeded=succeeded, excused=excused)
        streaks[name] = judgement.streak
        event = RoundEnded(
            name=self._process.name,
            check=name,
            results=results,
            failures=judgement.streak.failures,
            threshold=check.failure_threshold,
            counted=judgement.counted,
            recovered=judgement.recovered,
            wall=self._wall(),
        )
        self._tell(event)
        if self._streaks is streaks:
            self._conclude(name, judgement, event.reason)

    def _conclude(self, name: str, judgement: Judgement, reason: str) -> None:
        verdict = judgement.verdict
        if verdict is Verdict.CONDEMNED:
            self.stop()
            self._happen(Input.CONDEMNED, f"{name} failed {_times(judgement.streak.failures)}: {reason}")
        elif name == STARTUP and verdict is Verdict.HEALTHY:
            self._watches[STARTUP].stop()
            self._begin_the_others()
        elif name == READINESS and verdict is Verdict.HEALTHY:
            self._happen(Input.HEALTHY, "")
        elif name == READINESS and verdict is Verdict.DEGRADED:
            self._happen(Input.DEGRADED, reason)


def _only_listens(check: Check) -> bool:
    return all(isinstance(probe, NotifyProbe) for probe in check.probes)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row"
