from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.childjson import read_json
from procwrap.logs.labels import Raw


def test_level_message_and_the_rest() -> None:
    """An object gives its level, its message and its other fields in order."""
    line = '{"a": "x", "level": "WARN", "msg": "two words", "b": "y"}  '
    assert read_json(line) == ("warning", "two words", [("a", "x"), ("b", "y")])


def test_other_names_for_level_and_message() -> None:
    """``severity`` and ``message`` will do, and what is not needed of both stays a field."""
    line = '{"severity":"ERROR","message":"a"}'
    assert read_json(line) == ("error", "a", [])
    line = '{"severity":"ERROR","level":"info","message":"a","msg":"b"}'
    assert read_json(line) == ("info", "b", [("severity", "ERROR"), ("message", "a")])
    line = '{"level":"high","severity":"ERROR","msg":"b"}'
    assert read_json(line) == ("error", "b", [("level", "high")])


def test_a_level_without_message_keeps_the_whole_line() -> None:
    """No text is lost for want of a msg."""
    assert read_json('{"level":50,"err":"boom"}') == ("error", '{"level":50,"err":"boom"}', ())


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "{}",
        '{"level":"info"} and more',
        '{"level":"info","msg":"x"',
        '{"level":"5","msg":"x"}',
        '{"level":5,"msg":"x"}',
        '{"level":null,"msg":"x"}',
        '{"level":["info"],"msg":"x"}',
        '{"msg":"x"}',
        '[{"level":"info"}]',
        '"level"',
    ],
)
def test_anything_else_is_a_sentence(line: str) -> None:
    """A line is taken apart only if it is one object whose level is known."""
    assert read_json(line) is None


def test_numbers_keep_their_spelling() -> None:
    """Nothing is rounded, however large or precise."""
    numbers = ["1.10", "1e+06", "1E400", "-0", "0.1000000000000000055511151231257827", "9" * 5000]
    nested = f"[{','.join(numbers)}]"
    assert read_json('{"level":"info","msg":"","n":' + nested + "}") == ("info", "", [("n", nested)])


def test_what_is_nested_becomes_compact_json() -> None:
    """A nested value is kept whole, with repeated keys and in its order."""
    nested = '{"b":[1,{"a":null},true,"x\\ny"],"a":{},"a":false}'
    found = read_json('{"level":"info","msg":"x","n": ' + nested.replace(",", " , ") + "}")
    assert found == ("info", "x", [("n", nested)])


def test_a_message_that_is_no_text() -> None:
    """A message of another type is shown as JSON."""
    assert read_json('{"level":"info","msg":{"a": 1}}') == ("info", '{"a":1}', [])
    assert read_json('{"level":"info","msg":null}') == ("info", "null", [])


def test_values_that_json_has_not() -> None:
    """NaN and Infinity, which some loggers write, are kept as text."""
    assert read_json('{"level":"info","msg":NaN,"n":[-Infinity]}') == (
        "info",
        "NaN",
        [("n", '["-Infinity"]')],
    )


@pytest.mark.parametrize("depth", [100, 10_000])
def test_deep_nesting_does_no_harm(depth: int) -> None:
    """An object that is nested too deeply to be read is a sentence."""
    found = read_json('{"level":"info","msg":"x","n":' + "[" * depth + "]" * depth + "}")
    assert found == (("info", "x", [("n", "[" * depth + "]" * depth)]) if depth == 100 else None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", min_size=1), json_values))
def test_what_a_json_writer_writes_is_read_back(fields: dict[str, object]) -> None:
    """Every value comes out as the same JSON value, or as the same text."""
    found = read_json(json.dumps({"level": "info", "msg": "m", **fields}))
    assert found is not None
    values = {key: json.loads(value) if isinstance(value, Raw) else value for key, value in found[2]}
    assert (found[0], found[1], values) == ("info", "m", fields)


@given(st.text('{}[]":,level\\u0d8 1e+NaInfity') | st.text())
def test_no_line_can_do_harm(text: str) -> None:
    """Any line is read or left alone."""
    found = read_json('{"level":"info","msg":"x",' + text)
    assert found is None or found[0] == "info"
