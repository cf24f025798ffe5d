"""What the end of a process leads to: again (and after how long), over, or given up."""

from __future__ import annotations

import enum
from collections import deque

from attrs import define, field, frozen

from procwrap.core.events import End, RestartCause
from procwrap.core.lifecycle import Input
from procwrap.spec.process import AfterTooMany, Backoff, Restart, RestartPolicy


class Aim(enum.Enum):
    """What we wanted from the process when it ended."""

    RUN = "run"
    RESTART = "restart"
    FREE_MEMORY = "free memory"
    REGAIN = "regain"
    STOP = "stop"


_FAILED = frozenset({Aim.RESTART, Aim.FREE_MEMORY})
"""What was ended because of its probes or its size has failed, whatever code it left with."""


@frozen
class Judgement:
    """What follows.

    Attributes:
        happened: the input for the lifecycle table.
        success: whether this end counts as success.
        delay: seconds until the next start; only for Input.AGAIN.
        cause: why it is started again; only for Input.AGAIN.
        ends_all: the whole is over because of it.
        reason: for people.
    """

    happened: Input
    success: bool
    reason: str
    delay: float = 0.0
    cause: RestartCause = RestartCause.EXIT
    ends_all: bool = False


@define(eq=False)
class Judge:
    """Remembers the restarts of one process as far as its policy needs; bounded by ``limit.count``."""

    _restart: Restart
    _stop_signal: int
    _in_row: int = 0
    _times: deque[float] = field(factory=deque)

    def adjust(self, restart: Restart, stop_signal: int) -> None:
        """Judge by these from now on; what is remembered counts as before."""
        self._restart, self._stop_signal = restart, stop_signal

    def judge(self, end: End, aim: Aim, ran_for: float, now: float) -> Judgement:
        """Decide what follows an end.

        Args:
            end: how it ended; one with a ``reason`` could not be started.
            aim: what we wanted from it at that moment.
            ran_for: seconds from its start to its end, 0.0 when it could not be started.
            now: monotonic seconds.
        """
        success = self._is_success(end, aim)
        if aim is Aim.STOP:
            return Judgement(Input.ENDED_AS_ASKED, success, f"stopped: {end}")
        if self._restart.vital:
            return self._over(end, success, f"vital process: {end}", ends_all=True)
        if not self._wants_again(success, aim):
            return self._over(end, success, str(end), ends_all=self._restart.main)
        return self._again(end, aim, success, ran_for, now)

    def _is_success(self, end: End, aim: Aim) -> bool:
        if end.reason or aim in _FAILED:
            return False
        if aim is Aim.STOP and end.exit_code in (128 + self._stop_signal, 0):
            return True
        return end.exit_code in self._restart.success_exit_codes

    def _wants_again(self, success: bool, aim: Aim) -> bool:
        policy = self._restart.policy
        if policy is RestartPolicy.ON_FAILURE:
            return not success or aim is not Aim.RUN
        return policy is RestartPolicy.ALWAYS

    @staticmethod
    def _over(end: End, success: bool, reason: str, *, ends_all: bool) -> Judgement:
        happened = Input.GIVEN_UP if end.reason else Input.OVER
        return Judgement(happened, success, reason, ends_all=ends_all)

    def _again(self, end: End, aim: Aim, success: bool, ran_for: float, now: float) -> Judgement:
        if aim is Aim.REGAIN:
            # No fault of its own, and the permit that it has to get again is pause enough.
            return Judgement(Input.AGAIN, success, str(end), 0.0, _cause(end, aim))
        limit = self._restart.limit
        if limit is not None:
            while self._times and now - self._times[0] > limit.period:
                self._times.popleft()
            if len(self._times) >= limit.count:
                reason = f"given up after {limit.count} restarts within {limit.period:g}s: {end}"
                ends_all = limit.then is AfterTooMany.EXIT or self._restart.main
                return Judgement(Input.GIVEN_UP, success, reason, ends_all=ends_all)
            self._times.append(now)
        return Judgement(Input.AGAIN, success, str(end), self._delay(ran_for), _cause(end, aim))

    def _delay(self, ran_for: float) -> float:
        if ran_for > self._restart.backoff.reset:
            self._in_row = 0
            return 0.0
        delay = backoff(self._restart.backoff, self._in_row)
        self._in_row += 1
        return delay


def backoff(asked: Backoff, attempt: int) -> float:
    """Return the pause before restart number ``attempt`` (from 0) of a series, in seconds."""
    # 2.0 ** 1024 overflows; long before that the maximum is reached.
    return min(asked.maximum, asked.initial * 2.0 ** min(attempt, 64))


def _cause(end: End, aim: Aim) -> RestartCause:
    if end.reason:
        return RestartCause.CANNOT_START
    return _CAUSES.get(aim, RestartCause.EXIT)


_CAUSES = {
    Aim.RESTART: RestartCause.PROBE,
    Aim.FREE_MEMORY: RestartCause.OOM,
    Aim.REGAIN: RestartCause.LOCK,
}
