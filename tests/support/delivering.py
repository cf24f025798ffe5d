"""A delivery whose server, clock and dice are the test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from procwrap.core.events import Level
from procwrap.sinks.delivery import Delivery
from procwrap.sinks.post import Answer, PostError
from procwrap.sinks.shipping import Bounds, Parcel, Surroundings, Verdict
from procwrap.sinks.trouble import Trouble

WALL = 1_795_377_784.0
"""Seconds since the epoch."""


@define(eq=False)
class Words:
    """A shipping of texts: each is a record, takes as many bytes as it has characters, and is sent as it is.

    Attributes:
        verdict: what to say of the next answers, instead of that all is well.
    """

    verdict: Verdict[str] | None = None

    def size(self, item: str, /) -> int:
        return len(item)

    def records(self, item: str, /) -> int:
        return 1

    def pack(self, items: tuple[str, ...], /) -> Parcel:
        if "poison" in items:
            raise ZeroDivisionError("poison")
        return Parcel(" ".join(items).encode(), {"x-items": str(len(items))})

    def judge(self, items: tuple[str, ...], answer: Answer, /) -> Verdict[str]:
        return self.verdict or Verdict(sent=len(items))


@define(eq=False)
class Posted:
    """A server: what it was sent, and what it has not answered yet."""

    bodies: list[str] = field(factory=list)
    headers: list[Mapping[str, str]] = field(factory=list)
    open: list[Deferred[Answer]] = field(factory=list)
    cancelled: int = 0

    def post(self, body: bytes, headers: Mapping[str, str]) -> Deferred[Answer]:
        """Take a body (a ``Post``)."""
        self.bodies.append(body.decode())
        self.headers.append(headers)
        self.open.append(Deferred(self._cancel))
        return self.open[-1]

    def _cancel(self, asked: Deferred[Answer]) -> None:
        self.cancelled += 1
        self.open.remove(asked)
        asked.errback(PostError("cancelled"))

    def answer(self, status: int = 204, body: str = "", **headers: str) -> None:
        """Answer the oldest request."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.open.pop(0).callback(Answer(status, given, body.encode()))

    def fail(self, reason: str = "connection refused") -> None:
        """Leave the oldest request without an answer."""
        self.open.pop(0).errback(PostError(reason))


@define(eq=False)
class Delivering:
    """A delivery of words, and all that is around it.

    Attributes:
        chance: the next random number.
        told: what was told to the log.
    """

    bounds: Bounds = Bounds(most_bytes=1000, batch_bytes=100, linger=1.0)
    chance: float = 1.0
    shipping: Words = field(factory=Words)
    server: Posted = field(factory=Posted)
    clock: Clock = field(factory=Clock)
    told: list[tuple[Level, str]] = field(factory=list)
    threads: list[Callable[[], None]] = field(factory=list)
    in_threads: bool = False
    delivery: Delivery[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        trouble = Trouble("words", "server:80", self.clock, self._report)
        world = Surroundings(self.clock, lambda: WALL, lambda: self.chance, self._in_thread, trouble)
        self.delivery = Delivery(self.shipping, self.server.post, self.bounds, world)

    def _report(self, level: Level, text: str) -> None:
        self.told.append((level, text))

    def _in_thread(self, work: Callable[[], Any]) -> Deferred[Any]:
        if not self.in_threads:
            return maybeDeferred(work)
        done: Deferred[Any] = Deferred()
        self.threads.append(lambda: maybeDeferred(work).chainDeferred(done))
        return done

    def add(self, *items: str) -> None:
        """Add items."""
        for item in items:
            self.delivery.add(item)

    def send(self, *items: str) -> None:
        """Add items and wait until they are sent."""
        self.add(*items)
        self.clock.advance(self.bounds.linger)

    @property
    def counts(self) -> tuple[int, int, int]:
        """What was sent, refused and dropped."""
        return self.delivery.sent, self.delivery.refused, self.delivery.dropped

    @property
    def timers(self) -> int:
        """How many there are."""
        return len(self.clock.getDelayedCalls())
