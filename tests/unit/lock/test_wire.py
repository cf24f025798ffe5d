"""What travels between a lock's client and its server."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.config.units import duration
from procwrap.lock import wire
from procwrap.lock.wanted import read_wanted


@given(st.integers(1, 2**63 - 1))
def test_an_id_arrives_as_it_was_sent(lease: int) -> None:
    """Every lease id that a server may draw can be sent and read."""
    assert wire.read_id(wire.id_body(lease)) == lease


@pytest.mark.parametrize(
    "body", [b"", b"0", b"-1", b"1.0", b"x", b"9223372036854775808", b"1 2", b"\xd9\xa1"]
)
def test_whatever_is_no_id_is_refused(body: bytes) -> None:
    """A keepalive of something else is an error that shows it, never a lease."""
    with pytest.raises(wire.WireError, match="expected a lease id"):
        wire.read_id(body)


@given(st.floats(0.001, 1e6))
def test_a_ttl_arrives_as_it_was_sent(seconds: float) -> None:
    """A TTL is exact to the millisecond."""
    assert wire.read_ttl(wire.write_ttl(seconds)) == pytest.approx(seconds, abs=0.0005001)


@pytest.mark.parametrize("text", [None, "", "0ms", "10s", "-5ms", "1e3ms", "nan"])
def test_a_ttl_that_is_none_is_refused(text: str | None) -> None:
    """A client never believes in a TTL that it cannot read."""
    with pytest.raises(wire.WireError, match="x-lease-ttl"):
        wire.read_ttl(text)


@pytest.mark.parametrize("text", [None, "", "-1", "1.5", "٣", "1" * 20])
def test_a_token_that_is_none_is_refused(text: str | None) -> None:
    """A fencing token is a whole number."""
    with pytest.raises(wire.WireError, match="x-fencing-token"):
        wire.read_token(text)


@given(st.text(max_size=100))
def test_text_in_a_header_is_printable(text: str) -> None:
    """Whatever a holder calls itself cannot break a header, and arrives at its length."""
    sent = wire.encoded(text.encode("utf-8", "replace").decode())
    assert sent.isascii()
    assert sent.isprintable()
    assert len(wire.decoded(sent)) == len(text)


@given(st.text(max_size=2000))
def test_whatever_comes_as_text_is_shown_on_one_line(text: str) -> None:
    """A server that lies cannot fill a log or change a terminal."""
    shown = wire.decoded(text)
    assert len(shown) <= 300
    assert shown.isprintable()


def test_a_request_arrives_as_it_was_sent() -> None:
    """What a client asks for is what its server reads."""
    headers = wire.lease_headers(2.5, "5f0c-1", 7.0)
    body = wire.lease_body("db/main", "pod-ü", {"app": "shop"}, "2025-01-31T12:00:00Z")
    read = read_wanted(headers.get, body, lambda text: float(text[:-2]) / 1000)
    assert (read.key, read.value, read.labels) == ("db/main", "pod-ü", (("app", "shop"),))
    assert (read.ttl, read.wait, read.request) == (2.5, 7.0, "5f0c-1")


def read(body: object, **headers: str) -> object:
    """Read a request with these headers."""
    known = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_wanted(known.get, text, duration)


def test_what_is_not_said_has_a_default() -> None:
    """Ten seconds, no labels, no waiting; a prefix does no harm."""
    found = read({"key": "/shared-lock/db", "value": "a", "timestamp": 17})
    assert found == read({"key": "db", "value": "a", "labels": None, "timestamp": 17}, x_lease_ttl="10s")


WRONG = [
    (b"", {}, "not JSON"),
    (b"\xff{}", {}, "not JSON"),
    (b"[" * 10_000, {}, "not JSON"),
    (b"[]", {}, "not a JSON object"),
    ({}, {}, '"key" is missing'),
    ({"key": 5}, {}, '"key" is missing'),
    ({"key": "a b"}, {}, "expected at most 253 letters"),
    ({"key": "a\n"}, {}, "expected at most 253 letters"),
    ({"key": "../a"}, {}, "expected at most 253 letters"),
    ({"key": "x" * 254}, {}, "expected at most 253 letters"),
    ({"key": "a", "value": None}, {}, "value: expected text, got 'null'"),
    ({"key": "a", "value": "x" * 1025}, {}, "at most 1024"),
    ({"key": "a", "value": "\ud800"}, {}, "surrogate"),
    ({"key": "a", "labels": []}, {}, '"labels": expected an object'),
    ({"key": "a", "labels": {"b": 1}}, {}, "the label 'b': expected text"),
    ({"key": "a", "labels": {str(n): "" for n in range(65)}}, {}, "at most 64 texts"),
    ({"key": "a", "timestamp": []}, {}, '"timestamp": expected text'),
    ({"key": "a"}, {"x_lease_ttl": "0s"}, "longer than nothing"),
    ({"key": "a"}, {"x_lease_ttl": "9999h"}, "at most 24h"),
    ({"key": "a"}, {"x_lease_ttl": "often"}, "x-lease-ttl: "),
    ({"key": "a"}, {"x_lease_wait": "x"}, "x-lease-wait: "),
    ({"key": "a"}, {"x_lease_request": "a b"}, "x-lease-request"),
]


@pytest.mark.parametrize(("body", "headers", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_what_is_wrong_is_named(body: object, headers: dict[str, str], said: str) -> None:
    """A request that cannot be is refused with what is wrong with it, in one short line."""
    with pytest.raises(wire.WireError) as caught:
        read(body, **headers)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200) | st.recursive(st.text() | st.integers(), st.lists).map(repr))
def test_whatever_comes_is_read_or_refused(body: bytes | str) -> None:
    """No body ends in anything but a lease that is wanted or a WireError."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    with pytest.raises(wire.WireError):
        read(raw)
