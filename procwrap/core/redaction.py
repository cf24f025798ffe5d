"""Configs and environments as they are shown: in JSON, with ``***`` in the place of secrets.

Secret are: what attrs metadata marks so; what has a name that looks so, among variables, headers and labels;
what follows such a name on a command line; user, password and query of URLs; and each of these texts once
more, wherever else it stands in the same record.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from procwrap.core.commandline import looks_secret, secret_values, shown_text, shown_words
from procwrap.core.secrets import HIDDEN, names_directory
from procwrap.spec.probe import EnvProbe, PluginProbe

_PAIRS = frozenset({"Pairs", "Pairs | None", "tuple[tuple[str, str], ...]"})
"""How the type of a field is written that maps names to texts."""
_URL = re.compile(r"[A-Za-z][\w+.-]*://")
_QUERY = re.compile(r"\?.*", re.DOTALL)
_QUERY_WITHIN = re.compile(r"""(://[^\s?"'<>]*+)(\?[^\s"'<>]*+)?""")
"""Of a URL in a flag or in a script; every part of these is read once."""
_KEYS = {"directory": "dir", "env_file": "envsFile", "attributes": "sysProcAttr"}
"""Fields that the config knows under another name."""
_CONFIG = frozenset({"CONFIG"})
"""Variables that hold a whole config, with all that is secret in it."""

Json = Any


def redacted(record: object) -> dict[str, Json]:
    """Show a record of the spec: its fields by the names that they have in the config, in camelCase."""
    return _record(record, tuple(_secrets(record)))


def redacted_environment(variables: Mapping[str, str]) -> list[str]:
    """Show an environment as lines of ``NAME=value``, in order of the names."""
    secrets = tuple(secret_values(variables.items()))
    return [f"{name}={_variable(name, variables[name], secrets)}" for name in sorted(variables)]


def _variable(name: str, value: str, secrets: tuple[str, ...]) -> str:
    if name in _CONFIG or (looks_secret(name) and not names_directory(name, value)):
        return HIDDEN if value else ""
    return _text(value, secrets)


def _record(record: Any, secrets: tuple[str, ...]) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    if type(record).__name__.endswith("Probe"):
        shown["probe"] = record.key if isinstance(record, PluginProbe) else _kind(type(record).__name__)
    for field in attrs.fields(type(record)):
        value = getattr(record, field.name)
        if not isinstance(value, Callable):  # type: ignore[arg-type]
            shown[_key(field.name)] = _field(field, value, secrets)
    return shown


def _field(field: Any, value: object, secrets: tuple[str, ...]) -> Json:
    is_secret = bool(field.metadata.get("secret"))
    if str(field.type) in _PAIRS and isinstance(value, tuple):
        return {
            name: _shown_pair(name, text, secrets, hide=is_secret or looks_secret(name))
            for name, text in value
        }
    if is_secret and isinstance(value, tuple):
        return [HIDDEN] * len(value)
    return HIDDEN if is_secret and value not in (None, "") else _value(value, secrets)


def _shown_pair(name: str, text: str, secrets: tuple[str, ...], *, hide: bool) -> str:
    if hide:
        return HIDDEN if text else ""
    return _text(text, secrets)


def _value(value: Any, secrets: tuple[str, ...]) -> Json:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _text(value, secrets)
    if isinstance(value, enum.Enum):
        return value.value
    if attrs.has(type(value)):
        return _record(value, secrets)
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if looks_secret(str(name)) else _value(inner, secrets)
            for name, inner in value.items()
        }
    return _several(value, secrets)


def _several(value: object, secrets: tuple[str, ...]) -> Json:
    if isinstance(value, tuple) and value and all(isinstance(word, str) for word in value):
        return [_without_query(word) for word in shown_words(value, secrets)]
    if isinstance(value, frozenset):
        return sorted((_value(item, secrets) for item in value), key=str)
    if isinstance(value, tuple):
        return [_value(item, secrets) for item in value]
    # Nobody knows what is in there.
    return HIDDEN


def _text(text: str, secrets: tuple[str, ...]) -> str:
    return _without_query(shown_text(text, secrets))


def _without_query(text: str) -> str:
    # Tokens stand in queries, under whatever name.
    if _URL.match(text):
        return _QUERY.sub(f"?{HIDDEN}", text)
    return _QUERY_WITHIN.sub(lambda found: f"{found[1]}?{HIDDEN}" if found[2] else found[1], text)


def _secrets(record: Any) -> Iterator[str]:
    """Yield the texts that are hidden wherever they stand in this record."""
    if isinstance(record, tuple):
        for item in record:
            yield from _secrets(item)
    if not attrs.has(type(record)):
        return
    for field in attrs.fields(type(record)):
        value = getattr(record, field.name)
        if str(field.type) in _PAIRS and isinstance(value, tuple):
            yield from secret_values(value)
        elif not field.metadata.get("secret"):
            yield from _secrets(value)
        elif not isinstance(record, EnvProbe):
            yield from _texts((value,) if isinstance(value, str) else value)
        elif looks_secret(record.name):
            yield value


def _texts(values: object) -> Iterator[str]:
    """Yield what is secret in marked fields; of a URL that is its user and password alone."""
    for value in values if isinstance(values, tuple) else ():
        if isinstance(value, str) and _URL.match(value):
            yield from secret_values((("", value),))
        elif isinstance(value, str) and value:
            yield value


def _key(name: str) -> str:
    head, *tail = _KEYS.get(name, name).split("_")
    return head + "".join(word.capitalize() for word in tail)


def _kind(name: str) -> str:
    kind = name.removesuffix("Probe")
    return kind[:1].lower() + kind[1:]
