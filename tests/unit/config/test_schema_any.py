"""Whatever is written where the schema has a key: the readers and the schema do not contradict each other."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from procwrap.config import schemakinds as kinds
from procwrap.config.load import load
from procwrap.config.problem import ConfigError
from procwrap.config.reading import ConfigText
from procwrap.config.schema import schema

SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)
# No null: an editor warns of a key that was left empty, which is an error in YAML; in JSON it is not given.
ANYTHING = st.sampled_from(
    [True, 0, -1, 5, 1.5, 10**30, "", "a", "yes", "5", "-1s", "\0", ":", [], [[]], {}, {"a": {"b": 1}}]
)
SAMPLES: list[tuple[dict[str, Any], list[Any]]] = [
    (kinds.TEXT, ["a", "/x/y", "procwrap", "a b", "GET", "A", "http://a/", ":80", "é"]),
    (kinds.LITERAL, ["a", 1, True, 1.5, "", "amqp://a", "host=a"]),
    (
        kinds.DURATION,
        ["5s", "1m30s", "500ms", "0", 0, "0.5h", "-0", "1us", "+1s", ".5s", "1.s", 5, "5", "1 s"],
    ),
    (kinds.SIZE, ["10Mi", 4096, "4096", "1k", 64, "1T", "0", "1K", "1e3"]),
    (kinds.HOST_PORT, ["a:80", ":80", "[::1]:80", "a:0", "a:99999", "a"]),
    (kinds.URL, ["http://a/b", "https://u:p@a:8/", "HTTP://a", "http://a:x", "http://"]),
    (kinds.SIGNAL, ["TERM", "SIGRTMIN+3", "sigint", 9, "9", 99]),
    (kinds.ACCOUNT, [0, "root", "1000", 1.5, "a b"]),
    (kinds.UMASK, ["027", "0o22", "0", "22", 22]),
    (kinds.LIMIT, ["unlimited", -1, "10Mi", 5, "x"]),
    (kinds.PAIRS, [{"A": 1}, {}, None, {"a": "b"}, {"x-y": True}, {"A B": "c"}]),
]


def values(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a part of the schema accepts for the most part."""
    if "$ref" in part:
        return values(SCHEMA["$defs"][part["$ref"].rpartition("/")[2]])
    if "anyOf" in part:
        return st.one_of(*map(values, part["anyOf"]))
    if "enum" in part:
        return st.sampled_from(part["enum"])
    for kind, samples in SAMPLES:
        if kind.items() <= part.items():
            return st.sampled_from(samples)
    if "properties" in part:
        return _mappings(part)
    if "items" in part:
        return st.lists(values(part["items"]), min_size=part.get("minItems", 0), max_size=2)
    if "maximum" in part:
        return st.integers(part["minimum"] - 1, part["maximum"] + 1) | st.just(part["minimum"])
    return st.sampled_from(["a", "a:1", ":8111", "unix:/a", 200, "200-299"])


def _mappings(part: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    keys, needed = part["properties"], part.get("required", ())
    chosen = st.lists(st.sampled_from(sorted(keys)), max_size=3, unique=True)
    return chosen.flatmap(
        lambda some: st.fixed_dictionaries({key: values(keys[key]) for key in {*needed, *some}})
    )


def slipped(config: Any, path: list[int], slip: Any) -> Any:
    """The config with something else at one place."""
    if not path or not config or not isinstance(config, (dict, list)):
        return slip
    made = config.copy()
    key = list(made)[path[0] % len(made)] if isinstance(made, dict) else path[0] % len(made)
    made[key] = slipped(made[key], path[1:], slip)
    return made


CONFIGS = values(SCHEMA["$defs"]["config"]) | values(SCHEMA["$defs"]["processes"])
SLIPPED = st.builds(slipped, CONFIGS, st.lists(st.integers(0, 9), min_size=1, max_size=5), ANYTHING)


def loads(data: bytes) -> bool:
    """Whether a plan comes of it; if not, all that is wrong has its place."""
    try:
        load(ConfigText("f", data))
    except ConfigError as caught:
        error = caught
    else:
        return True
    assert all(line.startswith("f:") and line.isprintable() for line in str(error).split("\n"))
    return False


@given(CONFIGS | SLIPPED)
def test_what_loads_is_good_to_an_editor_too(config: Any) -> None:
    """A config is a plan or an error with places, and no plan comes of what the schema refuses."""
    data = json.dumps(config).encode()
    if loads(data):
        event("good")
        assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(config)] == [], data
