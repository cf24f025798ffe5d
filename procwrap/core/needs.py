"""May a process start, given what it depends on?"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from attrs import frozen

from procwrap.core.lifecycle import State
from procwrap.core.snapshot import ProcessView
from procwrap.spec.process import Condition, Dependency


class Answer(enum.Enum):
    """What the gate says."""

    YES = "yes"
    NOT_YET = "not yet"
    NEVER = "never"


@frozen
class Permission:
    """The answer and, for people, what it is waiting for."""

    answer: Answer
    reason: str = ""


_HOPELESS = frozenset({State.EXITED, State.FAILED, State.SKIPPED})
"""States that do not lead to being ready or completed any more, unless they are that already."""


def permission(needs: Sequence[Dependency], views: Mapping[str, ProcessView]) -> Permission:
    """Decide whether everything needed has reached its condition; what is not known yet may still come."""
    for need in needs:
        view = views.get(need.name)
        if view is not None and _reached(need.condition, view):
            continue
        wanted = f"{need.name} to be {need.condition.value}"
        if view is not None and view.state in _HOPELESS:
            return Permission(Answer.NEVER, f"waited for {wanted}, but it is {view.state.value}")
        return Permission(Answer.NOT_YET, f"waits for {wanted}")
    return Permission(Answer.YES)


def _reached(condition: Condition, view: ProcessView) -> bool:
    if condition is Condition.STARTED:
        return view.started_at is not None
    if condition is Condition.READY:
        # What has done its work has been ready.
        return view.healthy or view.completed
    return view.completed
