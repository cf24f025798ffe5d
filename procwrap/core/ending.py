"""Is the whole over, and with which exit code?"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from procwrap.core.events import End, Event, StateChanged
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import Snapshot
from procwrap.spec.process import ProcessSpec

NEVER_AGAIN = frozenset({State.EXITED, State.FAILED, State.SKIPPED})
"""States for good; STOPPED is none of them: what an operator stopped may be started again."""


@define(eq=False)
class Remaining:
    """Counts down the processes that have not yet reached one of some states.

    Args:
        names: the processes that count.
        states: where they have to arrive.
    """

    _names: frozenset[str]
    _states: frozenset[State]
    _missing: set[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with all of them."""
        self._missing = set(self._names)

    def begin_with(self, snapshot: Snapshot) -> bool:
        """Begin anew with what is true now; return whether none remains."""
        views = snapshot.processes
        self._missing = {
            name for name in self._names if name not in views or views[name].state not in self._states
        }
        return not self._missing

    def note(self, event: Event) -> bool:
        """Take an event into account; return whether none remains."""
        if isinstance(event, StateChanged) and event.name in self._names:
            if event.state in self._states:
                self._missing.discard(event.name)
            else:
                self._missing.add(event.name)
        return not self._missing


def counting(processes: Sequence[ProcessSpec]) -> frozenset[str]:
    """Return the names of those whose end is the end of all: who is in the background only if all are."""
    names = frozenset(spec.name for spec in processes if not spec.restart.background)
    return names or frozenset(spec.name for spec in processes)


def code_of_all(snapshot: Snapshot, processes: Sequence[ProcessSpec] = ()) -> int:
    """Return the exit code when nothing is left to run.

    0 if every last end was a success, else the code of the first process, by time, that failed.

    Args:
        snapshot: what has become of the processes.
        processes: all of them; those in the background do not count.
    """
    names = counting(processes) or snapshot.processes.keys()
    failed = [
        view
        for name, view in snapshot.processes.items()
        if name in names and view.last_end is not None and not view.last_end_success
    ]
    failed.sort(key=lambda view: view.ended_at or 0.0)
    return next((code for view in failed if (code := _code(view.last_end))), 0)


def code_of_one(end: End, *, vital: bool, gave_up: bool) -> int:
    """Return the exit code of the whole when this end brought it about.

    A vital process, and one that was restarted too often, never ends the whole with 0.
    """
    code = _code(end)
    return code or (1 if vital or gave_up else 0)


def _code(end: End | None) -> int:
    return end.exit_code if end is not None else 0
