from __future__ import annotations

import textwrap
from typing import Any

import pytest
import yaml

from procwrap.config import yamltext
from procwrap.config.node import Kind, Mark, Node
from procwrap.config.problem import ConfigError
from procwrap.config.tree import Tree

LOADERS = [yamltext.FASTEST, yaml.SafeLoader]


def read(text: str, loader: Any = yamltext.FASTEST) -> Node:
    tree = Tree("f")
    root = yamltext.read(textwrap.dedent(text), tree, loader)
    if tree.problems:
        raise ConfigError("f", tree.problems)
    return root


def error(text: str, loader: Any = yamltext.FASTEST) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, loader)
    return str(caught.value)


def plain(node: Node) -> Any:
    if node.kind is Kind.MAPPING:
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    return [plain(item) for item in node.items] if node.kind is Kind.LIST else node.text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", Kind.NULL),
        ("~", Kind.NULL),
        ("null", Kind.NULL),
        ("yes", Kind.BOOLEAN),
        ("Off", Kind.BOOLEAN),
        ("TRUE", Kind.BOOLEAN),
        ("y", Kind.TEXT),
        ("8080", Kind.NUMBER),
        ("-1.5e+3", Kind.NUMBER),
        ("1e3", Kind.NUMBER),
        ("0755", Kind.NUMBER),
        ("0x1f", Kind.NUMBER),
        ("1_000", Kind.NUMBER),
        ("-.inf", Kind.NUMBER),
        (".nan", Kind.NUMBER),
        ("12:30:45", Kind.TEXT),
        ("2026-11-21", Kind.TEXT),
        ("1.2.3", Kind.TEXT),
        ('"8080"', Kind.TEXT),
        ("'yes'", Kind.TEXT),
        ("!!str 8080", Kind.TEXT),
        ("! 8080", Kind.TEXT),
    ],
)
def test_scalars(text: str, kind: Kind) -> None:
    """Plain scalars are what PyYAML says, but times and dates are text; quoted ones always are."""
    assert read(f"a: {text}").entries["a"].node.kind is kind


@pytest.mark.parametrize("loader", LOADERS)
def test_marks(loader: Any) -> None:
    """Lines and columns begin at 1, and columns count characters, not bytes."""
    root = read("é: [x,\n  y]\n", loader)
    entry = root.entries["é"]
    marks = [entry.key_mark, entry.node.mark, *(item.mark for item in entry.node.items)]
    assert marks == [Mark(1, 1), Mark(1, 4), Mark(1, 5), Mark(2, 3)]


def test_numbers_stay_as_written() -> None:
    """1.10 is not 1.1, and 0755 stays 0755."""
    assert plain(read("[1.10, 0755, no, 1e3]")) == ["1.10", "0755", "no", "1e3"]


def test_keys_are_text() -> None:
    """on, 1 and null are good keys, just as they were written."""
    assert plain(read("{on: a, 1: b, null: c}")) == {"on": "a", "1": "b", "null": "c"}


@pytest.mark.parametrize("loader", LOADERS)
def test_anchors_and_merge_keys(loader: Any) -> None:
    """Aliases stand for what was anchored; a merge key brings defaults that own keys override."""
    text = """\
        base: &base {a: 1, b: [&x 2]}
        more: &more {c: 3, a: 9}
        one: {<<: *base, b: *x}
        two: {d: *more, <<: [*base, *more]}
        three: {<<: {z: 0}, *x : 5}
        """
    found = plain(read(text, loader))
    assert found["one"] == {"a": "1", "b": "2"}
    assert found["two"] == {"a": "1", "b": ["2"], "c": "3", "d": {"c": "3", "a": "9"}}
    assert found["three"] == {"z": "0", "2": "5"}


def test_a_merged_mapping_can_be_merged_again() -> None:
    """Merge keys reach through several levels, and an anchored key can be an alias's text."""
    found = plain(read("{&k a: &a {x: 1}, b: &b {<<: *a, y: 2}, c: {<<: *b, z: *k}}"))
    assert found["c"] == {"x": "1", "y": "2", "z": "a"}


def test_a_quoted_merge_key_is_a_key() -> None:
    """Only a bare << merges, and only where keys stand."""
    assert plain(read('{"<<": a, b: <<}')) == {"<<": "a", "b": "<<"}


ALIAS = "no anchor of this name comes before this alias; quote the text if it is to begin with *"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3:1: a: given twice, first in line 1: keep one of them"),
        (
            "- {x: 1}\n- {x: 1, x: 2}\n",
            "f:2:10: processes[1].x: given twice, first in line 2: keep one of them",
        ),
        ("a: *b\n", f"f:1:4: {ALIAS}"),
        ("a: &a [*a]\n", "f:1:8: this alias stands inside what it stands for"),
        ("a: {<<: 1}\n", 'f:1:9: a["<<"]: a merge key wants a mapping or a list of them, got a number'),
        (
            "a: {<<: {b: 1}, <<: {c: 1}}\n",
            'f:1:17: a["<<"]: given twice, first in line 1: write <<: [*one, *two]',
        ),
        ("? [a]\n: b\n", "f:1:3: a list or mapping cannot be a key: expected text"),
        ("&a [x]: b\n", "f:1:1: a list or mapping cannot be a key: expected text"),
        ("a: &a [x]\n*a : b\n", "f:2:1: a list or mapping cannot be a key: expected text"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document begins here; a config is one document"),
        (
            "a: !!int 3\n",
            "f:1:4: a: no tag is known here: leave it out, or quote the text if it is to begin with !",
        ),
        (
            "!!int a: 3\n",
            "f:1:1: no tag is known here: leave it out, or quote the text if it is to begin with !",
        ),
        (
            "a: !!set {x}\n",
            "f:1:4: a: no tag is known here: leave it out, or quote the text if it is to begin with !",
        ),
        (
            "a: !hunter2 [x]\n",
            "f:1:4: a: no tag is known here: leave it out, or quote the text if it is to begin with !",
        ),
        (
            "a: b: c\n",
            (
                "f:1:5: not valid YAML: mapping values are not allowed in this context"
                " (quote the text if this colon belongs to it)"
            ),
        ),
        (
            "a:\n\tb: 1\n",
            (
                "f:2:1: not valid YAML: found character that cannot start any token"
                " while scanning for the next token"
                " (a tab stands here; YAML is indented with spaces only)"
            ),
        ),
        (
            "a: [x\n",
            "f:2:1: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence",
        ),
        (
            "a: 1\n b: 2\n",
            (
                "f:2:3: not valid YAML: mapping values are not allowed in this context"
                " (quote the text if this colon belongs to it)"
            ),
        ),
        (
            "a: 1\nbc\n",
            (
                "f:3:1: not valid YAML: could not find expected ':' while scanning a simple key"
                " (is a colon missing, or the indentation wrong?)"
            ),
        ),
        (
            "a: 'x\x1b'\n",
            "f:1:6: the character U+001B cannot stand in YAML; write it as an escape in double quotes",
        ),
        ("%YAML 3.0\n---\na: 1\n", "f:1:1: not valid YAML: found incompatible YAML document"),
    ],
)
def test_errors(text: str, message: str) -> None:
    """Each error says where it is and, where that is known, what to do."""
    assert error(text) == message


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "text",
    ["a: *hunter2", "a: !hunter2 x", "a: !hunter2!x y", "a: hunter2: x", "a: [hunter2", "a: &hunter2 &b x"],
)
def test_errors_show_no_value(text: str, loader: Any) -> None:
    """A password that begins with * or ! or holds a colon breaks YAML, but is not printed for that."""
    assert "hunter2" not in error(text, loader)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("char", ["[", "{a: ", "- ", '"', "? ", "&a ", "!", "%", "\t", ": ", "*", "|\n"])
def test_piles(char: str, loader: Any) -> None:
    """Ten thousand of anything are an error, never a RecursionError or a crash, and are refused soon."""
    assert error(char * 10_000, loader).startswith("f:")


def test_a_bomb_is_refused_while_it_is_read() -> None:
    """Nine aliases of nine aliases of … are counted, not built."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert error("\n".join(lines)).startswith("f:6:")


def test_depth_through_aliases() -> None:
    """Aliases cannot pile up what brackets may not."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    assert error("\n".join(lines)).endswith(": nested deeper than 100 levels")


class PlacelessLoader:
    """Fails without saying where, as no real scanner does."""

    def __init__(self, stream: str) -> None:
        self.stream = stream

    def check_event(self) -> bool:
        raise yaml.MarkedYAMLError("something is wrong")

    def dispose(self) -> None:
        self.stream = ""


def test_an_error_without_a_place() -> None:
    """Even then the file is named."""
    assert error("a: 1", PlacelessLoader) == "f: not valid YAML: something is wrong"


def test_half_a_surrogate_pair() -> None:
    """The parser refuses what is no character."""
    assert error('a: "\\ud800"').startswith("f:1:7: not valid YAML: found invalid Unicode")
