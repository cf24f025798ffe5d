from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.config import jsontext
from procwrap.config.node import Kind, Mark, Node
from procwrap.config.problem import ConfigError
from procwrap.config.tree import Tree


def read(text: str) -> Node:
    tree = Tree("f")
    root = jsontext.read(text, tree)
    if tree.problems:
        raise ConfigError("f", tree.problems)
    return root


def plain(node: Node) -> Any:
    match node.kind:
        case Kind.MAPPING:
            return {key: plain(entry.node) for key, entry in node.entries.items()}
        case Kind.LIST:
            return [plain(item) for item in node.items]
        case Kind.TEXT:
            return node.text
        case _:
            return json.loads(node.text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON.filter(lambda value: value is not None), st.booleans(), st.sampled_from([None, "\t", 2]))
def test_reads_what_the_standard_library_writes(value: Any, ascii_only: bool, indent: Any) -> None:
    """Every JSON value is read as what it is, whatever its white space, escapes or surrogate pairs."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert plain(read(text)) == value


@given(st.text(alphabet='{}[]",:\\u0dD8 \n\t1.e-truefalsn'))
def test_refuses_what_the_standard_library_refuses(text: str) -> None:
    """Anything else is a ConfigError with a place, unless it is nothing at all or a double key."""
    try:
        value = json.loads(text, parse_constant=lambda _: 1 / 0)
    except (json.JSONDecodeError, ZeroDivisionError):
        value = None
    try:
        found, problems = plain(read(text)), []
    except ConfigError as error:
        found, problems = value, [problem.message for problem in error.problems]
    assert found == value
    stricter = all("given twice" in message or "surrogate" in message for message in problems)
    assert value is None or stricter


ESCAPE = r"not valid JSON: unknown escape; expected \" \\ \/ \b \f \n \r \t or \u and four hexadecimal digits"


def test_marks() -> None:
    """Every key and value knows its line and column."""
    root = read('{\n\t"a": [1,\n  {"b": true}]}\n')
    entry = root.entries["a"]
    inner = entry.node.items[1].entries["b"]
    marks = [
        root.mark,
        entry.key_mark,
        entry.node.mark,
        entry.node.items[0].mark,
        inner.key_mark,
        inner.node.mark,
    ]
    assert marks == [Mark(1, 1), Mark(2, 2), Mark(2, 7), Mark(2, 8), Mark(3, 4), Mark(3, 9)]


def test_numbers_stay_as_written() -> None:
    """A number's text is kept: 1.10 is a version as well."""
    assert [item.text for item in read("[1.10, 1e+06, -0]").items] == ["1.10", "1e+06", "-0"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f: the config is empty; it needs at least one process"),
        (" \n", "f: the config is empty; it needs at least one process"),
        ("null", "f: the config is empty; it needs at least one process"),
        ('{"a": 1,\n "a": 2}', "f:2:2: a: given twice, first in line 1: keep one of them"),
        ("{a: 1}", "f:1:2: not valid JSON: expected a key in double quotes, got a word"),
        ('{"a" 1}', 'f:1:6: not valid JSON: expected ":" after the key, got a word'),
        ('{"a": 1', 'f:1:8: not valid JSON: expected "," or "}", got the end of the text'),
        ("[1 2]", 'f:1:4: not valid JSON: expected "," or "]", got a word'),
        ("[1,]", 'f:1:4: not valid JSON: expected a value (text stands in double quotes), got "]"'),
        ("[01]", "f:1:2: not valid JSON: expected a value (text stands in double quotes), got a word"),
        ("[NaN]", "f:1:2: not valid JSON: expected a value (text stands in double quotes), got a word"),
        ("[] []", 'f:1:4: not valid JSON: expected the end of the text, got "["'),
        ('["a', "f:1:2: not valid JSON: this text is never closed with a double quote"),
        ('["a\n"]', "f:1:4: not valid JSON: a control character or line end within text"),
        ('["\\x"]', f"f:1:3: {ESCAPE}"),
        ('["\\u00g0"]', f"f:1:3: {ESCAPE}"),
        ('["\\', f"f:1:3: {ESCAPE}"),
        ('["\\ud800"]', "f:1:9: not valid JSON: half of a surrogate pair stands alone"),
        ('["\\ud800\\u0041"]', "f:1:15: not valid JSON: half of a surrogate pair stands alone"),
        ('["\\udc00"]', "f:1:9: not valid JSON: half of a surrogate pair stands alone"),
    ],
)
def test_errors(text: str, message: str) -> None:
    """Each error says where it is, what was expected and what stands there."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ['{"password": hunter2}', '{"password": "hunter2', '["a" hunter2]', "[hunter2]"]
)
def test_errors_show_no_value(text: str) -> None:
    """A word that stands in the wrong place may be a secret."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("piece", ["[", '{"a":', "[[],", '"', "\\", '"a",'])
def test_piles(piece: str) -> None:
    """Ten thousand of anything are an error, never a RecursionError."""
    with pytest.raises(ConfigError):
        read(piece * 10_000)


def test_pairs_are_one_character() -> None:
    """What PyYAML cannot read: a surrogate pair."""
    assert read('["\\ud83d\\ude00\\u00e9"]').items[0].text == "\U0001f600é"
