"""Bytes become a tree: is it text at all, and is it JSON or YAML?"""

from __future__ import annotations

from attrs import field, frozen

from procwrap.config import jsontext
from procwrap.config.node import Mark, Node
from procwrap.config.problem import ConfigError, Problem
from procwrap.config.tree import Tree

MAX_BYTES = 4 * 1024 * 1024


@frozen
class ConfigText:
    """A config as it was found.

    Attributes:
        source: what messages call it: the file's name, ``CONFIG`` or ``stdin``.
        data: the bytes; they may hold secrets.
        is_json: whether it claims to be JSON, so that YAML is not tried.
    """

    source: str
    data: bytes = field(repr=False)
    is_json: bool = False


def read(text: ConfigText) -> tuple[tuple[Node, ...], list[Problem]]:
    """Read a config into trees, one a document.

    Returns:
        The trees, at least one, and the problems that did not keep the rest from being read.

    Raises:
        ConfigError: it is neither YAML nor JSON, or more than a config may be.
    """
    tree = Tree(text.source, may_be_several=True)
    content = _decode(text, tree)
    if text.is_json:
        return (jsontext.read(content, tree),), tree.problems
    if not content.lstrip().startswith(("{", "[")):
        return _read_yaml(content, tree), tree.problems
    try:
        return (jsontext.read(content, tree),), tree.problems
    except ConfigError as not_json:
        # Flow YAML looks like JSON at first. Whichever reader came further knew what it was reading.
        second = Tree(text.source, may_be_several=True)
        try:
            return _read_yaml(content, second), second.problems
        except ConfigError as not_yaml:
            # libyaml sees the end of an unfinished text in the line after it.
            end = Mark(content.count("\n") + 1, len(content) - content.rfind("\n"))
            raise max(not_json, not_yaml, key=lambda error: min(_furthest(error), end)) from None


def _read_yaml(content: str, tree: Tree) -> tuple[Node, ...]:
    # PyYAML takes 16 ms to import, which a config in JSON need not pay.
    from procwrap.config import yamltext

    yamltext.read(content, tree)
    return tuple(tree.documents)


def _decode(text: ConfigText, tree: Tree) -> str:
    if len(text.data) > MAX_BYTES:
        raise tree.refusal(None, f"larger than {MAX_BYTES // 1024 // 1024} MiB: this is no config")
    if b"\0" in text.data:
        raise tree.refusal(None, "this is a binary file: expected YAML or JSON in UTF-8")
    try:
        return text.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text.data[: error.start].decode("utf-8-sig", "replace")
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"the byte 0x{text.data[error.start]:02x} is not UTF-8: expected YAML or JSON in UTF-8"
        raise tree.refusal(mark, message) from None


def _furthest(error: ConfigError) -> Mark:
    return max((problem.mark for problem in error.problems if problem.mark), default=Mark(0, 0))
