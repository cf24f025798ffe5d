from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.probes.grpcframes import LONGEST_PAYLOAD, MOST_BYTES, MOST_FRAMES, SETTINGS, Frame, Frames
from procwrap.probes.grpcwire import WireError


def frame(kind: int, payload: bytes = b"", stream: int = 0) -> bytes:
    """A frame as it travels."""
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big") + payload


FIRST = frame(SETTINGS)


def whole(data: bytes, piece: int) -> list[Frame]:
    """The frames of a text that comes in pieces."""
    frames = Frames()
    return [found for at in range(0, len(data), piece) for found in frames.cut(data[at : at + piece])]


def refusal(*pieces: bytes) -> tuple[int, str]:
    """The first of these pieces that is refused, and why; 0 when none is."""
    frames = Frames()
    for number, piece in enumerate(pieces, start=1):
        try:
            list(frames.cut(piece))
        except WireError as error:
            return number, str(error)
    return 0, ""


@pytest.mark.parametrize("piece", [1, 2, 8, 9, 10, 1000])
def test_frames_arrive_in_any_pieces(piece: int) -> None:
    """A frame is there when its last byte is, however the network cuts."""
    sent = [frame(SETTINGS, b"123456"), frame(1, b"x" * 30, 1), frame(0, b"", 1)]
    found = whole(b"".join(sent), piece)
    assert [each.octets for each in found] == sent
    assert [(each.kind, each.payload) for each in found] == [(4, b"123456"), (1, b"x" * 30), (0, b"")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "the server speaks HTTP/1, not HTTP/2"),
        (b"\x15\x03\x01\0\2\2F", "the server speaks TLS; the probe is plaintext HTTP/2, as the kubelet's"),
        (b"+PONG\r\n", "not an HTTP/2 server"),
        (b"220 mail ESMTP\r\n", "not an HTTP/2 server"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP/2 server"),
        (frame(6, b"12345678"), "not an HTTP/2 server"),
        (frame(SETTINGS, b"", 1), "not an HTTP/2 server"),
        (b"J\0\0\0\n8.0.36", "not an HTTP/2 server"),
    ],
)
def test_others_are_told_apart(data: bytes, said: str) -> None:
    """A server that is none of HTTP/2 is known by its first bytes, long before it has sent a 'frame'."""
    assert refusal(data) == (1, said)
    # However slowly it comes, nine bytes are enough.
    assert refusal(*[bytes([octet]) for octet in data])[0] in range(1, 10)


def test_bounds() -> None:
    """Neither many bytes, nor many frames, nor a long one are put up with."""
    longest = frame(0, b"x" * LONGEST_PAYLOAD, 1)
    fit = MOST_BYTES // len(longest)
    assert refusal(FIRST, *[longest] * fit, longest) == (fit + 2, "an endless answer")
    assert refusal(FIRST, FIRST * (MOST_FRAMES - 1), FIRST) == (3, "an endless answer")
    too_long = frame(0, b"x" * (LONGEST_PAYLOAD + 1))
    assert refusal(FIRST, too_long) == (2, "broken HTTP/2 (a frame that is too long)")


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes(pieces: list[bytes]) -> None:
    """Any bytes are frames, no frames yet, or refused in words."""
    frames = Frames()
    found: list[bytes] = []
    with contextlib.suppress(WireError):
        found.extend(each.octets for piece in pieces for each in frames.cut(piece))
    assert b"".join(pieces).startswith(b"".join(found))
