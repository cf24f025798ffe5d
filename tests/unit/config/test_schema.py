"""The JSON Schema knows what the readers accept, and nothing else."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from jsonschema import Draft202012Validator

from procwrap import schema as command
from procwrap.config.fields import Fields
from procwrap.config.schema import schema
from procwrap.errors import UsageError
from tests.support.configs import problems_of

ROOT = Path(__file__).parents[3]
SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)
COMPLETE = re.findall(
    r"<!-- complete -->\n```yaml\n(.*?)```", (ROOT / "docs/reference/config.md").read_text("utf-8"), re.DOTALL
)
EXAMPLES = sorted(
    path
    for path in ROOT.glob("docs/examples/**/*.yaml")
    if path.parent.name not in ("kubernetes", "pidzero", "probe-package") and path.name != "pod.yaml"
)
STANDARD = {"string": "1s", "integer": 7, "number": 7, "boolean": True}


def without_plugins(found: Any) -> Any:
    """A full config has no probes of packages that happen to be installed."""
    return {key: value for key, value in found.items() if value != {}}


def full(part: dict[str, Any]) -> Any:
    """A value that has every key a part of the schema knows, whether or not it would be accepted."""
    if "$ref" in part:
        return full(SCHEMA["$defs"][part["$ref"].rpartition("/")[2]])
    if "anyOf" in part:
        return full(max(part["anyOf"], key=lambda option: "properties" in option))
    if "enum" in part:
        return part["enum"][0]
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    if "object" in kinds:
        return {key: full(value) for key, value in without_plugins(part.get("properties", {})).items()}
    if "array" in kinds:
        return [full(part["items"])]
    if "://" in part.get("pattern", ""):
        return "http://localhost:1/"
    return STANDARD[kinds[0]]


def taken(config: Any) -> set[tuple[str, str]]:
    """Load a config, and note of every mapping that a reader looked at which keys it knows."""
    found: set[tuple[str, str]] = set()
    original = Fields.finish

    def finish(fields: Fields) -> None:
        path = re.sub(r"rlimits\.\w+", "rlimits.core", re.sub(r"\[\d+\]", "[]", fields._place.path))
        found.update((path, key) for key in fields.known)
        original(fields)

    with patch.object(Fields, "finish", finish):
        problems_of(json.dumps(config))
    return found


def known(part: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a part of the schema, with the path of its mapping."""
    if "$ref" in part:
        yield from known(SCHEMA["$defs"][part["$ref"].rpartition("/")[2]], path)
    for option in part.get("anyOf", ()):
        yield from known(option, path)
    if "items" in part:
        yield from known(part["items"], f"{path}[]")
    if path.endswith(".rlimits"):
        part = {"properties": {"core": part["properties"]["core"]}}
    for key, value in without_plugins(part.get("properties", {})).items():
        if not path.endswith(".rlimits"):
            yield path, key
        yield from known(value, f"{path}.{key}" if path else key)


def test_it_is_a_schema() -> None:
    """It keeps to the meta-schema of JSON Schema."""
    Draft202012Validator.check_schema(SCHEMA)


def test_the_readers_and_the_schema_know_the_same_keys() -> None:
    """A key that a reader takes is in the schema, and the other way round."""
    config = full(SCHEMA["$defs"]["config"])
    for check in ("readiness", "liveness", "startup"):
        config["processes"][0][check].pop("lock", None)
    ours = set(known(SCHEMA["$defs"]["config"]))
    lock = {("processes[].readiness", "lock"), ("processes[].readiness.lock", "ttlDuration")}
    # Taken only to say that they do not belong there.
    misplaced = {
        (f"processes[].{hook}", "timeout") for hook in ("postStart.sql", "postStart.http", "preStop.http")
    }
    misplaced |= {(f"processes[].{check}", "lock") for check in ("liveness", "startup")}
    assert ours - lock == taken(config) - lock - misplaced
    assert len(ours) > 120


def errors(text: str) -> list[str]:
    """What the schema has against a config."""
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("text", [*COMPLETE, *(path.read_text("utf-8") for path in EXAMPLES)])
def test_it_accepts_every_example(text: str) -> None:
    """What the documentation shows is good to an editor too."""
    assert errors(text) == []


PROCESS = "{{name: a, entrypoint: b, {}}}"


@pytest.mark.parametrize(
    "keys",
    [
        "dirr: /x",
        "stopTimeout: 5",
        "stopTimeout: 5 s",
        "replicas: 0",
        "restartPolicy: sometimes",
        "readiness: {tcp: {port: 5}}",
        "readiness: {http: {url: localhost}}",
        "envs: {A: [b]}",
        "dependsOn: [{condition: ready}]",
        "sysProcAttr: {uid: 5}",
    ],
)
def test_it_refuses_what_the_readers_refuse(keys: str) -> None:
    """The mistakes that people make most are seen in the editor already."""
    text = f"[{PROCESS.format(keys)}]"
    assert errors(text) != []
    assert problems_of(text) != []


@pytest.mark.parametrize(
    "keys",
    [
        "x-mine: {a: b}",
        "args: ",
        "stopTimeout: 0",
        "restartPolicy: Always",
        "SysProcAttr: 1",
        "readiness: {sql: }",
        "sysProcAttr: {Credential: {UID: 5}, rlimits: {RLIMIT_NOFILE: 5}}",
        "envs: {A: 1, B: no}",
    ],
)
def test_it_accepts_other_spellings(keys: str) -> None:
    """Those that the readers accept; the one that they don't is refused here too."""
    text = f"[{PROCESS.format(keys)}]"
    assert (errors(text) == []) == (problems_of(text) == [])


def test_the_command_prints_it() -> None:
    """``procwrap schema`` takes nothing and prints JSON."""
    out = io.StringIO()
    assert command.run([], out) == 0
    assert json.loads(out.getvalue()) == SCHEMA
    with pytest.raises(UsageError):
        command.run(["x"], out)
