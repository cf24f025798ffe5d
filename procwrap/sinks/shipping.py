"""What a ``Delivery`` and a kind of server say to each other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from procwrap.sinks.post import Answer
from procwrap.sinks.trouble import Trouble

T = TypeVar("T")

NO_BOUND = sys.maxsize


@frozen
class Parcel:
    """What is posted."""

    body: bytes
    headers: Mapping[str, str]


@frozen
class Verdict(Generic[T]):
    """What became of a batch.

    Attributes:
        sent: records that the server has taken.
        refused: records that it will never take.
        again: what is to be sent again, in order.
        reason: why not all were sent, in one line; empty if they were.
    """

    sent: int = 0
    refused: int = 0
    again: tuple[T, ...] = ()
    reason: str = ""


class Shipping(Protocol[T]):
    """What is special about a kind of server. No method may wait."""

    def size(self, item: T, /) -> int:
        """Return how many bytes of memory an item takes; always the same."""

    def records(self, item: T, /) -> int:
        """Return how many records are in an item; always the same."""

    def pack(self, items: tuple[T, ...], /) -> Parcel:
        """Write what is posted for these items; called in a thread."""

    def judge(self, items: tuple[T, ...], answer: Answer, /) -> Verdict[T]:
        """Read an answer from 200 to 299; together the verdict is about all records of the items."""


@frozen
class Bounds:
    """How much waits, and how much is sent at once.

    Attributes:
        most_bytes: of memory that all items take, those on their way included.
        most_records: the same in records.
        batch_bytes: of memory of the items of a batch; a larger item goes alone.
        batch_records: the same in records.
        linger: seconds that items wait for a batch to become full.
    """

    most_bytes: int = NO_BOUND
    most_records: int = NO_BOUND
    batch_bytes: int = 1024 * 1024
    batch_records: int = NO_BOUND
    linger: float = 1.0

    def __str__(self) -> str:
        if self.most_records < NO_BOUND:
            return f"at most {self.most_records} of them"
        return f"at most {self.most_bytes // (1024 * 1024)} MiB of them"


@frozen
class Surroundings:
    """What a delivery needs of the world.

    Attributes:
        clock: the reactor.
        wall: seconds since the epoch.
        random: from 0 to 1.
        in_thread: calls a function in a thread.
        trouble: is told when it fails and when it works.
    """

    clock: IReactorTime
    wall: Callable[[], float]
    random: Callable[[], float]
    in_thread: Callable[[Callable[[], Any]], Deferred[Any]]
    trouble: Trouble
