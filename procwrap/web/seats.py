"""How many may wait at a time, for whatever it is."""

from __future__ import annotations

from typing import TypeVar

from attrs import define

from procwrap.web.answers import UNAVAILABLE, complaint

T = TypeVar("T")

RETRY_AFTER = b"5"

NO_SEAT = complaint(UNAVAILABLE, "too many waiting requests", ((b"Retry-After", RETRY_AFTER),))
"""The answer to one who finds none."""


@define(eq=False)
class Seats:
    """A number of seats; who takes one leaves it again.

    Attributes:
        count: how many there are.
        taken: how many are taken.
    """

    count: int
    taken: int = 0

    def take(self) -> bool:
        """Take a seat; return whether there was one."""
        if self.taken >= self.count:
            return False
        self.taken += 1
        return True

    def leave(self) -> None:
        """Leave a seat that was taken."""
        self.taken -= 1

    def left(self, result: T) -> T:
        """Leave it when a Deferred fires, whatever with."""
        self.leave()
        return result
