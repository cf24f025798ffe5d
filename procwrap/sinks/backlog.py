"""What waits to be sent, and what is being sent: in order, within bounds, the oldest dropped first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import define, field

T = TypeVar("T")


@define(eq=False)
class Backlog(Generic[T]):
    """A queue whose first items may be out for delivery, and still count.

    Args:
        measure: the bytes of memory of an item.
        count: the records in an item.
        most_bytes: of all items together, those that are out included.
        most_records: the same in records.

    Attributes:
        bytes: of all items, those that are out included.
        records: the same in records.
    """

    _measure: Callable[[T], int]
    _count: Callable[[T], int]
    _most_bytes: int
    _most_records: int
    bytes: int = field(init=False, default=0)
    records: int = field(init=False, default=0)
    _waiting: deque[T] = field(init=False, factory=deque)
    _out: tuple[T, ...] = field(init=False, default=())
    _out_bytes: int = field(init=False, default=0)
    _out_records: int = field(init=False, default=0)

    def __len__(self) -> int:
        """Return how many items wait, without those that are out."""
        return len(self._waiting)

    @property
    def waiting(self) -> tuple[int, int]:
        """Bytes and records of what waits, without what is out."""
        return self.bytes - self._out_bytes, self.records - self._out_records

    def add(self, item: T) -> int:
        """Append an item.

        Returns:
            How many records had to go for it: those of the oldest items that wait, in the end itself.
        """
        self._waiting.append(item)
        self._weigh(item, 1)
        dropped = 0
        while self._waiting and (self.bytes > self._most_bytes or self.records > self._most_records):
            oldest = self._waiting.popleft()
            self._weigh(oldest, -1)
            dropped += self._count(oldest)
        return dropped

    def take(self, most_bytes: int, most_records: int) -> tuple[T, ...]:
        """Give out the first items: at least one, and no more than fit into both numbers."""
        taken: list[T] = []
        size = records = 0
        while self._waiting:
            size += self._measure(self._waiting[0])
            records += self._count(self._waiting[0])
            if taken and (size > most_bytes or records > most_records):
                break
            taken.append(self._waiting.popleft())
            self._out_bytes, self._out_records = size, records
        self._out = tuple(taken)
        return self._out

    def settle(self, again: tuple[T, ...] = ()) -> None:
        """Forget what is out, but for what is to be sent again, before everything else."""
        for item in self._out:
            self._weigh(item, -1)
        for item in again:
            self._weigh(item, 1)
        self._out, self._out_bytes, self._out_records = (), 0, 0
        self._waiting.extendleft(reversed(again))

    def clear(self) -> int:
        """Forget everything; return how many records that were."""
        lost, self.records, self.bytes = self.records, 0, 0
        self._out, self._out_bytes, self._out_records = (), 0, 0
        self._waiting.clear()
        return lost

    def _weigh(self, item: T, sign: int) -> None:
        self.bytes += sign * self._measure(item)
        self.records += sign * self._count(item)
