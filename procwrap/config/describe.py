"""The JSON Schema of the native config with what its keys mean written into it."""

from __future__ import annotations

from collections.abc import Mapping

from procwrap.config import checkmeanings as checks
from procwrap.config import meanings
from procwrap.config.meanings import Meaning, Meanings
from procwrap.config.schemakinds import Schema

BY_MAPPING: Mapping[str, Meanings] = {
    "config": meanings.CONFIG,
    **meanings.SECTIONS,
    "process": meanings.PROCESS,
    **meanings.PARTS,
    "readiness": checks.READINESS,
    "liveness": checks.CHECK,
    "startup": checks.CHECK,
    **checks.PROBES,
    **checks.HOOKS,
}
"""The keys by the mapping that they stand in, which is called by its own key."""

NAMES_OF_THE_USER = frozenset({"rlimits"})
"""Mappings of which the keys are not described, since they stand for themselves."""


def described(schema: Schema) -> Schema:
    """Return a schema of a config with descriptions and defaults."""
    defs = schema["$defs"]
    return {**schema, "$defs": {name: _part(part, name) for name, part in defs.items()}}


def _part(part: Schema, mapping: str) -> Schema:
    """A part of the schema; the keys of the mappings in it are those of the mapping of this name."""
    made = dict(part)
    if "anyOf" in part:
        made["anyOf"] = [_part(option, mapping) for option in part["anyOf"]]
    if "items" in part:
        made["items"] = _part(part["items"], mapping)
    if "properties" in part:
        made["properties"] = {
            key: _property(key, value, mapping) for key, value in part["properties"].items()
        }
    return made


def _property(key: str, value: Schema, mapping: str) -> Schema:
    if mapping in NAMES_OF_THE_USER and "anyOf" in value:
        return _part(value, mapping)
    meaning = BY_MAPPING.get(mapping, {}).get(key)
    # A probe of an installed package: only that package knows.
    return {**_part(value, key), **_said(meaning)} if meaning is not None else value


def _said(meaning: Meaning) -> Schema:
    if meaning.default is not None:
        return {"description": meaning.text, "default": meaning.default}
    tail = f"; without it: {meaning.without}" if meaning.without else ""
    return {"description": meaning.text + tail}
