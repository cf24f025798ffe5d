from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.config import yamltext
from procwrap.config.node import Entry, Kind, Mark, Node
from procwrap.config.tree import Tree
from procwrap.config.writing import write

HERE = Mark(1, 1)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    alphabet="ab -:#'\"\n\t|>&*!%{}[],\\~é\u2028\x85\ufeff😀", max_size=12
)


def node(value: object) -> Node:
    match value:
        case dict():
            return Node(
                Kind.MAPPING, HERE, entries={key: Entry(HERE, node(item)) for key, item in value.items()}
            )
        case list():
            return Node(Kind.LIST, HERE, items=tuple(map(node, value)))
        case bool():
            return Node(Kind.BOOLEAN, HERE, str(value).lower())
        case int():
            return Node(Kind.NUMBER, HERE, str(value))
    return Node(Kind.TEXT, HERE, str(value))


def bare(made: Node) -> object:
    """A node without its places."""
    if made.kind is Kind.MAPPING:
        return {key: bare(entry.node) for key, entry in made.entries.items()}
    return [bare(item) for item in made.items] if made.kind is Kind.LIST else (made.kind, made.text)


VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3) | st.lists(VALUES, min_size=1, max_size=3))
def test_it_reads_back_as_it_was(value: object) -> None:
    """Whatever a text holds, line breaks, signs of YAML and strange characters too."""
    text = write(node(value))
    tree = Tree("f")
    assert bare(yamltext.read(text, tree)) == bare(node(value))
    assert tree.problems == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": ["b", {"c": "d", "e": []}]}, "a:\n  - b\n  - c: d\n    e: []\n"),
        ({"a": "set -e\n  exec b\n"}, "a: |\n  set -e\n    exec b\n"),
        (["yes", "1", "", "a: b", "/bin/a b"], '- "yes"\n- "1"\n- ""\n- "a: b"\n- /bin/a b\n'),
        ([[["a"]]], "- - - a\n"),
    ],
)
def test_it_looks_like_written_by_hand(value: object, text: str) -> None:
    """Block style, quotes only where they are needed, scripts as they are."""
    assert write(node(value)) == text
