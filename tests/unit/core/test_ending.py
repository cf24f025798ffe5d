from __future__ import annotations

import pytest

from procwrap.core.ending import NEVER_AGAIN, Remaining, code_of_all, code_of_one, counting
from procwrap.core.events import End, Level, Notice, StateChanged
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.spec.process import ProcessSpec, Restart


def ended(name: str, end: End, at: float, success: bool = False) -> ProcessView:
    return ProcessView(name, State.EXITED, last_end=end, last_end_success=success, ended_at=at)


def whole(*views: ProcessView) -> Snapshot:
    return Snapshot({view.name: view for view in views}, declared=True)


def test_all_successes_make_zero() -> None:
    """Also with an exit code that the config calls a success."""
    done = ended("a", End(code=0), 1.0, success=True)
    assert code_of_all(whole(done, ended("b", End(code=3), 2.0, success=True))) == 0


def test_the_first_failure_in_time_gives_the_code() -> None:
    """What failed first is what a person wants to know, wherever it stands in the config."""
    later, earlier = ended("a", End(code=4), 2.0), ended("b", End(code=5), 1.0)
    assert code_of_all(whole(later, earlier)) == 5


def test_the_background_does_not_count() -> None:
    """What serves the others neither keeps the whole running nor spoils its exit code, unless all do."""
    work, sidecar = ProcessSpec("a", "a"), ProcessSpec("b", "b", restart=Restart(background=True))
    ends = whole(ended("a", End(code=0), 2.0, success=True), ended("b", End(code=5), 1.0))
    assert (counting([work, sidecar]), counting([sidecar])) == ({"a"}, {"b"})
    assert (code_of_all(ends, [work, sidecar]), code_of_all(ends)) == (0, 5)


def test_a_process_that_never_ran_has_no_code() -> None:
    """A skipped process does not hide the code of the one it waited for."""
    skipped = ProcessView("b", State.SKIPPED)
    assert code_of_all(whole(skipped, ended("a", End(code=7), 1.0))) == 7


def test_a_signal_is_128_plus_its_number() -> None:
    """As a shell reports it: 137 for SIGKILL."""
    assert code_of_all(whole(ended("a", End(signal=9), 1.0))) == 137


@pytest.mark.parametrize(
    ("end", "vital", "gave_up", "code"),
    [
        (End(code=0), False, False, 0),
        (End(code=0), True, False, 1),
        (End(code=0), False, True, 1),
        (End(code=9), True, False, 9),
        (End(signal=15), False, False, 143),
        (End(code=127, reason="cannot execute"), False, True, 127),
    ],
)
def test_the_code_of_the_one_that_ended_all(end: End, vital: bool, gave_up: bool, code: int) -> None:
    """Main passes its code on; vital and too many restarts are never a 0."""
    assert code_of_one(end, vital=vital, gave_up=gave_up) == code


def test_remaining_counts_down_and_up_again() -> None:
    """A process that leaves its final state keeps the whole alive again."""
    remaining = Remaining(frozenset({"a", "b"}), NEVER_AGAIN)
    steps = [("a", State.EXITED), ("b", State.FAILED), ("a", State.WAITING), ("a", State.SKIPPED)]
    assert [remaining.note(StateChanged(name, state, 0.0, 0.0)) for name, state in steps] == [
        False,
        True,
        False,
        True,
    ]


def test_remaining_ignores_what_it_does_not_count() -> None:
    """Other processes and other events change nothing."""
    remaining = Remaining(frozenset({"a"}), NEVER_AGAIN)
    assert not remaining.note(StateChanged("other", State.EXITED, 0.0, 0.0))
    assert not remaining.note(Notice(Level.INFO, "hello"))
