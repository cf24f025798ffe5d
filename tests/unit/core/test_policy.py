from __future__ import annotations

import pytest

from procwrap.core.events import End, RestartCause
from procwrap.core.lifecycle import Input
from procwrap.core.policy import Aim, Judge, Judgement, backoff
from procwrap.spec.process import AfterTooMany, Backoff, MaxRestarts, Restart, RestartPolicy

DONE = End(code=0)
FAILED = End(code=3)
TERMINATED = End(signal=15)
MISSING = End(code=127, reason="cannot execute api: no such file")


def judged(
    restart: Restart, end: End, aim: Aim = Aim.RUN, ran_for: float = 1.0, stop_signal: int = 15
) -> Judgement:
    return Judge(restart, stop_signal).judge(end, aim, ran_for, now=100.0)


@pytest.mark.parametrize(
    ("policy", "end", "expected"),
    [
        (RestartPolicy.ALWAYS, DONE, Input.AGAIN),
        (RestartPolicy.ALWAYS, FAILED, Input.AGAIN),
        (RestartPolicy.ALWAYS, MISSING, Input.AGAIN),
        (RestartPolicy.ON_FAILURE, DONE, Input.OVER),
        (RestartPolicy.ON_FAILURE, FAILED, Input.AGAIN),
        (RestartPolicy.ON_FAILURE, TERMINATED, Input.AGAIN),
        (RestartPolicy.NEVER, DONE, Input.OVER),
        (RestartPolicy.NEVER, FAILED, Input.OVER),
        (RestartPolicy.NEVER, MISSING, Input.GIVEN_UP),
    ],
)
def test_the_policy_decides_about_an_exit(policy: RestartPolicy, end: End, expected: Input) -> None:
    """always, onFailure and never mean what they say; what cannot be started and is not retried: failed."""
    assert judged(Restart(policy), end).happened is expected


@pytest.mark.parametrize(
    ("aim", "cause"), [(Aim.RESTART, RestartCause.PROBE), (Aim.FREE_MEMORY, RestartCause.OOM)]
)
def test_a_process_that_we_ended_has_failed_whatever_its_code(aim: Aim, cause: RestartCause) -> None:
    """OnFailure restarts what was unhealthy or too large, even if it left with 0; never does not."""
    judgement = judged(Restart(RestartPolicy.ON_FAILURE), DONE, aim)
    assert (judgement.happened, judgement.cause) == (Input.AGAIN, cause)
    final = judged(Restart(RestartPolicy.NEVER), DONE, aim)
    assert (final.happened, final.success) == (Input.OVER, False)


@pytest.mark.parametrize(
    ("end", "stop_signal", "success"),
    [(TERMINATED, 15, True), (End(signal=9), 15, False), (End(signal=3), 3, True), (End(code=143), 15, True)],
)
def test_ending_by_the_stop_signal_we_sent_is_success(end: End, stop_signal: int, success: bool) -> None:
    """A cleanly stopped process does not fail its Job; one that had to be killed does not count as clean."""
    judgement = judged(Restart(), end, Aim.STOP, stop_signal=stop_signal)
    assert (judgement.happened, judgement.success) == (Input.ENDED_AS_ASKED, success)


def test_the_same_signal_from_somebody_else_is_a_failure() -> None:
    """143 is only success when we asked for it."""
    assert not judged(Restart(), TERMINATED).success


def test_further_exit_codes_can_count_as_success() -> None:
    """successExitCodes: [0, 3] with onFailure does not restart after 3."""
    restart = Restart(RestartPolicy.ON_FAILURE, success_exit_codes=frozenset({0, 3}))
    assert judged(restart, FAILED).happened is Input.OVER


def test_the_end_of_a_vital_process_ends_all_also_under_always() -> None:
    """Vital beats the restart policy."""
    judgement = judged(Restart(RestartPolicy.ALWAYS, vital=True), DONE)
    assert (judgement.happened, judgement.ends_all) == (Input.OVER, True)


def test_the_main_process_ends_all_only_when_it_ends_for_good() -> None:
    """A main process that is restarted keeps the rest running."""
    assert not judged(Restart(RestartPolicy.ALWAYS, main=True), FAILED).ends_all
    assert judged(Restart(RestartPolicy.NEVER, main=True), FAILED).ends_all


def test_a_stop_that_we_asked_for_never_ends_all() -> None:
    """Stopping a vital process as part of the shutdown starts no second end."""
    assert not judged(Restart(vital=True, main=True), TERMINATED, Aim.STOP).ends_all


def test_the_delay_doubles_to_its_maximum() -> None:
    """1 s, 2 s, 4 s … 60 s, and no overflow after a year of crashes."""
    asked = Backoff()
    assert [backoff(asked, attempt) for attempt in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(asked, 1_000_000) == 60


def test_a_long_run_is_restarted_at_once_and_begins_a_new_series() -> None:
    """What ran longer than `reset` has no delay, and its next crash the initial one."""
    judge = Judge(Restart(), 15)
    delays = [
        judge.judge(FAILED, Aim.RUN, ran_for, 0.0).delay for ran_for in (1.0, 1.0, 60.0, 60.1, 1.0, 1.0)
    ]
    assert delays == [1, 2, 4, 0, 1, 2]


def test_too_many_restarts_give_up() -> None:
    """The restart that would be one too many within the period is not made."""
    judge = Judge(Restart(limit=MaxRestarts(count=2, period=10.0)), 15)
    happened = [judge.judge(FAILED, Aim.RUN, 1.0, now).happened for now in (0.0, 5.0, 9.0)]
    assert happened == [Input.AGAIN, Input.AGAIN, Input.GIVEN_UP]


def test_restarts_outside_the_period_are_forgotten() -> None:
    """MaxRestarts counts a sliding window."""
    judge = Judge(Restart(limit=MaxRestarts(count=1, period=10.0)), 15)
    happened = [judge.judge(FAILED, Aim.RUN, 1.0, now).happened for now in (0.0, 10.5, 21.0)]
    assert happened == [Input.AGAIN] * 3


@pytest.mark.parametrize(
    ("then", "main", "ends_all"),
    [
        (AfterTooMany.IGNORE, False, False),
        (AfterTooMany.EXIT, False, True),
        (AfterTooMany.IGNORE, True, True),
    ],
)
def test_what_giving_up_leads_to(then: AfterTooMany, main: bool, ends_all: bool) -> None:
    """then: exit ends the whole; so does giving up the main process."""
    restart = Restart(limit=MaxRestarts(count=0, then=then), main=main)
    assert judged(restart, FAILED).ends_all is ends_all


def test_the_memory_of_restarts_is_bounded() -> None:
    """A process that is restarted 10,000 times costs no more than one that was restarted five times."""
    judge = Judge(Restart(limit=MaxRestarts(count=5, period=1.0)), 15)
    for attempt in range(10_000):
        judge.judge(FAILED, Aim.RUN, 1.0, float(attempt))
    assert len(judge._times) <= 5


@pytest.mark.parametrize("policy", [RestartPolicy.ALWAYS, RestartPolicy.ON_FAILURE])
def test_a_lost_lock_is_no_fault_of_the_process(policy: RestartPolicy) -> None:
    """It asks again at once, however often that happens: neither backoff nor maxRestarts count it."""
    judge = Judge(Restart(policy, limit=MaxRestarts(1, 300.0)), 15)
    for now in range(10):
        answer = judge.judge(End(signal=9), Aim.REGAIN, 1.0, float(now))
        assert (answer.happened, answer.delay, answer.cause) == (Input.AGAIN, 0.0, RestartCause.LOCK)


def test_never_means_never_when_the_lock_is_lost() -> None:
    """What may run once only is not run again."""
    assert judged(Restart(RestartPolicy.NEVER), End(signal=9), Aim.REGAIN).happened is Input.OVER
