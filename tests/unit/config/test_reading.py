from __future__ import annotations

import pytest

from procwrap.config.node import Kind
from procwrap.config.problem import ConfigError
from procwrap.config.reading import MAX_BYTES, ConfigText, read


def error(data: bytes, source: str = "f") -> str:
    with pytest.raises(ConfigError) as caught:
        read(ConfigText(source, data, is_json=source.endswith(".json")))
    return str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":\t[1, "\\ud83d\\ude00"]}',
        b"{a: [1, 2,], }",
        b"a: 1",
        b"\xef\xbb\xbfa: 1",
        b"--- # x\na: 1\n",
        b'\n {"a": 1} ',
    ],
)
def test_json_and_yaml_are_told_apart(data: bytes) -> None:
    """JSON with tabs, flow YAML and block YAML are all read, with or without a byte order mark."""
    [root], problems = read(ConfigText("f", data))
    assert (root.kind, problems) == (Kind.MAPPING, [])


def test_double_keys_in_json_are_not_retried_as_yaml() -> None:
    """A JSON text with double keys is JSON; its problem is told once."""
    _, problems = read(ConfigText("f", b'{"a": 1, "a": 2}'))
    assert [problem.message for problem in problems] == ["given twice, first in line 1: keep one of them"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f: the config is empty; it needs at least one process"),
        (b"# nothing\n", "f: the config is empty; it needs at least one process"),
        (b"{", "f:1:2: not valid JSON: expected a key in double quotes, got the end of the text"),
        (b"a: \0", "f: this is a binary file: expected YAML or JSON in UTF-8"),
        (b"\x7fELF\x02\x01\x01\0\0", "f: this is a binary file: expected YAML or JSON in UTF-8"),
        (b"a: 1\nb: \xe9t\xe9\n", "f:2:4: the byte 0xe9 is not UTF-8: expected YAML or JSON in UTF-8"),
        (b" " * (MAX_BYTES + 1), "f: larger than 4 MiB: this is no config"),
        (b"x" * 10_000_000, "f: larger than 4 MiB: this is no config"),
        (b'{"a": 1,\n "b": [1,\n "c" "d"]}', 'f:3:6: not valid JSON: expected "," or "]", got "\\""'),
        (
            b"{a: 1,\n b: [x,\n y} }",
            "f:3:3: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence",
        ),
    ],
)
def test_errors(data: bytes, message: str) -> None:
    """Of two readers that failed, the one that came further says why."""
    assert error(data) == message


def test_a_json_file_is_json() -> None:
    """A file called .json is not tried as YAML: its errors are those of JSON."""
    assert (
        error(b"{a: 1}", "x.json")
        == "x.json:1:2: not valid JSON: expected a key in double quotes, got a word"
    )


def test_the_text_is_not_shown() -> None:
    """A config may hold secrets, so its repr has none of it."""
    assert "hunter2" not in repr(ConfigText("f", b"hunter2"))
