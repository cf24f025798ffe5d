"""Something that is watched only while there is somebody whom it concerns."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field


@define(eq=False)
class WhileNeeded:
    """Begins and ends a watch.

    Args:
        begin: begins it; returns what ends it.
    """

    _begin: Callable[[], Callable[[], None]]
    _end: Callable[[], None] | None = field(init=False, default=None)

    def keep(self, needed: object) -> None:
        """Watch from now on if it is needed, that is true; else no more."""
        if needed and self._end is None:
            self._end = self._begin()
        elif not needed and self._end is not None:
            end, self._end = self._end, None
            end()
