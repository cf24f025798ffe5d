"""Part of the composition root: what the lock server answers, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.internet.task import Cooperator, TaskStopped
from twisted.web.iweb import IRequest

from procwrap.interfaces import ILeaseStore
from procwrap.lock import wire
from procwrap.lock.lease import Lease, StoreError
from procwrap.lock.server import Answer, Asked, LockServer
from procwrap.metrics.lockfamily import lock_page
from procwrap.metrics.syntax import wanted as wanted_syntax
from procwrap.web.answers import JSON, OK, UNAVAILABLE, Handler, Reply, complaint
from procwrap.web.connections import BoundedSite
from procwrap.web.front import Front
from procwrap.web.limits import Limits
from procwrap.web.routing import Access, Route, routed
from procwrap.web.slices import slices

PUBLIC = Access.EVERYONE
LISTINGS_AT_ONCE = 4
VITAL = (b"/health", b"/keepalive", b"/release")
"""What is answered even when there are more connections than are served: no holder loses its lock by that."""


def make_lock_site(
    server: LockServer,
    store: ILeaseStore,
    clock: IReactorTime,
    limits: Limits,
    report: Callable[[str], None],
) -> IProtocolFactory:
    """Build the factory of all connections to a lock server.

    Args:
        server: answers those who want locks.
        store: what is held.
        clock: the reactor's time.
        limits: of all that clients can take.
        report: called with one line when a route breaks.
    """
    look = Look(server, store, slices(clock))
    routes = (
        Route(wire.LEASE, ("POST",), PUBLIC, answering(server.lease)),
        Route(wire.KEEPALIVE, ("POST",), PUBLIC, answering(server.keepalive)),
        Route(wire.RELEASE, ("POST",), PUBLIC, answering(server.release)),
        Route("/leases", ("GET",), PUBLIC, look.leases),
        Route("/health", ("GET",), PUBLIC, answering(server.health)),
        Route("/metrics", ("GET",), PUBLIC, look.metrics),
    )
    return BoundedSite(Front(routed(routes, report), {}), clock, limits, vital=VITAL)


def answering(answer: Callable[[Asked], Deferred[Answer]]) -> Handler:
    """Return what answers over HTTP as ``answer`` does."""

    def asked(request: Any) -> Deferred[Reply]:
        headers = request.requestHeaders

        def header(name: str) -> str | None:
            values: list[str] = headers.getRawHeaders(name, ())
            return values[0] if values else None

        return answer(Asked(header, request.content.read())).addCallback(_reply)

    return asked


def _reply(answer: Answer) -> Reply:
    headers = tuple((name.encode(), value.encode()) for name, value in answer.headers.items())
    return Reply(answer.code, answer.body, answer.content_type.encode(), headers)


@define(eq=False)
class Look:
    """Answers those who want to see what is held; a little at a time, for it may be much."""

    _server: LockServer
    _store: ILeaseStore
    _slices: Cooperator
    _writing: int = 0

    def leases(self, _: IRequest) -> Reply | Deferred[Reply]:
        """Answer with all leases."""
        if self._writing >= LISTINGS_AT_ONCE:
            return complaint(UNAVAILABLE, "too many ask for the leases at a time", ((b"Retry-After", b"1"),))
        self._writing += 1
        listed: Deferred[Any] = self._store.leases()
        listed.addCallback(lambda leases: self._joined(_written(leases)))
        listed.addCallback(lambda body: Reply(OK, body, JSON))
        return listed.addErrback(_unavailable).addBoth(self._left)

    def metrics(self, request: IRequest) -> Deferred[Reply]:
        """Answer with the metrics of this server; how many leases there are is left at 0 if nobody knows."""
        syntax = wanted_syntax(",".join(request.requestHeaders.getRawHeaders("accept", [])))
        counted: Deferred[int] = self._store.count()
        counted.addErrback(lambda failure: 0 if failure.check(StoreError) else failure)
        return counted.addCallback(
            lambda held: Reply(OK, b"".join(self._page(held).write(syntax)), syntax.value.encode())
        )

    def _page(self, held: int) -> Any:
        server = self._server
        tallies = server.tallies
        return lock_page(held, server.expired, len(server.queue), tallies.answers, tallies.seconds)

    def _left(self, result: Any) -> Any:
        self._writing -= 1
        return result

    def _joined(self, pieces: Iterator[bytes]) -> Deferred[bytes]:
        found: list[bytes] = []
        task = self._slices.cooperate(_taking(pieces, found))
        done: Deferred[Any] = Deferred(lambda _: task.stop())
        task.whenDone().addCallbacks(
            lambda _: done.callback(b"".join(found)),
            lambda failure: None if failure.check(TaskStopped) else done.errback(failure),
        )
        return done


def _taking(pieces: Iterator[bytes], found: list[bytes]) -> Iterator[None]:
    for piece in pieces:
        found.append(piece)
        yield


def _written(leases: Sequence[Lease]) -> Iterator[bytes]:
    yield b'{"leases": ['
    yield from _separated(leases)
    yield b"]}\n"


def _separated(leases: Iterable[Lease]) -> Iterator[bytes]:
    comma = b""
    for lease in leases:
        said = {
            "key": lease.key,
            "value": lease.value,
            "labels": dict(lease.labels),
            "timestamp": lease.timestamp,
            "since": datetime.fromtimestamp(lease.since, UTC).isoformat(timespec="milliseconds"),
            "ttl": wire.write_ttl(lease.ttl),
            "fencingToken": lease.token,
        }
        yield comma + json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
        comma = b",\n"


def _unavailable(failure: Any) -> Reply:
    failure.trap(StoreError)
    return complaint(UNAVAILABLE, str(failure.value), ((b"Retry-After", b"1"),))
