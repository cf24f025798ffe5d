"""Something that speaks MySQL's protocol, by hand: an admin port such as ProxySQL's, or a liar."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.protocol import Factory, Protocol

from tests.support.peers import reactor

QUIT, QUERY, PING = 1, 3, 14
OK = b"\x00\x00\x00\x02\x00\x00\x00"
EOF = b"\xfe\x00\x00\x02\x00"
SWITCH = b"\xfe"
"""Begins a demand for another way to log in, whose name follows, ended by a NUL."""


def error(code: int, message: str) -> bytes:
    """An ERR packet."""
    return b"\xff" + struct.pack("<H", code) + b"#42000" + message.encode()


def rows(*values: str | None) -> list[bytes]:
    """The packets of an answer with one column."""
    column = b"".join(map(_text, (b"def", b"", b"", b"", b"v", b"")))
    column += b"\x0c\x2d\x00\xff\x00\x00\x00\xfd\x00\x00\x00\x00\x00"
    found = [b"\xfb" if value is None else _text(value.encode()) for value in values]
    return [b"\x01", column, EOF, *found, EOF]


def _text(value: bytes) -> bytes:
    assert len(value) < 251
    return bytes([len(value)]) + value


def packet(number: int, payload: bytes) -> bytes:
    """A payload with its header."""
    return struct.pack("<I", len(payload))[:3] + bytes([number & 255]) + payload


def greeting(plugin: bytes = b"mysql_native_password") -> bytes:
    """What a server says first (Protocol::HandshakeV10)."""
    able = 1 | 4 | 8 | 512 | 8192 | 32768 | 1 << 19
    return b"".join(
        (
            b"\x0a5.5.30\0" + struct.pack("<I", 7) + b"8 bytes.\0",
            struct.pack("<HBHHB", able & 0xFFFF, 45, 2, able >> 16, 21) + bytes(10) + b"12 bytes....\0",
            plugin + b"\0",
        )
    )


class Spoken(Protocol):
    """One connection."""

    _buffer = b""
    _has_login = False

    def connectionMade(self) -> None:
        """Greet."""
        self.factory.open.add(self)
        self.say(0, self.factory.greeting)

    def say(self, number: int, *payloads: bytes) -> None:
        """Send packets that are numbered on; anything but bytes of a packet is sent by tests themselves."""
        for offset, payload in enumerate(payloads):
            self.transport.write(packet(number + offset, payload))

    def dataReceived(self, data: bytes) -> None:
        """Take every whole packet."""
        self.factory.heard += data
        self._buffer += data
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[:3], "little")
            if len(self._buffer) < 4 + length:
                return
            number, payload = self._buffer[3], self._buffer[4 : 4 + length]
            self._buffer = self._buffer[4 + length :]
            self._take(number, payload)

    def _take(self, number: int, payload: bytes) -> None:
        if not self._has_login:
            self._has_login = True
            self.say(number + 1, self.factory.login)
            return
        self.factory.commands.append((payload[0], payload[1:].decode()))
        if payload[0] == QUIT:
            self.transport.loseConnection()
        elif payload[0] == PING:
            self.say(1, OK)
        else:
            self._answer(payload)

    def _answer(self, payload: bytes) -> None:
        known = self.factory.answers if payload[0] == QUERY else {}
        found = known.get(payload[1:].decode())
        if isinstance(found, bytes):
            # The answer of a liar, as it stands; then it hangs up.
            self.transport.write(found)
            self.transport.loseConnection()
        else:
            self.say(1, *(found or [error(1045, "ProxySQL Admin Error: syntax error")]))

    def connectionLost(self, reason: object = None) -> None:
        """Forget."""
        self.factory.open.discard(self)


class MySqlScript(Factory):
    """Listens on a free port of 127.0.0.1; refuses every query that is not in ``answers``.

    Attributes:
        commands: every command that it was given, with its text.
        heard: every byte.
    """

    protocol = Spoken
    noisy = False

    def __init__(
        self, answers: Mapping[str, Sequence[bytes] | bytes], login: bytes = OK, first: bytes | None = None
    ) -> None:
        self.answers, self.login = answers, login
        self.greeting = greeting() if first is None else first
        self.commands: list[tuple[int, str]] = []
        self.heard, self.open = b"", set[Any]()
        self.listening = reactor.listenTCP(0, self, interface="127.0.0.1")
        self.port: int = self.listening.getHost().port

    def stop(self) -> Any:
        """Stop listening and leave everybody."""
        for connection in tuple(self.open):
            connection.transport.abortConnection()
        return self.listening.stopListening()
