"""Those who want to be called when something happens: one joins, and may leave again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def join(members: list[T], one: T) -> Callable[[], None]:
    """Add one to the members.

    Returns:
        A callable that takes it out again; calling it twice does no harm.
    """
    members.append(one)

    def leave() -> None:
        if one in members:
            members.remove(one)

    return leave
