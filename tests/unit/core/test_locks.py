from __future__ import annotations

from procwrap.core.board import Board
from procwrap.core.locks import HeldLocks, LockAsked, LockChange, LockChanged, LockTally, Outcome
from procwrap.core.tallies import Tallies


def test_whose_lock_is_held() -> None:
    """From the moment it is taken until it is given back or lost, each process for itself."""
    held, board = HeldLocks(), Board(lambda error: None)
    board.watch(held.watch)
    assert not held.holds("api")
    for change in (LockChange.GIVEN_BACK, LockChange.LOST):
        board.tell(LockChanged("api", LockChange.TAKEN))
        assert held.holds("api")
        assert not held.holds("job")
        board.tell(LockChanged("api", change))
        assert not held.holds("api")


def test_what_is_counted() -> None:
    """Questions by their outcome, for processes that have asked; and whether the lock is held."""
    tallies, board = Tallies(), Board(lambda error: None)
    board.watch(tallies.note)
    for outcome in (Outcome.FAILED, Outcome.REFUSED, Outcome.REFUSED, Outcome.SUCCESS):
        board.tell(LockAsked("api", outcome))
    board.tell(LockChanged("api", LockChange.TAKEN))
    lock = tallies.of("api").lock
    assert lock is not None
    assert lock.asked == {Outcome.FAILED: 1, Outcome.REFUSED: 2, Outcome.SUCCESS: 1}
    assert lock.held
    assert tallies.of("job").lock is None


def test_a_new_tally() -> None:
    """Zeros, so that rates can be computed from the first question on."""
    assert (LockTally().asked, LockTally().held) == (dict.fromkeys(Outcome, 0), False)
