"""What travels between a lock's client and its server; pure, and used by both.

``POST /lease`` asks for a lock. Headers of the request:

- ``x-lease-ttl: 2s``: a Go-style duration; without it 10 s. At most 24 h, else 400.
- ``x-lease-request: 5f0c…`` (optional): at most 64 letters, digits and dashes, drawn at random by the client
  for each lease that it wants, never used for another. When an answer was lost, the same request sent again
  gets the lease that it already has (201, the same id and token, and the TTL begins anew). Without it the
  server cannot tell a second holder from the first, and both wait until the lost lease has expired.
- ``x-lease-wait: 5s`` (optional, more than 60 s is 60 s): when another holds the lock, the server does not
  answer before the lock was released or has expired, or this time is over. First come, first served. Whoever
  goes meanwhile (closes the connection) leaves the queue. When too many wait, 202 comes at once.

Its body is JSON, at most 16 KiB: ``{"key": NAME, "value": "who asks", "labels": {"a": "b"}, "timestamp":
"2025-01-31T12:00:00Z"}``; labels and timestamp (text or a number) may be missing. A ``/shared-lock/`` before
NAME does no harm. The answers:

- 201, body: the lease id in decimal digits (1 to 2^63-1). Headers: ``x-lease-ttl: 2000ms``, the TTL that was
  granted: the one that counts, longer or shorter than what was asked for; ``x-fencing-token``, a whole number
  that only grows, key by key.
- 202, body ``0``: somebody else holds it, or may hold it. Headers: ``x-lease-reason``, why, for people;
  ``x-lease-holder``, the value of the holder, if it is known. Both are percent-encoded UTF-8 (``decoded``).
- 400: what is wrong with the request; 405: not a POST; 413: the body is too large; 503: the store cannot be
  reached, or has no room. Each with ``{"error": "…"}``. Who gets one of these, or no answer at all, holds
  nothing; but after 503 or none, the lock may stay taken for a TTL (``x-lease-request`` gets it at once).

``POST /keepalive``, body: the lease id. 200 (``x-lease-ttl``): held, and the TTL begins anew when the server
receives this, so for the client it counts from when it was sent. 204: over, or never heard of: somebody else
may hold it now. 400, 503: nothing is known; the old TTL goes on counting.

``POST /release``, body: the lease id. 200: free now. 204: it was over before. 400, 503 as above.

With ``x-lease-wait`` the TTL begins when the lease is granted, which may be long after the request was sent:
if too little of it is left by the client's reckoning (from when it was sent), one keepalive settles that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

LEASE, KEEPALIVE, RELEASE = "/lease", "/keepalive", "/release"
TTL, TOKEN = "x-lease-ttl", "x-fencing-token"
REQUEST, WAIT = "x-lease-request", "x-lease-wait"
HOLDER, REASON = "x-lease-holder", "x-lease-reason"

GRANTED, REFUSED, HELD, OVER = 201, 202, 200, 204
NOTHING = b"0"
"""The body of 202."""

DEFAULT_TTL = 10.0
PREFIX = "/shared-lock/"
_MOST_SHOWN = 300

_ID = re.compile(rb"[0-9]{1,19}")
_GRANTED_TTL = re.compile(r"([0-9]{1,12})ms", re.ASCII)


class WireError(Exception):
    """What came is not what was agreed; the text says what is wrong with it."""


def shown(said: object) -> str:
    """Return a value as it is quoted in an error."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return repr(text[:60])


def read_id(body: bytes) -> int:
    """Read the body of a keepalive or release, or of an answer 201.

    Raises:
        WireError: it is no lease id.
    """
    text = body.strip()
    if _ID.fullmatch(text) is None or not 0 < (number := int(text)) < 2**63:
        raise WireError(f"expected a lease id in decimal digits as the body, got {shown(body)}")
    return number


def write_ttl(seconds: float) -> str:
    """Return a duration as it stands in a header: ``2500ms``."""
    return f"{round(seconds * 1000)}ms"


def read_ttl(text: str | None) -> float:
    """Read the TTL that was granted.

    Returns:
        Seconds.

    Raises:
        WireError: it is none.
    """
    found = _GRANTED_TTL.fullmatch(text or "")
    if found is None or not int(found[1]):
        raise WireError(f"{TTL}: expected a number of milliseconds such as 2000ms, got {shown(text or '')}")
    return int(found[1]) / 1000


def read_token(text: str | None) -> int:
    """Read a fencing token.

    Raises:
        WireError: it is none.
    """
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 19:
        raise WireError(f"{TOKEN}: expected a whole number, got {shown(text or '')}")
    return int(text)


def encoded(text: str) -> str:
    """Return text as it stands in a header: percent-encoded, and not endless."""
    return quote(text[:_MOST_SHOWN], safe=" !#$&'()*+,/:;=?@[]~")


def decoded(text: str) -> str:
    """Return what ``encoded`` was given; whatever else comes gives some text without control characters."""
    plain = unquote(text[: 12 * _MOST_SHOWN], errors="replace")[:_MOST_SHOWN]
    return "".join(letter if letter.isprintable() else "?" for letter in plain)


# what the client writes


def lease_headers(ttl: float, request: str = "", wait: float = 0.0) -> dict[str, str]:
    """Return the headers of a ``POST /lease``; durations in seconds."""
    headers = {TTL: write_ttl(ttl), "content-type": "application/json"}
    if request:
        headers[REQUEST] = request
    if wait:
        headers[WAIT] = write_ttl(wait)
    return headers


def lease_body(key: str, value: str, labels: Mapping[str, str], timestamp: str) -> bytes:
    """Return the body of a ``POST /lease``."""
    said = {"key": key, "value": value, "labels": dict(labels), "timestamp": timestamp}
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


def id_body(lease: int) -> bytes:
    """Return the body of a keepalive, of a release, and of an answer 201."""
    return b"%d" % lease
