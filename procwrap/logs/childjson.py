"""A child's own JSON lines. Numbers keep their spelling, repeated keys stay, and no input can do harm."""

from __future__ import annotations

import json

from procwrap.logs.childline import ChildLine, child_line
from procwrap.logs.escape import escape_text
from procwrap.logs.labels import Raw


class _Pairs(list[tuple[str, object]]):
    """A JSON object in the order of its text, repeated keys included."""


# NaN and Infinity, which Python's json writes though JSON has them not, become text.
_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_float=Raw, parse_int=Raw, parse_constant=str)
_WORDS = {True: "true", False: "false", None: "null"}


def read_json(text: str) -> ChildLine | None:
    """Read a line that is one JSON object.

    Returns:
        None if it is anything else, is nested too deeply, or has no ``level`` or ``severity`` that we know.
    """
    try:
        value, end = _DECODER.raw_decode(text)
        if not isinstance(value, _Pairs) or text[end:].strip():
            return None
        fields = [(key, item if isinstance(item, str) else Raw(_compact(item))) for key, item in value]
    except (ValueError, RecursionError):
        return None
    return child_line(text, fields, ("level", "severity"), ("msg", "message"))


def _compact(value: object) -> str:
    if isinstance(value, Raw):
        return value
    if isinstance(value, str):
        return f'"{escape_text(value)}"'
    if isinstance(value, _Pairs):
        return "{" + ",".join([f'"{escape_text(key)}":{_compact(item)}' for key, item in value]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_compact(item) for item in value]) + "]"
    assert value is None or isinstance(value, bool)
    return _WORDS[value]
