"""Asks for a lock until it is ours."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from procwrap.core.locks import Outcome
from procwrap.lock.guarding import GuardError
from procwrap.lock.lease import Granted, Refused
from procwrap.lock.leases import LeaseError, Leases
from procwrap.lock.margin import until

SHORTEST_WAIT, LONGEST_WAIT = 1.0, 6.0
"""Seconds for which the server is asked to wait until the lock is free."""
AGAIN = 0.05
"""Seconds, at most, between two such questions."""
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.15, 0.6, 1.5
"""Seconds until the next question to a server that does not wait, or does not answer, and how they grow."""
QUIET = 2.0
"""Seconds between two things that are said about why it is not ours."""


@frozen
class Found:
    """A lease that is ours; it counts from ``sent``."""

    lease: Granted
    sent: float


@define(eq=False)
class Seeking:
    """Asks for one lease, from begin() to the end of its Deferred.

    Args:
        ready: fires when there is somebody to guard what is started.
        clock: for pauses.
        now: seconds of the guard's clock.
        random: 0 to 1.
        asked: takes how each question was answered.
        say: takes why it is not ours yet.
        request: what the server calls this wish.
    """

    _leases: Leases
    _ready: Callable[[], Deferred[None]]
    _clock: IReactorTime
    _now: Callable[[], float]
    _random: Callable[[], float]
    _asked: Callable[[Outcome], None]
    _say: Callable[[str], None]
    _request: str
    _wait: float = 0.0
    _pause: float = FIRST_PAUSE
    _left: bool = False
    _uncertain: bool = False
    _said: tuple[str, float] = ("", float("-inf"))
    _under_way: Deferred[Any] | None = field(init=False, default=None)

    @inlineCallbacks
    def begin(self) -> Generator[Deferred[Any], Any, Found | None]:
        """Ask until it is ours; None when nobody wants it any more."""
        with suppress(CancelledError):
            while not self._left:
                found = yield self._try()
                if isinstance(found, Found):
                    return found
                yield self._until(deferLater(self._clock, found))
        if self._uncertain:
            yield self._settle()
        return None

    def leave(self) -> None:
        """Stop asking; what may have been granted meanwhile is given back."""
        self._left = True
        if self._under_way is not None:
            self._under_way.cancel()

    @inlineCallbacks
    def _try(self) -> Generator[Deferred[Any], Any, Any]:
        """Ask once; returns a Found, or the seconds until the next time."""
        try:
            yield self._until(self._ready())
            sent, self._uncertain = self._now(), True
            answer = yield self._until(self._leases.acquire(self._request, self._wait))
            if isinstance(answer, Granted):
                self._asked(Outcome.SUCCESS)
                answer = yield self._until(self._settled(answer, sent))
        except (LeaseError, GuardError, CancelledError) as error:
            if self._left:
                raise CancelledError from None
            return self._failed(error)
        self._uncertain = False
        return answer if isinstance(answer, Found) else self._refused(answer, self._now() - sent)

    @inlineCallbacks
    def _settled(self, lease: Granted, sent: float) -> Generator[Deferred[Any], Any, Any]:
        """Begin with most of a TTL before us: the answer may have waited for the lock to become free."""
        if until(sent, lease.ttl) - self._now() >= lease.ttl / 2:
            return Found(lease, sent)
        sent = self._now()
        ttl = yield self._leases.keep(lease.lease, self._leases.patience)
        if ttl is None or self._now() >= until(sent, ttl):
            raise LeaseError("it was over before it could be used")
        return Found(Granted(lease.lease, ttl, lease.token), sent)

    def _refused(self, answer: Refused, took: float) -> float:
        self._asked(Outcome.REFUSED)
        self._tell(f"{answer.holder} holds the lock" if answer.holder else answer.reason)
        waited, self._wait = self._wait, min(max(self._leases.ttl / 2, SHORTEST_WAIT), LONGEST_WAIT)
        if waited and took >= waited * 0.8:
            self._pause = FIRST_PAUSE
        elif waited:
            return self._next_pause()
        return AGAIN * self._random()

    def _failed(self, error: BaseException) -> float:
        self._asked(Outcome.FAILED)
        self._tell(str(error))
        return self._next_pause()

    def _next_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * GROWTH, LONGEST_PAUSE)
        return pause * (0.75 + self._random() / 2)

    def _tell(self, text: str) -> None:
        said, at = self._said
        if text != said and self._now() >= at + QUIET:
            self._said = (text, self._now())
            self._say(text)

    @inlineCallbacks
    def _settle(self) -> Generator[Deferred[Any], Any, None]:
        """Find out whether the last question was heard: nobody could have it for a whole TTL."""
        try:
            answer = yield self._leases.acquire(self._request, 0.0)
        except LeaseError:
            return
        if isinstance(answer, Granted):
            yield self._give_back(answer.lease)

    @inlineCallbacks
    def _give_back(self, lease: int) -> Generator[Deferred[Any], Any, None]:
        try:
            yield self._leases.release(lease)
        except LeaseError:
            # It will expire.
            return

    def _until(self, going: Deferred[Any]) -> Deferred[Any]:
        """Wait for something that leaving ends."""
        self._under_way = going

        def over(result: Any) -> Any:
            self._under_way = None
            return result

        return going.addBoth(over)
