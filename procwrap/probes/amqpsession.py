"""One AMQP connection through pika's Twisted adapter, with a bound on everything and words for every end."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

from pika.adapters.twisted_connection import TwistedProtocolConnection
from pika.connection import ConnectionParameters
from pika.credentials import ExternalCredentials, PlainCredentials
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure

from procwrap.dsn.amqp import AmqpDsn
from procwrap.probes.amqpwords import first_words, lost_words

MOST = 1024 * 1024
"""Bytes that a broker may say in one round; a handshake takes 600, a round trip 13."""
LINGER = 1.0
"""Seconds for a broker to say goodbye."""
FRAME = b"\x01"
"""What the first frame begins with, Connection.Start being a method (AMQP 0-9-1, 2.3.5)."""

# Every end of a connection is a warning or an error to pika. What matters of it is in the failed probe.
_pika = logging.getLogger("pika")
_pika.setLevel(logging.CRITICAL + 1)
_pika.propagate = False


class LostError(Exception):
    """The connection is over; the text says why."""


class Session(TwistedProtocolConnection):
    """A connection from its first byte to its end.

    pika's adapter forgets why a connection was closed (it reports every end as ConnectionDone), buffers
    without bound, and raises at what is no AMQP; so what it is told is looked at here, before and after.

    Attributes:
        lost: whether the connection is gone and its descriptor closed.
    """

    transport: Any

    def __init__(self, dsn: AmqpDsn, clock: Any) -> None:
        super().__init__(parameters(dsn), custom_reactor=clock)
        self._dsn, self._clock = dsn, clock
        self.lost = False
        self._why: str | None = None
        self._said = 0
        self._greeted = False
        self._goodbye: IDelayedCall | None = None
        self._opening: Deferred[None] | None = None
        self._mourners: list[Deferred[None]] = []
        self._channel: Any = None
        if self.ready is not None:
            # A failure is told by opened(), which knows more of it.
            self.ready.addErrback(lambda _: None)

    @property
    def usable(self) -> bool:
        """Whether it is open, as far as we know, and stays so."""
        return self.is_open and self._why is None and self._impl._error is None

    def opened(self) -> Deferred[None]:
        """Return a Deferred that fires when the handshake is done, and fails with LostError."""
        waiting: Deferred[None] = Deferred()
        self._opening = waiting
        if self.usable:
            waiting.callback(None)
        elif self._why is not None:
            waiting.errback(LostError(self._why))
        return waiting

    @inlineCallbacks
    def ask(self) -> Generator[Deferred[Any], Any, None]:
        """Have the broker answer; fails with LostError.

        It is told the quality of service that it has anyway, on a channel kept for that: one small frame each
        way, which no user is forbidden and nobody is disturbed by.
        """
        self._said = 0
        try:
            if self._channel is None:
                self._channel = yield self.channel()
            yield self._channel.basic_qos()
        except CancelledError:
            raise
        except Exception as error:
            raise LostError(self._why or f"no channel ({type(error).__name__})") from None

    def leave(self) -> None:
        """Say goodbye, and hang up on a broker that does not answer in time."""
        if self.usable:
            self._why = "closed by us"
            self._hang_up_soon()
            self.close()
        else:
            self.part()

    def part(self) -> None:
        """Hang up, unless a goodbye is under way."""
        if self._goodbye is None:
            self.abort()

    def abort(self) -> None:
        """Hang up now."""
        self._why = self._why or "closed by us"
        if self.transport is not None and not self.lost:
            self.transport.abortConnection()

    def gone(self) -> Deferred[None]:
        """Return a Deferred that fires when the connection is gone."""
        mourner: Deferred[None] = Deferred(self._mourners.remove)
        if self.lost:
            mourner.callback(None)
        else:
            self._mourners.append(mourner)
        return mourner

    def dataReceived(self, data: bytes) -> None:
        """Pass on to pika what is AMQP and not too much."""
        self._said += len(data)
        if not self._greeted and not data.startswith(FRAME):
            self._end(first_words(data, self.transport))
        elif self._said > MOST:
            self._end("an endless answer")
        else:
            self._greeted = True
            self._pass_on(data)

    def connectionReady(self) -> Session:
        """Called by pika when the handshake is done."""
        self._settle()
        return self

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell everybody who waits."""
        self.lost = True
        self._why = self._why or self._words(reason.value)
        if self._goodbye is not None:
            self._goodbye.cancel()
            self._goodbye = None
        try:
            super().connectionLost(reason)
        finally:
            self._settle()
            mourners, self._mourners = self._mourners, []
            for mourner in mourners:
                mourner.callback(None)

    def _pass_on(self, data: bytes) -> None:
        try:
            super().dataReceived(data)
        except Exception as error:
            self._end(f"not proper AMQP ({type(error).__name__})")
            return
        if self._impl._error is not None and self._why is None:
            # pika hangs up, but over TLS that would wait for the goodbye of a broker that may be dead.
            self._why = self._words(None)
            self._hang_up_soon()
            self._settle()

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self.abort()
        self._settle()

    def _settle(self) -> None:
        opening, self._opening = self._opening, None
        if opening is None or opening.called:
            return
        if self._why is None:
            opening.callback(None)
        else:
            opening.errback(LostError(self._why))

    def _words(self, error: BaseException | None) -> str:
        return lost_words(self._dsn, self._impl.connection_state, self._impl._error, error)

    def _hang_up_soon(self) -> None:
        if self._goodbye is None:
            self._goodbye = self._clock.callLater(LINGER, self._give_up)

    def _give_up(self) -> None:
        self._goodbye = None
        self.abort()


class Sessions(Factory):
    """Makes the session of one attempt to connect."""

    noisy = False

    def __init__(self, dsn: AmqpDsn, clock: Any) -> None:
        self._dsn, self._clock = dsn, clock
        self.made: Session | None = None

    def buildProtocol(self, addr: object) -> Session:
        """Called when there is a connection."""
        self.made = Session(self._dsn, self._clock)
        return self.made


def parameters(dsn: AmqpDsn) -> ConnectionParameters:
    """Say to pika what a DSN asks for; host, port and TLS are Twisted's business."""
    options = dsn.options
    plain = options.mechanism == "PLAIN"
    made = ConnectionParameters(
        virtual_host=dsn.vhost,
        credentials=PlainCredentials(dsn.user, dsn.password) if plain else ExternalCredentials(),
        frame_max=options.frame_max,
        heartbeat=options.heartbeat,
        client_properties={"product": "procwrap", "connection_name": "procwrap probe"},
    )
    if options.channel_max:
        made.channel_max = options.channel_max
    return made
