"""Asks a lock server: what is sent, and what its answers mean (``wire.py``)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime

from procwrap.core.oneline import one_line
from procwrap.lock import wire
from procwrap.lock.lease import Granted, Refused

MOST_PATIENCE = 3.0
"""Seconds. Whoever is asked answers in a few milliseconds, unless it is told to wait."""
LEAST_PATIENCE = 0.5
"""Seconds for who wants a lease: nothing is lost yet while it waits."""


class LeaseError(Exception):
    """Nobody could tell; the text says why, in one line without secrets."""


class Answer(Protocol):
    """What a server has said; the names of its headers are in lower case."""

    @property
    def status(self) -> int:
        """The status of HTTP."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers."""

    @property
    def body(self) -> bytes:
        """The beginning of its body."""


Post = Callable[[str, bytes, Mapping[str, str]], Deferred[Any]]
"""Posts a body with headers to a path of the server; fires with an Answer, or fails with words for people."""


@frozen
class Holder:
    """Who asks for a lock.

    Attributes:
        key: the name of the lock.
        ttl: seconds that are asked for; the server may grant others.
        value: who it is, for those who wait.
        labels: more about it, for people.
    """

    key: str
    ttl: float
    value: str
    labels: Mapping[str, str] = field(factory=dict)


@define(eq=False)
class Leases:
    """The lock server, as one of those who ask for a lock sees it.

    Args:
        where: what the server is called, without secrets.
        timestamp: this moment, for people.
    """

    _holder: Holder
    _where: str
    _post: Post
    _clock: IReactorTime
    _timestamp: Callable[[], str]

    @property
    def ttl(self) -> float:
        """Seconds that are asked for."""
        return self._holder.ttl

    @property
    def patience(self) -> float:
        """Seconds that an answer may take: two that fail still leave time for a third."""
        return min(self._holder.ttl / 3, MOST_PATIENCE)

    @inlineCallbacks
    def acquire(self, request: str, wait: float) -> Generator[Deferred[Any], Any, Granted | Refused]:
        """Ask for the lock.

        Args:
            request: the same for each question about the same lease, never used for another.
            wait: seconds for which the server may wait until the lock is free.

        Returns:
            A Deferred; fails with LeaseError when nobody could tell: then it may be ours all the same.
        """
        holder = self._holder
        body = wire.lease_body(holder.key, holder.value, holder.labels, self._timestamp())
        headers = wire.lease_headers(holder.ttl, request, wait)
        answer = yield self._ask(wire.LEASE, body, headers, wait + max(self.patience, LEAST_PATIENCE))
        if answer.status == wire.GRANTED:
            return self._granted(answer)
        if answer.status == wire.REFUSED:
            who = answer.headers.get(wire.HOLDER)
            reason = wire.decoded(answer.headers.get(wire.REASON, "held by somebody"))
            return Refused(reason, None if who is None else wire.decoded(who))
        raise self._unexpected(answer)

    @inlineCallbacks
    def keep(self, lease: int, patience: float) -> Generator[Deferred[Any], Any, float | None]:
        """Say that we are still there.

        Returns:
            A Deferred of the seconds that are granted anew, from when this was called; None when it is
            over. Fails with LeaseError when nobody could tell.
        """
        answer = yield self._ask(wire.KEEPALIVE, wire.id_body(lease), {}, min(patience, self.patience))
        if answer.status == wire.OVER:
            return None
        if answer.status == wire.HELD:
            ttl: float = self._read(wire.read_ttl, answer.headers.get(wire.TTL))
            return ttl
        raise self._unexpected(answer)

    @inlineCallbacks
    def release(self, lease: int) -> Generator[Deferred[Any], Any, None]:
        """Give it back; fails with LeaseError when nobody could tell whether that was heard."""
        answer = yield self._ask(wire.RELEASE, wire.id_body(lease), {}, self.patience)
        if answer.status not in (wire.HELD, wire.OVER):
            raise self._unexpected(answer)

    def _ask(self, path: str, body: bytes, headers: Mapping[str, str], patience: float) -> Deferred[Any]:
        """Post, and wait for the answer for so many seconds and no longer."""
        asked = self._post(path, body, headers)
        late: list[str] = []

        def give_up() -> None:
            late.append(f"no answer within {patience:.1f}s")
            asked.cancel()

        timer = self._clock.callLater(patience, give_up)

        def done(result: Any) -> Any:
            if timer.active():
                timer.cancel()
            return result

        def explain(failure: Any) -> None:
            said = late[0] if late else one_line(str(failure.value) or type(failure.value).__name__)
            raise LeaseError(f"lock server {self._where}: {said}") from None

        return asked.addBoth(done).addErrback(explain)

    def _granted(self, answer: Answer) -> Granted:
        return Granted(
            self._read(wire.read_id, answer.body),
            self._read(wire.read_ttl, answer.headers.get(wire.TTL)),
            self._read(wire.read_token, answer.headers.get(wire.TOKEN)),
        )

    def _read(self, read: Callable[[Any], Any], said: Any) -> Any:
        try:
            return read(said)
        except wire.WireError as error:
            raise LeaseError(f"lock server {self._where}: {error}") from None

    def _unexpected(self, answer: Answer) -> LeaseError:
        said = one_line(answer.body[:500].decode("utf-8", "replace"))
        return LeaseError(f"lock server {self._where}: {answer.status}{': ' if said else ''}{said}")
