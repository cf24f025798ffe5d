from __future__ import annotations

import pytest

from procwrap.core.lifecycle import State
from procwrap.core.needs import Answer, permission
from procwrap.core.snapshot import ProcessView
from procwrap.spec.process import Condition, Dependency


def answer(condition: Condition, view: ProcessView) -> Answer:
    return permission([Dependency("db", condition)], {"db": view}).answer


@pytest.mark.parametrize(
    ("condition", "state", "expected"),
    [
        (Condition.STARTED, State.WAITING, Answer.NOT_YET),
        (Condition.READY, State.STARTING, Answer.NOT_YET),
        (Condition.READY, State.RUNNING, Answer.YES),
        (Condition.READY, State.UNHEALTHY, Answer.NOT_YET),
        (Condition.READY, State.BACKOFF, Answer.NOT_YET),
        (Condition.READY, State.STOPPED, Answer.NOT_YET),
        (Condition.READY, State.FAILED, Answer.NEVER),
        (Condition.READY, State.SKIPPED, Answer.NEVER),
        (Condition.COMPLETED, State.RUNNING, Answer.NOT_YET),
        (Condition.COMPLETED, State.EXITED, Answer.YES),
        (Condition.COMPLETED, State.FAILED, Answer.NEVER),
    ],
)
def test_a_process_starts_when_its_dependency_has_got_there(
    condition: Condition, state: State, expected: Answer
) -> None:
    """It waits while that is possible, and is told when it is not any more."""
    assert answer(condition, ProcessView("db", state)) is expected


def test_started_is_reached_by_whatever_was_executed() -> None:
    """Also when it has ended since."""
    view = ProcessView("db", State.BACKOFF, started_at=1.0)
    assert answer(Condition.STARTED, view) is Answer.YES


def test_ready_is_reached_by_what_has_done_its_work() -> None:
    """A migration that is through does not keep its dependents waiting for ever."""
    assert answer(Condition.READY, ProcessView("db", State.EXITED)) is Answer.YES


@pytest.mark.parametrize("condition", [Condition.READY, Condition.COMPLETED])
def test_a_failed_job_lets_nobody_in(condition: Condition) -> None:
    """Completed means that it succeeded."""
    assert answer(condition, ProcessView("db", State.EXITED, last_end_success=False)) is Answer.NEVER


def test_the_reason_names_what_is_missing() -> None:
    """The first of several needs that is not there yet."""
    views = {"db": ProcessView("db", State.RUNNING), "cache": ProcessView("cache", State.STARTING)}
    waiting = permission([Dependency("db"), Dependency("cache")], views)
    assert waiting.reason == "waits for cache to be ready"
