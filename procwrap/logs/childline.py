"""What is common to the structured lines that children write: their level, message and other fields."""

from __future__ import annotations

from collections.abc import Sequence

from procwrap.logs.labels import Field, Raw
from procwrap.logs.severity import known_name, known_number

ChildLine = tuple[str, str, Sequence[Field]]
"""A line whose level its writer told us: one of the five levels; the writer's message, or the whole line if
it gave none; and everything else that it said, in its order. A bare tuple, for one is made for each line."""


def child_line(
    line: str, fields: list[Field], level_keys: Sequence[str], msg_keys: Sequence[str]
) -> ChildLine | None:
    """Pick level and message out of a line's fields.

    Args:
        line: The line itself.
        fields: All its fields in order, to be used up; of a repeated key the first one counts.
        level_keys: Keys that may hold the level, the preferred one first.
        msg_keys: Keys that may hold the message, the preferred one first.

    Returns:
        None if none of the level keys holds a level that we know.
    """
    keys = [field[0] for field in fields]
    for level_key in level_keys:
        if level_key in keys and (level := _level(fields[at := keys.index(level_key)][1])):
            break
    else:
        return None
    for msg_key in msg_keys:
        if msg_key in keys:
            msg = fields[keys.index(msg_key)]
            del fields[at]
            fields.remove(msg)
            return level, msg[1], fields
    return level, line, ()


def _level(value: str) -> str | None:
    return known_number(value) if isinstance(value, Raw) else known_name(value)
