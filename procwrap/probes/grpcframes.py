"""Cuts what an HTTP/2 server sends into frames (RFC 9113, 4.1), and no more of them than an answer needs."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field, frozen

from procwrap.probes.grpcwire import WireError

HEADERS, SETTINGS, GOAWAY = 1, 4, 7

MOST_BYTES = 65_536
"""Bytes that one connection may bring."""
MOST_FRAMES = 256
"""Frames that one connection may bring: each costs time, however small it is."""
LONGEST_PAYLOAD = 16_384
"""What RFC 9113 (4.2) allows to who has not offered more, and we have not."""

_HEAD = 9


@frozen
class Frame:
    """One whole frame.

    Attributes:
        octets: all of it, as it came.
    """

    kind: int
    octets: bytes

    @property
    def payload(self) -> bytes:
        """What follows its nine bytes of head."""
        return self.octets[_HEAD:]


@define(eq=False)
class Frames:
    """What one connection has brought so far."""

    _rest: bytearray = field(factory=bytearray)
    _bytes: int = 0
    _count: int = 0

    def cut(self, data: bytes) -> Iterator[Frame]:
        """Add what has come and return the frames that are whole now.

        Raises:
            WireError: it is no HTTP/2, or more than any answer needs.
        """
        self._bytes += len(data)
        if self._bytes > MOST_BYTES:
            raise WireError("an endless answer")
        self._rest += data
        if not self._count:
            _refuse_others(bytes(self._rest))
        while len(self._rest) >= _HEAD:
            size = int.from_bytes(self._rest[:3], "big")
            if size > LONGEST_PAYLOAD:
                raise WireError("broken HTTP/2 (a frame that is too long)")
            if len(self._rest) < _HEAD + size:
                return
            frame = Frame(self._rest[3], bytes(self._rest[: _HEAD + size]))
            del self._rest[: _HEAD + size]
            self._count += 1
            if self._count > MOST_FRAMES:
                raise WireError("an endless answer")
            yield frame

    @property
    def silent(self) -> bool:
        """Whether nothing has come at all."""
        return not self._bytes


def _refuse_others(data: bytes) -> None:
    """An HTTP/2 server begins with SETTINGS for all streams (RFC 9113, 3.4); others are told apart."""
    if data.startswith(b"HTTP/"):
        raise WireError("the server speaks HTTP/1, not HTTP/2")
    if data.startswith((b"\x15\x03", b"\x16\x03")):
        raise WireError("the server speaks TLS; the probe is plaintext HTTP/2, as the kubelet's")
    head = data[:_HEAD]
    size = int.from_bytes(head[:3], "big")
    if size > LONGEST_PAYLOAD or (len(head) == _HEAD and (head[3] != SETTINGS or any(head[5:]))):
        raise WireError("not an HTTP/2 server")
