"""One request over HTTP/2, in plaintext and with prior knowledge (RFC 9113, 3.3), on its own connection."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from procwrap.probes.grpcframes import GOAWAY, LONGEST_PAYLOAD, Frame, Frames
from procwrap.probes.grpcwire import Answer, WireError, refused

LINGER = 1.0
"""Seconds for a connection to close after the answer."""
STREAM = 1
"""The first stream that a client opens."""

Headers = list[tuple[str, str]]
_CLIENT = H2Configuration(client_side=True, header_encoding=None)


@frozen
class Request:
    """What is asked.

    Attributes:
        headers: pseudo headers first.
    """

    headers: Headers
    body: bytes


class Exchange(Protocol):
    """Sends a request as soon as it is connected, and closes the connection when the answer is there.

    Attributes:
        answer: fires with the Answer or fails with WireError; cancelling it aborts the connection.
    """

    transport: Any

    def __init__(self, request: Request, clock: IReactorTime) -> None:
        self.answer: Deferred[Answer] = Deferred(self._cancelled)
        self._request = request
        self._clock = clock
        self._frames = Frames()
        self._connection = _connection()
        self._headers: dict[str, str] = {}
        self._trailers: dict[str, str] = {}
        self._body = bytearray()
        self._farewell = ""
        self._over = False
        self._closing: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Ask at once: nothing of what the server may settle concerns a request this small."""
        if self.transport.getHost() == self.transport.getPeer():
            # The kernel connected an ephemeral port to itself; see the tcp probe.
            self._fail("nobody listens")
            return
        connection = self._connection
        try:
            connection.initiate_connection()
            connection.send_headers(STREAM, self._request.headers)
            connection.send_data(STREAM, self._request.body, end_stream=True)
        except H2Error as error:
            self._fail(f"it cannot be asked ({type(error).__name__})")
            return
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        """Take what has come, frame by frame; what comes after the answer is not looked at."""
        try:
            for frame in self._frames.cut(data):
                if self._over:
                    return
                self._take(frame)
            self._flush()
        except WireError as error:
            self._fail(str(error))
        except Exception as error:
            # H2Error in most cases; the others are bugs that a peer must not be able to make a traceback of.
            self._fail(f"broken HTTP/2 ({type(error).__name__})")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Say how far it came."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        begun = bool(self._headers)
        closed = f"connection closed {'within the' if begun else 'without an'} answer"
        self._fail(self._farewell or closed)

    def _take(self, frame: Frame) -> None:
        if frame.kind == GOAWAY:
            self._going_away(frame.payload)
            return
        for event in self._connection.receive_data(frame.octets):
            if not self._over:
                self._happened(event)

    def _happened(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._headers = _decoded(event.headers)
                if reason := refused(self._headers):
                    self._fail(reason)
            case DataReceived():
                self._body += event.data or b""
                self._connection.acknowledge_received_data(event.flow_controlled_length or 0, STREAM)
            case TrailersReceived():
                self._trailers = _decoded(event.headers)
            case StreamEnded():
                self._finish()
            case StreamReset():
                self._fail(f"the server reset the request ({_name(event.error_code)})")
            case _:
                pass

    def _going_away(self, payload: bytes) -> None:
        """Note a GOAWAY (RFC 9113, 6.8), kept from h2, which takes nothing more after it.

        The streams up to the one it names are still answered.
        """
        last, code = int.from_bytes(payload[:4], "big") & 0x7FFF_FFFF, int.from_bytes(payload[4:8], "big")
        detail = "" if code == ErrorCodes.NO_ERROR else f" ({_name(code)})"
        self._farewell = f"the server is going away{detail}"
        if last < STREAM:
            self._fail(self._farewell)

    def _finish(self) -> None:
        self._over = True
        self._connection.close_connection()
        self._flush()
        self._closing = self._clock.callLater(LINGER, self._abort)
        self.transport.loseConnection()
        self.answer.callback(Answer(self._headers, self._trailers, bytes(self._body)))

    def _fail(self, seen: str) -> None:
        if not self._over:
            self._over = True
            self.transport.abortConnection()
            self.answer.errback(WireError(seen))

    def _cancelled(self, _: Deferred[Answer]) -> None:
        self._over = True
        self.transport.abortConnection()

    def _abort(self) -> None:
        self._closing = None
        self.transport.abortConnection()

    def _flush(self) -> None:
        self.transport.write(self._connection.data_to_send())


def _connection() -> H2Connection:
    connection = H2Connection(_CLIENT)
    offered = {
        SettingCodes.ENABLE_PUSH: 0,
        SettingCodes.MAX_CONCURRENT_STREAMS: 1,
        SettingCodes.MAX_HEADER_LIST_SIZE: LONGEST_PAYLOAD,
    }
    connection.local_settings = Settings(client=True, initial_values=offered)
    connection.decoder.max_header_list_size = LONGEST_PAYLOAD
    return connection


def _decoded(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers or ()}


def _name(code: Any) -> str:
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error {code}"
