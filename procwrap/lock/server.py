"""What the lock server answers; how it gets to HTTP is the business of ``procwrap.lockserver``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, TimeoutError, fail  # noqa: A004
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from procwrap.core.histogram import Histogram
from procwrap.interfaces import ILeaseStore
from procwrap.lock import wire
from procwrap.lock.lease import Granted, Refused, StoreError
from procwrap.lock.queue import Queue
from procwrap.lock.wanted import MOST_BODY, read_wanted

STORE_PATIENCE = 3.0
"""Seconds that the store may take for one answer."""

TEXT, JSON = "text/plain; charset=utf-8", "application/json; charset=utf-8"


@frozen
class Asked:
    """A request.

    Attributes:
        header: the value of a header; None where there is none.
    """

    header: Callable[[str], str | None]
    body: bytes


@frozen
class Answer:
    """A response."""

    code: int
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)
    content_type: str = TEXT


def complaint(code: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer that something is wrong."""
    body = json.dumps({"error": text}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return Answer(code, body, headers or {}, JSON)


@define(eq=False)
class Tallies:
    """How often what was answered, by endpoint and status, and how long that took."""

    answers: dict[tuple[str, int], int] = field(factory=dict)
    seconds: dict[str, Histogram] = field(factory=dict)

    def note(self, endpoint: str, code: int, seconds: float) -> None:
        """Count one answer."""
        self.answers[endpoint, code] = self.answers.get((endpoint, code), 0) + 1
        self.seconds.setdefault(endpoint, Histogram()).add(seconds)


@define(eq=False)
class LockServer:
    """Answers the requests of locks' clients.

    Args:
        duration: turns Go-style text into seconds, or raises ValueError that says why not.
    """

    _store: ILeaseStore
    _clock: IReactorTime
    _duration: Callable[[str], float]
    tallies: Tallies = field(init=False, factory=Tallies)
    queue: Queue = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.queue = Queue(self._store, self._clock)

    @property
    def expired(self) -> int:
        """How many leases were not kept alive, as far as the store has seen."""
        return int(self._store.expired)

    def lease(self, asked: Asked) -> Deferred[Answer]:
        """Answer ``POST /lease``."""
        return self._timed(wire.LEASE, asked, self._lease)

    def keepalive(self, asked: Asked) -> Deferred[Answer]:
        """Answer ``POST /keepalive``."""
        return self._timed(wire.KEEPALIVE, asked, self._keepalive)

    def release(self, asked: Asked) -> Deferred[Answer]:
        """Answer ``POST /release``."""
        return self._timed(wire.RELEASE, asked, self._release)

    def health(self, _: Asked) -> Deferred[Answer]:
        """Answer ``GET /health``."""
        checked = self._in_time(self._store.check(), 0.0)
        return checked.addCallback(lambda _: Answer(200, b"ok\n")).addErrback(_refused)

    def _timed(
        self, endpoint: str, asked: Asked, answer: Callable[[Asked], Deferred[Answer]]
    ) -> Deferred[Answer]:
        began = self._clock.seconds()

        def over(result: Answer) -> Answer:
            self.tallies.note(endpoint, result.code, self._clock.seconds() - began)
            return result

        try:
            answered = answer(asked)
        except wire.WireError as error:
            answered = fail(error)
        return answered.addErrback(_refused).addCallback(over)

    def _lease(self, asked: Asked) -> Deferred[Answer]:
        if len(asked.body) > MOST_BODY:
            raise wire.WireError(f"the body has {len(asked.body)} bytes, expected at most {MOST_BODY}")
        wanted = read_wanted(asked.header, asked.body, self._duration)
        return self._in_time(self.queue.ask(wanted), wanted.wait).addCallback(_lease_answer)

    def _keepalive(self, asked: Asked) -> Deferred[Answer]:
        kept = self._in_time(self._store.keep(wire.read_id(asked.body)), 0.0)
        return kept.addCallback(_keepalive_answer)

    def _release(self, asked: Asked) -> Deferred[Answer]:
        released = self._in_time(self._store.release(wire.read_id(asked.body)), 0.0)
        return released.addCallback(lambda there: Answer(wire.HELD if there else wire.OVER))

    def _in_time(self, result: Deferred[Any], wait: float) -> Deferred[Any]:
        """Cancel what the store cannot do in time; most is done at once."""
        return result if result.called else result.addTimeout(wait + STORE_PATIENCE, self._clock)


def _lease_answer(result: Granted | Refused) -> Answer:
    if isinstance(result, Granted):
        headers = {wire.TTL: wire.write_ttl(result.ttl), wire.TOKEN: str(result.token)}
        return Answer(wire.GRANTED, wire.id_body(result.lease), headers)
    headers = {wire.REASON: wire.encoded(result.reason)}
    if result.holder is not None:
        headers[wire.HOLDER] = wire.encoded(result.holder)
    return Answer(wire.REFUSED, wire.NOTHING, headers)


def _keepalive_answer(ttl: float | None) -> Answer:
    if ttl is None:
        return Answer(wire.OVER)
    return Answer(wire.HELD, headers={wire.TTL: wire.write_ttl(ttl)})


def _refused(failure: Failure) -> Answer:
    failure.trap(wire.WireError, StoreError, TimeoutError)
    error = failure.value
    if isinstance(error, wire.WireError):
        return complaint(400, str(error))
    if isinstance(error, StoreError):
        return complaint(503, str(error), {"retry-after": "1"})
    return complaint(503, f"the store did not answer within {STORE_PATIENCE:g}s", {"retry-after": "1"})
