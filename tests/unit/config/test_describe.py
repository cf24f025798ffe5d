"""Every key of the schema says what it means, and what holds without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from procwrap.config.describe import BY_MAPPING, described
from procwrap.config.schema import schema
from procwrap.config.settings import resolve
from procwrap.spec.plan import Given, Plan, Settings
from tests.support.configs import plan_of
from tests.support.docscripts import script

SCHEMA = schema()
WALK = script("config_tables")
PROCESS = {"name": "a", "entrypoint": "b"}
BESIDE: dict[str, dict[str, Any]] = {
    "logFile": {"path": "a.log"},
    "dependsOn": {"name": "other"},
    "elasticsearch": {"url": "http://localhost"},
    "readiness": {"env": {"name": "A", "value": "b"}},
    "liveness": {"env": {"name": "A", "value": "b"}},
    "startup": {"env": {"name": "A", "value": "b"}},
    "http": {"url": "http://localhost"},
    "tcp": {"socket": "localhost:1"},
    "exec": {"command": {"entrypoint": "c"}},
    "grpc": {"address": "localhost:1"},
    "postStart": {"sleep": "1s"},
}
"""What a mapping needs besides the key in question."""


def keys() -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every key of the schema with its path, from ``config`` or ``process`` on."""
    for name in ("config", "process"):
        for path, value, _ in WALK.rows(SCHEMA["$defs"][name], (name,)):
            yield path, value


DEFAULTS = [(path, value["default"]) for path, value in keys() if "default" in value]


def test_every_key_is_described() -> None:
    """An editor can say about each key what it means."""
    missing = [".".join(path) for path, value in keys() if not value.get("description")]
    assert missing == []


def test_nothing_else_is_described() -> None:
    """No meaning outlives its key."""
    found = {path[-2:] for path, _ in keys()}
    found |= {("rlimits", path[-1]) for path in found if path[0] == "*"}
    ours = {(mapping, key) for mapping, meanings in BY_MAPPING.items() for key in meanings}
    assert ours - found == set()


def test_what_it_means_is_half_a_sentence() -> None:
    """Nothing in it spoils a table or a tooltip."""
    said = [meaning for meanings in BY_MAPPING.values() for meaning in meanings.values()]
    assert [meaning for meaning in said if meaning.text.endswith(".") or "\n" in meaning.text] == []
    assert [meaning for meaning in said if "|" in meaning.text or "; without it: " in meaning.text] == []
    assert [meaning for meaning in said if meaning.default is not None and meaning.without] == []


def test_the_rest_of_the_schema_is_as_it_was() -> None:
    """What is described once more stays the same."""
    assert described(SCHEMA) == SCHEMA


def asked(path: tuple[str, ...], value: dict[str, Any]) -> tuple[Plan, Settings]:
    """What a config asks for in which the mapping at this path is made of this and what it needs."""
    root, *within = path
    for key in reversed(within):
        inside = {**BESIDE.get(key, {}), **value}
        value = {key: [inside] if key == "dependsOn" else inside}
    process = {**PROCESS, **value} if root == "process" else PROCESS
    config = {"processes": [process, {**PROCESS, "name": "other"}], **(value if root == "config" else {})}
    plan = plan_of(json.dumps(config))
    settings = resolve(Given(), Given(), plan)
    return evolve(plan, socket=None, log_format=None, deadline=None, readiness_file=None), settings


@pytest.mark.parametrize(("path", "default"), DEFAULTS, ids=[".".join(path) for path, _ in DEFAULTS])
def test_a_default_is_what_holds_without_the_key(path: tuple[str, ...], default: object) -> None:
    """Writing it down changes nothing."""
    *mapping, key = path
    assert asked(tuple(mapping), {key: default}) == asked(tuple(mapping), {})


def test_there_are_defaults() -> None:
    """The test above is not empty by mistake."""
    assert len(DEFAULTS) > 50
