from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procwrap.core.health import Judgement, Streak, Verdict, judge
from procwrap.spec.probe import Check

H, D, C, U = Verdict.HEALTHY, Verdict.DEGRADED, Verdict.CONDEMNED, Verdict.UNDECIDED


def rounds(check: Check, results: str, every: float = 1.0) -> list[Judgement]:
    """Judge a series of rounds, ``+`` for success and ``-`` for failure, one every second."""
    streak, judgements = Streak(), []
    for index, result in enumerate(results):
        judgement = judge(check, streak, index * every, succeeded=result == "+")
        judgements.append(judgement)
        streak = judgement.streak
    return judgements


def verdicts(check: Check, results: str) -> list[Verdict]:
    return [judgement.verdict for judgement in rounds(check, results)]


def test_one_success_makes_healthy() -> None:
    """By default a single good round is enough."""
    assert verdicts(Check(()), "+") == [H]


def test_one_failure_degrades() -> None:
    """One failed round is enough to be no longer healthy, but not to be restarted."""
    assert verdicts(Check(()), "+-") == [H, D]


def test_threshold_condemns() -> None:
    """The process is condemned at exactly the threshold, no round sooner."""
    assert verdicts(Check((), failure_threshold=3), "---") == [D, D, C]


def test_a_threshold_of_one() -> None:
    """With a threshold of 1 the first failed round condemns."""
    assert verdicts(Check((), failure_threshold=1), "+-") == [H, C]


def test_success_begins_the_count_anew() -> None:
    """Only failures in a row count."""
    assert verdicts(Check((), failure_threshold=3), "--+--+---") == [D, D, H, D, D, H, D, D, C]


def test_restart_on_failure_off() -> None:
    """A process that is to be left alone is never condemned, however long it fails; the count goes on."""
    judged = rounds(Check((), restart_on_failure=False), "-" * 10)
    assert {judgement.verdict for judgement in judged} == {D}
    assert judged[-1].streak.failures == 10


def test_success_threshold() -> None:
    """With a success threshold, fewer good rounds leave things as they are."""
    assert verdicts(Check((), success_threshold=3), "++-+++") == [U, U, D, U, U, H]


def test_startup_deadline_forgives() -> None:
    """Until it was healthy for the first time, failures within the deadline do not count."""
    judged = rounds(Check((), failure_threshold=2, startup_deadline=3.0), "-----")
    assert [judgement.counted for judgement in judged] == [False, False, False, True, True]
    assert [judgement.streak.failures for judgement in judged] == [0, 0, 0, 1, 2]
    assert [judgement.verdict for judgement in judged] == [D, D, D, D, C]


def test_startup_deadline_ends_with_the_first_health() -> None:
    """Once healthy, a process has no more excuse, even within its deadline."""
    judged = rounds(Check((), failure_threshold=2, startup_deadline=60.0), "-+--")
    assert [judgement.counted for judgement in judged] == [False, True, True, True]
    assert judged[-1].verdict is C


def test_a_success_below_the_threshold_is_not_health_yet() -> None:
    """The deadline still forgives after a success that was not yet enough."""
    check = Check((), success_threshold=2, failure_threshold=1, startup_deadline=60.0)
    assert verdicts(check, "+-") == [U, D]


def test_no_deadline_forgives_nothing() -> None:
    """Without a deadline the very first round counts, even at the moment of the start."""
    assert rounds(Check((), failure_threshold=1), "-")[0].verdict is C


def test_an_excused_failure_does_not_count() -> None:
    """A process that asks for patience is not healthy, and the count neither grows nor begins anew."""
    check = Check((), failure_threshold=3)
    before = rounds(check, "+--")[-1].streak
    judgement = judge(check, before, 99.0, succeeded=False, excused=True)
    assert (judgement.verdict, judgement.counted, judgement.streak.failures) == (D, False, 2)
    assert judge(check, judgement.streak, 100.0, succeeded=False).verdict is C
    assert judge(check, judgement.streak, 100.0, succeeded=True).recovered


def test_recovery_is_noticed_once() -> None:
    """The first success after a failure is a recovery, also after one that did not count."""
    judged = rounds(Check((), startup_deadline=1.0), "-++-+")
    assert [judgement.recovered for judgement in judged] == [False, True, False, False, True]


@given(
    st.text("+-", max_size=60),
    st.integers(1, 5),
    st.integers(1, 3),
    st.floats(0, 30),
    st.booleans(),
)
def test_any_series(results: str, failures: int, successes: int, deadline: float, restart: bool) -> None:
    """Condemned means exactly: as many counted failures in a row as the threshold says."""
    check = Check(
        (),
        failure_threshold=failures,
        success_threshold=successes,
        startup_deadline=deadline,
        restart_on_failure=restart,
    )
    in_row = 0
    for result, judgement in zip(results, rounds(check, results), strict=True):
        failed = result == "-"
        in_row = in_row + 1 if failed and judgement.counted else 0
        assert judgement.streak.failures == in_row
        assert (judgement.verdict is C) == (restart and failed and judgement.counted and in_row >= failures)
        assert failed == (judgement.verdict in (C, D))


def test_a_healthy_process_may_fail_a_few_rounds() -> None:
    """It becomes unhealthy after so many bad rounds in a row; before it was healthy, at once."""
    check = Check((), unhealthy_threshold=3, restart_on_failure=False)
    before = Streak(was_healthy=True)
    verdicts = []
    for succeeded in (False, False, True, False, False, False, False):
        judgement = judge(check, before, 100.0, succeeded=succeeded)
        before = judgement.streak
        verdicts.append(judgement.verdict.name)
    assert verdicts == ["UNDECIDED", "UNDECIDED", "HEALTHY", "UNDECIDED", "UNDECIDED", "DEGRADED", "DEGRADED"]
    assert judge(check, Streak(), 100.0, succeeded=False).verdict is Verdict.DEGRADED
