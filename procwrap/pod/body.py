"""Bodies of answers that are taken as they come."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

from procwrap.pod.problem import ApiError


def deliver(
    response: IResponse, take: Callable[[bytes], None], clock: IReactorTime, seconds: float
) -> Deferred[None]:
    """Return a Deferred that fires when a body was taken to its end; cancelling it closes the connection.

    Args:
        response: whose.
        take: gets each piece; what it raises closes the connection and is what the Deferred fails with.
        clock: for its time.
        seconds: for all of it.
    """
    taking = _Taking(take)
    response.deliverBody(taking)
    taking.hurry(clock, seconds)
    return taking.done


class _Taking(Protocol):
    """Takes a body piece by piece."""

    _timer: IDelayedCall | None = None
    _over = False

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self.done: Deferred[None] = Deferred(lambda _: self._close())

    def hurry(self, clock: IReactorTime, seconds: float) -> None:
        if not self._over:
            self._timer = clock.callLater(seconds, self._too_late, seconds)

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        try:
            self._take(data)
        except Exception:
            failure = Failure()
            self._close()
            self._finish(failure)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._over:
            return
        self._over = True
        self._disarm()
        # Of a body without a length, nobody can say whether it was cut off.
        self._finish(None if reason.check(ResponseDone, PotentialDataLoss) else reason)

    def _too_late(self, seconds: float) -> None:
        self._timer = None
        self._close()
        self._finish(Failure(ApiError(f"the API server has not ended its answer within {seconds:g}s")))

    def _finish(self, failure: Failure | None) -> None:
        # What was taken may have made somebody cancel it.
        if not self.done.called:
            self.done.callback(failure)

    def _close(self) -> None:
        self._over = True
        self._disarm()
        if self.transport is not None:
            self.transport.loseConnection()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
