"""/metrics: procwrap's own, in whichever text format is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator
from twisted.web.iweb import IRequest

from procwrap.core.histogram import Histogram
from procwrap.metrics.collector import Collector
from procwrap.metrics.page import Page
from procwrap.metrics.syntax import Syntax, wanted
from procwrap.web.answers import OK, UNAVAILABLE, Handler, Reply, complaint
from procwrap.web.seats import Seats
from procwrap.web.slices import done_in_slices

AT_ONCE = 16
"""Answers that are being written at a time."""

BUSY = complaint(UNAVAILABLE, "too many ask for metrics at a time", ((b"Retry-After", b"5"),))


@define(eq=False)
class Metrics:
    """Answers /metrics, a little at a time: with thousands of processes it takes too long for one go.

    Attributes:
        slices: as from ``procwrap.web.slices``.
    """

    _collector: Collector
    _slices: Cooperator
    _seats: Seats = field(factory=lambda: Seats(AT_ONCE))

    def asked(self, request: IRequest) -> Reply | Deferred[Reply]:
        """Write what is true now; cancelling the Deferred ends it."""
        if not self._seats.take():
            return BUSY
        syntax = wanted(",".join(request.requestHeaders.getRawHeaders("accept", [])))
        pieces: list[bytes] = []
        answer = done_in_slices(self._slices, self._write(syntax, pieces))
        content_type = syntax.value.encode()
        return answer.addBoth(self._seats.left).addCallback(
            lambda _: Reply(OK, b"".join(pieces), content_type)
        )

    def _write(self, syntax: Syntax, pieces: list[bytes]) -> Iterator[None]:
        page = Page()
        yield from self._collector.collect(page)
        for piece in page.write(syntax):
            pieces.append(piece)
            yield


def timed(answer: Handler, clock: IReactorTime, histogram: Histogram) -> Handler:
    """Return what answers the same and counts how long that took."""

    def asked(request: IRequest) -> Reply | Deferred[Reply]:
        began = clock.seconds()

        def over(result: Any) -> Any:
            histogram.add(clock.seconds() - began)
            return result

        reply = answer(request)
        return reply.addBoth(over) if isinstance(reply, Deferred) else over(reply)

    return asked
