from __future__ import annotations

import pytest

from procwrap.config.node import Kind, Mark, Node
from procwrap.config.problem import ConfigError
from procwrap.config.tree import MAX_DEPTH, MAX_NODES, Tree

HERE = Mark(1, 1)


def scalar(text: str) -> Node:
    return Node(Kind.TEXT, HERE, text)


def test_a_tree_grows() -> None:
    """Mappings and lists close into nodes that keep their order."""
    tree = Tree("f")
    tree.start(Kind.MAPPING, HERE)
    tree.scalar(scalar("a"))
    tree.start(Kind.LIST, HERE)
    tree.scalar(scalar("x"))
    tree.scalar(scalar("y"))
    tree.end()
    tree.end()
    root = tree.finish()
    assert [item.text for item in root.entries["a"].node.items] == ["x", "y"]


@pytest.mark.parametrize("node", [None, Node(Kind.NULL, HERE), Node(Kind.NULL, HERE, "null")])
def test_nothing_is_no_config(node: Node | None) -> None:
    """An empty text, or a lone null, is an error that says what a config needs."""
    tree = Tree("f")
    if node is not None:
        tree.scalar(node)
    with pytest.raises(ConfigError) as caught:
        tree.finish()
    assert str(caught.value) == "f: the config is empty; it needs at least one process"


def test_depth_is_bounded() -> None:
    """A hundred levels are allowed, one more is refused."""
    tree = Tree("f")
    for _ in range(MAX_DEPTH):
        tree.start(Kind.LIST, HERE)
    with pytest.raises(ConfigError) as caught:
        tree.scalar(scalar("x"))
    assert str(caught.value) == "f:1:1: nested deeper than 100 levels"


def test_size_is_bounded() -> None:
    """100,000 values are allowed, one more is refused."""
    tree = Tree("f")
    tree.start(Kind.LIST, HERE)
    tree.start(Kind.LIST, HERE, "a")
    for _ in range(998):
        tree.scalar(scalar("x"))
    tree.end()
    while tree._count < MAX_NODES - 999:
        tree.alias("a", HERE)
    for _ in range(MAX_NODES - tree._count):
        tree.scalar(scalar("x"))
    with pytest.raises(ConfigError) as caught:
        tree.scalar(scalar("x"))
    assert str(caught.value) == "f:1:1: more than 100,000 values, aliases counted as written out: too many"


def test_what_was_wrong_before_is_told_with_what_ends_it() -> None:
    """A refusal does not swallow the problems that were found on the way."""
    tree = Tree("f")
    tree.start(Kind.MAPPING, HERE)
    for _ in range(2):
        tree.scalar(scalar("a"))
        tree.scalar(scalar("1"))
    assert str(tree.refusal(Mark(9, 9), "the end")).split("\n") == [
        "f:1:1: a: given twice, first in line 1: keep one of them",
        "f:9:9: the end",
    ]
