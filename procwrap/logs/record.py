"""procwrap's own messages, one record each, in the same formats as the children's lines."""

from __future__ import annotations

import math
from collections.abc import Mapping

from procwrap.logs.escape import encode, one_line
from procwrap.logs.jsonl import JsonLines
from procwrap.logs.labels import Field, Raw, child_fields
from procwrap.logs.logfmt import Logfmt, pairs

NAME = "procwrap"
"""The ``name`` of procwrap's own records."""

_OURS: list[Field] = [("name", NAME)]


def own_record(
    log_format: str, stamp: str, level: str, msg: str, fields: Mapping[str, object] | None = None
) -> bytes:
    """Write one message of procwrap itself.

    Args:
        log_format: Any of the formats; ``auto`` is as ``logfmt``, and ``free`` and ``plain`` give
            ``2026-11-21T20:03:04.567Z info procwrap: text key=value``.
        stamp: RFC 3339 time.
        level: One of ``debug info warning error fatal``.
        msg: What happened, in words.
        fields: What else is known, in order. Numbers, booleans and None keep their type in JSON.

    Returns:
        One line with its newline, whatever the message and the fields contain.
    """
    given = [(key, _value(item)) for key, item in (fields or {}).items()]
    if log_format in {"free", "plain"}:
        rest = pairs(child_fields(_OURS).admit(given))
        return encode(f"{stamp} {level} {NAME}: {one_line(msg)}{rest}\n")
    shape = JsonLines(_OURS) if log_format == "json" else Logfmt(_OURS)
    return shape.record((level, msg, given), stamp)


def _value(item: object) -> str:
    if item is None:
        return Raw("null")
    if isinstance(item, bool):
        return Raw(str(item).lower())
    if isinstance(item, int) or (isinstance(item, float) and math.isfinite(item)):
        return Raw(item)
    return str(item)
