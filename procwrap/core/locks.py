"""What happens to the shared lock that a process needs: events, and what is counted of them."""

from __future__ import annotations

import enum

from attrs import define, field, frozen


class Outcome(enum.Enum):
    """How one question for a lock was answered; the values are a label in metrics.

    SUCCESS: it is ours. REFUSED: it is another's. FAILED: nobody could tell.
    """

    SUCCESS = "success"
    REFUSED = "refused"
    FAILED = "failed"


class LockChange(enum.Enum):
    """What became of a lock."""

    TAKEN = "taken"
    GIVEN_BACK = "given back"
    LOST = "lost"


@frozen
class LockAsked:
    """The server was asked for the lock of a process, and has answered, or not."""

    name: str
    outcome: Outcome


@frozen
class LockChanged:
    """The lock of a process was taken, given back, or lost; ``reason`` says why, for people."""

    name: str
    change: LockChange
    reason: str = ""


LockEvent = LockAsked | LockChanged


@define(eq=False)
class HeldLocks:
    """Knows whose locks are held at this moment."""

    _names: set[str] = field(factory=set)

    def holds(self, name: str) -> bool:
        """Return whether the lock of a process is held."""
        return name in self._names

    def watch(self, _: object, event: object) -> None:
        """Take note of an event; a watcher of the board."""
        if isinstance(event, LockChanged):
            (self._names.add if event.change is LockChange.TAKEN else self._names.discard)(event.name)


@define(eq=False)
class LockTally:
    """The lock of one process.

    Attributes:
        asked: how often the server was asked, by outcome.
        held: whether it is ours at this moment.
    """

    asked: dict[Outcome, int] = field(factory=lambda: dict.fromkeys(Outcome, 0))
    held: bool = False

    def note(self, event: LockEvent) -> None:
        """Take note of an event."""
        if isinstance(event, LockAsked):
            self.asked[event.outcome] += 1
        else:
            self.held = event.change is LockChange.TAKEN
