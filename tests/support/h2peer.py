"""The server's side of HTTP/2 in memory: sees what a client sent, and answers as told."""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, PingAckReceived, RequestReceived
from h2.settings import SettingCodes
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport

HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]
SERVING = b"\0\0\0\0\2\x08\1"


class H2Peer:
    """Speaks with one client protocol that is connected to a StringTransport.

    Attributes:
        headers: what the client asked.
        body: what it sent with it.
    """

    def __init__(self, client: Protocol, transport: StringTransport) -> None:
        self.client, self.transport = client, transport
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.headers: dict[str, str] = {}
        self.body = b""
        self.pings_answered = 0
        self.h2.initiate_connection()
        self.listen()

    def listen(self) -> None:
        """Take what the client has written."""
        sent = self.transport.value()
        self.transport.clear()
        for event in self.h2.receive_data(sent):
            match event:
                case RequestReceived():
                    self.headers = dict(event.headers)
                case DataReceived():
                    self.body += event.data
                case PingAckReceived():
                    self.pings_answered += 1

    def flush(self, piece: int | None = None) -> None:
        """Send what waits, in pieces of so many bytes."""
        data = self.h2.data_to_send()
        step = piece or max(1, len(data))
        for at in range(0, len(data), step):
            self.client.dataReceived(data[at : at + step])

    def answer(
        self, body: bytes = SERVING, headers: Any = HEADERS, trailers: Any = OK, *, frames: int = 1
    ) -> None:
        """Answer in full, the body in so many frames."""
        self.h2.send_headers(1, headers)
        step = max(1, -(-len(body) // frames))
        for at in range(0, len(body), step):
            self.h2.send_data(1, body[at : at + step])
        self.h2.send_headers(1, trailers, end_stream=True)
        self.flush()

    def refuse(self, headers: Any) -> None:
        """Answer with headers alone."""
        self.h2.send_headers(1, headers, end_stream=True)
        self.flush()

    def settle(self) -> None:
        """Send settings, a ping and a larger window, as real servers do first."""
        self.h2.update_settings({SettingCodes.MAX_FRAME_SIZE: 32_768})
        self.h2.ping(b"12345678")
        self.h2.increment_flow_control_window(65_536)
        self.flush()
        self.listen()
