"""What a ``POST /lease`` asks for (see ``wire.py``): parsing, and what is refused with which words; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from attrs import frozen

from procwrap.lock.wire import DEFAULT_TTL, PREFIX, REQUEST, TTL, WAIT, WireError, shown

LONGEST_TTL = 24 * 3600.0
LONGEST_WAIT = 60.0
MOST_BODY = 16 * 1024
MOST_LABELS = 64
_MOST_NAME, _MOST_TEXT = 253, 1024

_KEY = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._:/-]*[A-Za-z0-9_])?", re.ASCII)
_REQUEST = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


@frozen
class Wanted:
    """A lease that somebody asks for.

    Attributes:
        key: the name of the lock, without prefix.
        value: who asks.
        timestamp: as the client said it; for people only.
        ttl: seconds.
        request: the client's own name of this request, or empty.
        wait: seconds.
    """

    key: str
    value: str
    labels: tuple[tuple[str, str], ...] = ()
    timestamp: str = ""
    ttl: float = DEFAULT_TTL
    request: str = ""
    wait: float = 0.0


def read_wanted(header: Callable[[str], str | None], body: bytes, duration: Callable[[str], float]) -> Wanted:
    """Read a ``POST /lease``.

    Args:
        header: the value of a request header; None where there is none.
        body: as it came.
        duration: turns Go-style text into seconds, or raises ValueError that says why not.

    Raises:
        WireError: it asks for something that cannot be.
    """
    said = _object(body)
    return Wanted(
        key=_key(said.get("key")),
        value=_text(said.get("value", ""), "value", _MOST_TEXT),
        labels=_labels(said.get("labels")),
        timestamp=_timestamp(said.get("timestamp")),
        ttl=_seconds(header(TTL), TTL, DEFAULT_TTL, LONGEST_TTL, duration),
        request=_request(header(REQUEST)),
        wait=min(_seconds(header(WAIT), WAIT, 0.0, None, duration), LONGEST_WAIT),
    )


def _object(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise WireError('the body is not JSON: expected {"key": "…", "value": "…"}') from None
    if not isinstance(said, dict):
        raise WireError('the body is not a JSON object: expected {"key": "…", "value": "…"}')
    return said


def _key(said: object) -> str:
    if not isinstance(said, str) or not said:
        raise WireError('"key" is missing: expected the name of the lock as text')
    key = said.removeprefix(PREFIX)
    if len(key) > _MOST_NAME or _KEY.fullmatch(key) is None:
        raise WireError(
            f'"key" {shown(said)}: expected at most {_MOST_NAME} letters and digits, and any of ._:/- between'
        )
    return key


def _labels(said: object) -> tuple[tuple[str, str], ...]:
    if said is None:
        return ()
    if not isinstance(said, dict) or len(said) > MOST_LABELS:
        raise WireError(f'"labels": expected an object of at most {MOST_LABELS} texts')
    return tuple(
        (_text(name, "a label's name", _MOST_NAME), _text(value, f"the label {shown(name)}", _MOST_TEXT))
        for name, value in said.items()
    )


def _timestamp(said: object) -> str:
    if said is None:
        return ""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return repr(said)[:64]
    return _text(said, '"timestamp"', 64)


def _text(said: object, what: str, most: int) -> str:
    if not isinstance(said, str):
        raise WireError(f"{what}: expected text, got {shown(json.dumps(said))}")
    try:
        size = len(said.encode("utf-8"))
    except UnicodeEncodeError:
        raise WireError(f"{what}: half a surrogate pair is no text") from None
    if size > most:
        raise WireError(f"{what}: {size} bytes; at most {most} are allowed")
    return said


def _request(said: str | None) -> str:
    if said is not None and _REQUEST.fullmatch(said) is None:
        raise WireError(f"{REQUEST} {shown(said)}: expected at most 64 letters, digits and dashes")
    return said or ""


def _seconds(
    said: str | None, name: str, default: float, most: float | None, duration: Callable[[str], float]
) -> float:
    if said is None or not said.strip():
        return default
    try:
        seconds = duration(said.strip())
    except ValueError as error:
        raise WireError(f"{name}: {error}") from None
    if seconds < 0 or (name == TTL and seconds == 0):
        raise WireError(f"{name} {shown(said)}: expected a duration longer than nothing, such as 10s")
    if most is not None and seconds > most:
        raise WireError(f"{name} {shown(said)}: at most {most / 3600:g}h")
    return seconds
