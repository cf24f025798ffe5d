"""What tests of server-sent events need: those that came, as a browser understands them, and who follows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.logs.recent import Recent
from tests.support.web import Host, SlowWire

LOGS = "/api/processes/api/logs?follow&lines=0"


class Told(NamedTuple):
    """One event: its kind (``message`` unless it has one), its data line by line, and its id."""

    kind: str
    data: str
    id: str = ""

    @property
    def json(self) -> Any:
        """The data, where that is JSON."""
        return json.loads(self.data)


class Body:
    """A chunked body (RFC 9112, 7.1), taken apart as it comes.

    Attributes:
        data: what has come in whole chunks.
        is_whole: whether that is all.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_whole = False
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """Take what has come next."""
        body = self._rest + piece
        start = 0
        while (end := body.find(b"\r\n", start)) >= 0:
            length = int(body[start:end], 16)
            if len(body) < end + 2 + length + 2:
                break
            self.is_whole = not length
            self.data += body[end + 2 : end + 2 + length]
            start = end + 2 + length + 2
        self._rest = body[start:]


def unchunked(piece: bytes) -> Body:
    """Take a body apart that has come so far."""
    body = Body()
    body.take(piece)
    return body


def events(data: bytes) -> list[Told]:
    """Read whole events as the HTML standard has it; comments are left out."""
    found = []
    for block in data.decode().split("\n\n")[:-1]:
        fields: dict[str, list[str]] = {}
        for line in re.split(r"\r\n|\r|\n", block):
            name, _, value = line.partition(":")
            if name:
                fields.setdefault(name, []).append(value.removeprefix(" "))
        if "data" in fields:
            kind, number = fields.get("event", ["message"]), fields.get("id", [""])
            found.append(Told(kind[-1], "\n".join(fields["data"]), number[-1]))
    return found


class ChunkWire(SlowWire):
    """A slow client of chunks, which are written in parts."""

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))


class Watcher:
    """One client that follows something, through a site and a wire in memory.

    Attributes:
        most: bytes that it reads at a time.
    """

    def __init__(
        self,
        site: Any,
        target: str,
        most: int = 1 << 30,
        headers: Sequence[bytes] = (),
        method: bytes = b"GET",
    ) -> None:
        self.wire = ChunkWire()
        self.wire.most = most
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.wire)
        self._read = bytearray()
        lines = [b"%b %b HTTP/1.1" % (method, target.encode()), b"Host: x", *headers]
        self.channel.dataReceived(b"\r\n".join(lines) + b"\r\n\r\n")

    def read(self) -> None:
        """Take what is there, and let more come."""
        self._read += self.wire.value()
        self.wire.read()

    @property
    def head(self) -> bytes:
        """The response's head."""
        return bytes(self._read + self.wire.value()).partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        """What has come so far."""
        return bytes(self._taken.data)

    @property
    def is_whole(self) -> bool:
        """Whether the server has said that nothing more comes."""
        return self._taken.is_whole

    @property
    def _taken(self) -> Body:
        return unchunked(bytes(self._read + self.wire.value()).partition(b"\r\n\r\n")[2])

    @property
    def told(self) -> list[Told]:
        """What was told so far."""
        return events(self.body)

    @property
    def kinds(self) -> list[str]:
        """What kind of events these were."""
        return [told.kind for told in self.told]

    def leave(self) -> None:
        """Be gone."""
        if self.wire.producer is not None:
            self.channel.stopProducing()
        self.channel.connectionLost(Failure(ConnectionDone()))


LINE = b"x" * 1023 + b"\n"


class FollowingCase(SynchronousTestCase):
    """A host that is asked by operators."""

    def setUp(self) -> None:
        self.host = Host(token="s3cret", recents={"api": Recent(), "db": Recent()})
        self.host.declare()
        self.site: Any = self.host.site()
        self.watchers: list[Watcher] = []
        self.addCleanup(self.leave)

    def leave(self) -> None:
        """Let everybody leave; nothing may be left of them."""
        for watcher in self.watchers:
            watcher.leave()
        self.assertEqual(self.host.clock.getDelayedCalls(), [])
        self.assertEqual(self.host.watchers, 0)
        self.assertEqual([recent._takers for recent in self.host.recents.values()], [(), ()])
        self.assertEqual(self.host.journal._takers, [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def follow(self, target: str = LOGS, last: str | None = None, **how: Any) -> Watcher:
        """Let somebody follow, perhaps from the last event on that it was told."""
        headers = [b"Authorization: Bearer s3cret"]
        if last is not None:
            headers.append(b"Last-Event-ID: " + last.encode())
        watcher = Watcher(self.site, target, headers=headers, **how)
        self.watchers.append(watcher)
        return watcher

    def print(self, lines: int, name: str = "api") -> None:
        """Let a process print lines, each a chunk of 1 KiB."""
        for _ in range(lines):
            self.host.recents[name].add(LINE, 1)

    def lines_of(self, watcher: Watcher) -> int:
        """How many lines somebody was told."""
        return sum(told.data.count("\n") + 1 for told in watcher.told if told.kind == "message")
