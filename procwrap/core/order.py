"""In which order things start, given what each needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError as _GraphCycleError
from graphlib import TopologicalSorter
from typing import TypeVar

T = TypeVar("T")


class CycleError(Exception):
    """Things need each other in a circle.

    Attributes:
        cycle: the names on the circle, the first one repeated at the end.
    """

    def __init__(self, cycle: tuple[str, ...]) -> None:
        super().__init__(" -> ".join(cycle))
        self.cycle = cycle


def layers(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Sort names so that each comes in a later layer than everything it needs.

    Args:
        needs: for each name the names it needs; needed names that are no key count as needing nothing.

    Returns:
        The layers, first to start first; within a layer the order of ``needs`` is kept.

    Raises:
        CycleError: some need each other in a circle.
    """
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except _GraphCycleError as error:
        # graphlib lists each node before the one that needs it; people read it the other way round.
        raise CycleError(tuple(reversed(error.args[1]))) from None
    rank = {name: index for index, name in enumerate(needs)}
    found: list[list[str]] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append(sorted(ready, key=lambda name: rank.get(name, len(rank))))
        sorter.done(*ready)
    return found


def arranged(things: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Return things in the order of these names; those that are not named come behind the others."""
    first = {name: things[name] for name in names if name in things}
    return {**first, **things}
