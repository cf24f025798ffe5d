"""Pieces of a JSON Schema: what the readers of single values accept."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

MINE = "^[xX]-"
"""Keys that begin so are the user's."""

TEXT: Schema = {"type": "string", "minLength": 1}
LITERAL: Schema = {"type": ["string", "number", "boolean"]}
BOOLEAN: Schema = {"type": "boolean"}
DURATION: Schema = {
    "type": ["string", "integer"],
    "pattern": r"^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$",
    "minimum": 0,
    "maximum": 0,
}
SIZE: Schema = {"type": ["string", "integer"], "pattern": r"^[0-9]+([kKMGT]i?)?$", "minimum": 0}
HOST_PORT: Schema = {"type": "string", "pattern": r":[0-9]{1,5}$"}
URL: Schema = {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://"}
SIGNAL: Schema = {"type": ["string", "integer"], "minimum": 1}
ACCOUNT: Schema = {"type": ["string", "integer"], "minimum": 0}
UMASK: Schema = {"type": ["string", "integer"], "pattern": "^0o?[0-7]*$", "minimum": 0}
LIMIT: Schema = {"type": ["string", "integer"], "minimum": -1}
PAIRS: Schema = {"type": ["object", "null"], "additionalProperties": LITERAL}


def whole(lowest: int, highest: int) -> Schema:
    """A whole number within bounds."""
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def list_of(item: Schema) -> Schema:
    """A list, which may be left empty."""
    return {"type": ["array", "null"], "items": item}


def one_of(members: type[enum.Enum] | Iterable[str]) -> Schema:
    """One of some words, which the schema knows in the spelling of the documentation and in small letters."""
    words = [str(word.value) if isinstance(word, enum.Enum) else word for word in members]
    capital = [word[:1].upper() + word[1:] for word in words]
    return {"enum": list(dict.fromkeys([*words, *(word.lower() for word in words), *capital]))}


def mapping(properties: Mapping[str, Schema], required: Iterable[str] = (), *, null: bool = False) -> Schema:
    """A mapping with these keys, and those of the user."""
    return {
        "type": ["object", "null"] if null else "object",
        "properties": dict(properties),
        "patternProperties": {MINE: {}},
        "additionalProperties": False,
        **({"required": list(required)} if required else {}),
    }


def any_case(properties: Mapping[str, Schema]) -> Schema:
    """The same with keys in any case."""
    made = mapping(properties)
    for key, value in properties.items():
        pattern = "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in key)
        made["patternProperties"][f"^{pattern}$"] = value
    return made
