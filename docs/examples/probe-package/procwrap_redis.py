"""A procwrap probe that asks a Redis server for PONG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from procwrap.errors import ProbeError


class Redis:
    """Connects, logs in if there is a password, and sends PING."""

    default_timeout = 2.0
    expected = "PONG"

    @staticmethod
    def configure(settings: Mapping[str, Any]) -> tuple[str, int, str]:
        """Read the settings; what this returns is handed to the constructor."""
        for key in settings.keys() - {"address", "password"}:
            raise ValueError(f"{key}: unknown key: expected one of address, password, timeout")
        host, colon, port = str(settings.get("address", "localhost:6379")).rpartition(":")
        if not colon or not port.isdecimal():
            raise ValueError(f'address: expected "host:port", got "{settings["address"]}"')
        return host.strip("[]") or "localhost", int(port), str(settings.get("password", ""))

    def __init__(self, settings: tuple[str, int, str], context: Any) -> None:
        host, port, self._password = settings
        self.target = f"{host}:{port}"
        self._endpoint = context.endpoint(host, port)
        self._environment = context.environment

    async def check(self) -> None:
        """Look once. Cancelled at the timeout, it leaves the connection through ``finally``."""
        redis = await self._endpoint.connect(Factory.forProtocol(Conversation))
        try:
            password = self._password or self._environment().get("REDIS_PASSWORD", "")
            if password:
                await redis.ask("AUTH", password)
            answer = await redis.ask("PING")
        finally:
            redis.transport.abortConnection()
        if answer != "PONG":
            raise ProbeError(answer)


class Conversation(LineOnlyReceiver):
    """One question at a time, in the protocol of https://redis.io/docs/latest/develop/reference/protocol-spec/."""

    MAX_LENGTH = 1024
    _waiting: Deferred[str] | None = None

    def ask(self, *words: str) -> Deferred[str]:
        """Send a command; the Deferred fires with a simple answer, and fails when the server refuses."""
        command = f"*{len(words)}\r\n".encode()
        for word in words:
            command += b"$%d\r\n%b\r\n" % (len(word.encode()), word.encode())
        self.transport.write(command)
        self._waiting = Deferred()
        return self._waiting

    def lineReceived(self, line: bytes) -> None:
        """Take the answer; it begins with ``+``, an error with ``-``."""
        waiting, self._waiting = self._waiting, None
        text = line.decode("utf-8", "replace")
        if waiting is None:
            self.transport.abortConnection()
        elif text.startswith("+"):
            waiting.callback(text[1:])
        else:
            waiting.errback(ProbeError(text))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody is to wait for an answer any more."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(reason)
