"""Hears from etcd when a lock has become free, so that whoever waits for it need not ask all the time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from procwrap.lock.stores import etcdwords as words
from procwrap.lock.stores.etcdgateway import ATTEMPT, Gateway

RENEWED = 60.0
"""Seconds after which a watch is begun anew: nobody tells us of a connection that has silently died."""
AGAIN = 1.0


@define(eq=False)
class Watch:
    """One watch after the other.

    What happens in between is not heard of: those who wait look by themselves, too.

    Args:
        freed: is called with each key that has gone.
    """

    _gateway: Gateway
    _clock: IReactorTime
    _freed: Callable[[str], None]
    _current: Deferred[None] | None = field(init=False, default=None)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _stopped: bool = field(init=False, default=False)

    def begin(self) -> None:
        """Begin to listen."""
        self._timer = None
        lines = _Lines(self._heard)
        opened = self._gateway.open(self._gateway.first() + words.WATCH, words.watch())
        opened.addTimeout(ATTEMPT, self._clock)
        self._current = opened.addCallback(self._opened, lines).addErrback(lambda _: None)
        self._current.addBoth(self._over)

    def stop(self) -> None:
        """Listen no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._current is not None:
            self._current.cancel()

    def _opened(self, response: Any, lines: _Lines) -> Deferred[None]:
        response.deliverBody(lines)
        return lines.done.addTimeout(RENEWED, self._clock)

    def _over(self, _: object) -> None:
        self._current = None
        if not self._stopped:
            self._timer = self._clock.callLater(AGAIN, self.begin)

    def _heard(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return
        for key in words.gone(said) if isinstance(said, dict) else ():
            self._freed(key)


class _Lines(LineOnlyReceiver):
    """The messages of one watch."""

    delimiter = b"\n"
    MAX_LENGTH = 16 * 1024 * 1024

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self.done: Deferred[None] = Deferred(lambda _: self._cut())

    def lineReceived(self, line: bytes) -> None:
        self._heard(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.done.called:
            self.done.callback(None)

    def _cut(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
