from __future__ import annotations

from procwrap.core.board import Board
from procwrap.core.events import Declared, Event, Level, Notice
from procwrap.core.snapshot import Snapshot


def notice(text: str) -> Notice:
    return Notice(Level.INFO, text)


def raising(error: Exception) -> None:
    raise error


def test_watchers_get_the_snapshot_after_the_event() -> None:
    """Whoever is told of an event sees what is true since."""
    board, seen = Board(raising), []
    board.watch(lambda snapshot, event: seen.append(tuple(snapshot.processes)))
    board.tell(Declared(("a", "b")))
    assert seen == [("a", "b")]
    assert tuple(board.snapshot.processes) == ("a", "b")


def test_an_event_told_by_a_watcher_waits_for_its_turn() -> None:
    """All watchers see all events in the same order."""
    board, seen = Board(raising), []

    def answering(snapshot: Snapshot, event: Event) -> None:
        if event == notice("first"):
            board.tell(notice("second"))

    board.watch(answering)
    board.watch(lambda snapshot, event: seen.append(event))
    board.tell(notice("first"))
    assert seen == [notice("first"), notice("second")]


def test_ten_thousand_answers_to_answers_do_not_grow_the_stack() -> None:
    """A restart in answer to an exit is never a nested call."""
    board, count = Board(raising), [0]

    def answering(snapshot: Snapshot, event: Event) -> None:
        count[0] += 1
        if count[0] < 10_000:
            board.tell(event)

    board.watch(answering)
    board.tell(notice("again"))
    assert count == [10_000]


def test_a_broken_watcher_does_not_keep_the_others_from_hearing() -> None:
    """A bug in one part of procwrap is reported, and the rest goes on."""
    broken: list[Exception] = []
    board, seen = Board(broken.append), []
    board.watch(lambda snapshot, event: raising(ValueError("bug")))
    board.watch(lambda snapshot, event: seen.append(event))
    board.tell(notice("hello"))
    assert seen == [notice("hello")]
    assert [str(error) for error in broken] == ["bug"]


def test_whoever_forgets_hears_no_more() -> None:
    """A client that has left costs nothing; forgetting twice does no harm."""
    board, seen = Board(raising), []
    forget = board.watch(lambda snapshot, event: seen.append(event))
    forget()
    forget()
    board.tell(notice("hello"))
    assert seen == []
