"""What the rounds of one check amount to: streaks of results become a verdict."""

from __future__ import annotations

import enum

from attrs import evolve, frozen

from procwrap.spec.probe import Check


class Verdict(enum.Enum):
    """What follows from a round."""

    UNDECIDED = "undecided"
    """It succeeded or failed, but not yet often enough in a row."""
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    CONDEMNED = "condemned"


@frozen
class Streak:
    """How the rounds of one check have ended since the process was started.

    Attributes:
        failures: failed rounds in a row that count.
        successes: rounds in a row that succeeded.
        last_failed: the last round failed, whether or not it counts.
        was_healthy: the check has been healthy at least once.
    """

    failures: int = 0
    successes: int = 0
    last_failed: bool = False
    was_healthy: bool = False


@frozen
class Judgement:
    """What one more round means.

    Attributes:
        streak: what to remember until the next round.
        counted: False for a failed round while the process may still take its time to start, or has asked
            for patience.
        recovered: the round succeeded after one that failed.
    """

    streak: Streak
    verdict: Verdict
    counted: bool = True
    recovered: bool = False


def judge(check: Check, before: Streak, age: float, *, succeeded: bool, excused: bool = False) -> Judgement:
    """Decide what a round means.

    Args:
        check: the thresholds and the startup deadline.
        before: the streak up to this round.
        age: seconds from the start of the process to the end of the round.
        succeeded: whether every probe of the round succeeded.
        excused: whether those that failed did so because the process needs the time it has asked for.
    """
    if succeeded:
        return _success(check, before)
    return _excused(before) if excused else _failure(check, before, age)


def _success(check: Check, before: Streak) -> Judgement:
    successes = before.successes + 1
    healthy = successes >= check.success_threshold
    return Judgement(
        Streak(successes=successes, was_healthy=before.was_healthy or healthy),
        Verdict.HEALTHY if healthy else Verdict.UNDECIDED,
        recovered=before.last_failed,
    )


def _excused(before: Streak) -> Judgement:
    streak = evolve(before, successes=0, last_failed=True)
    return Judgement(streak, Verdict.DEGRADED, counted=False)


def _failure(check: Check, before: Streak, age: float) -> Judgement:
    counted = before.was_healthy or age >= check.startup_deadline
    failures = before.failures + 1 if counted else 0
    streak = Streak(failures=failures, last_failed=True, was_healthy=before.was_healthy)
    if counted and check.restart_on_failure and failures >= check.failure_threshold:
        return Judgement(streak, Verdict.CONDEMNED)
    forgiven = before.was_healthy and failures < check.unhealthy_threshold
    return Judgement(streak, Verdict.UNDECIDED if forgiven else Verdict.DEGRADED, counted=counted)
