"""YAML text becomes a tree. Nothing is ever constructed but text, numbers, booleans, lists and mappings.

PyYAML's events are used rather than its nodes: they come one by one, so that a bomb is refused while it is
read, and nothing recurses.
"""

from __future__ import annotations

import re
from typing import Any, cast

import yaml

from procwrap.config.node import Kind, Mark, Node
from procwrap.config.tree import Tree

FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, else the same grammar in Python."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.1 (5.1, character set) has no place for outside of escapes."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = frozenset(
    form
    for word in ("yes", "no", "true", "false", "on", "off")
    for form in (word, word.title(), word.upper())
)
# Times of day (12:30:00) and dates are numbers to YAML 1.1 but text to people, and to YAML 1.2.
_NUMBER = re.compile(
    r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
    r"|\.(inf|Inf|INF))\Z|\.(nan|NaN|NAN)\Z"
)
_TAG = "tag:yaml.org,2002:"
_ALLOWED_TAGS = {
    Kind.TEXT: ("!", _TAG + "str"),
    Kind.LIST: ("!", _TAG + "seq"),
    Kind.MAPPING: ("!", _TAG + "map"),
}
# The Python scanner shows the handle, which may be a piece of a secret that begins with "!".
_QUOTED_TAG = re.compile(r"(?<=undefined tag handle) .*", re.DOTALL)
_HINTS = {
    "mapping values are not allowed": "quote the text if this colon belongs to it",
    "could not find expected ':'": "is a colon missing, or the indentation wrong?",
    "did not find expected key": "is the indentation wrong?",
}


def read(text: str, tree: Tree, loader: Any = FASTEST) -> Node:
    """Read a YAML document; those behind it too, if the tree may have several.

    Args:
        text: the whole text.
        tree: an empty tree; it gets the problems that don't keep the rest from being read.
        loader: the PyYAML loader class that does the scanning.

    Raises:
        ConfigError: it is no YAML, or more than a config may be.
    """
    wrong = _FORBIDDEN.search(text)
    if wrong is not None:
        code = f"U+{ord(wrong.group()):04X}"
        message = f"the character {code} cannot stand in YAML; write it as an escape in double quotes"
        raise tree.refusal(_mark_at(text, wrong.start()), message)
    try:
        for event in yaml.parse(text, Loader=loader):
            _grow(tree, event)
    except yaml.MarkedYAMLError as error:
        raise _refusal(tree, text, error) from None
    return tree.finish()


def _grow(tree: Tree, event: Any) -> None:
    match event:
        case yaml.ScalarEvent():
            plain = event.tag is None and event.implicit[0]
            kind = _resolve(event.value) if plain else Kind.TEXT
            _check_tag(tree, event, Kind.TEXT)
            merge = plain and event.value == "<<"
            tree.scalar(Node(kind, _mark(event), event.value), event.anchor, merge=merge)
        case yaml.MappingStartEvent():
            _check_tag(tree, event, Kind.MAPPING)
            tree.start(Kind.MAPPING, _mark(event), event.anchor)
        case yaml.SequenceStartEvent():
            _check_tag(tree, event, Kind.LIST)
            tree.start(Kind.LIST, _mark(event), event.anchor)
        case yaml.CollectionEndEvent():
            tree.end()
        case yaml.AliasEvent():
            tree.alias(event.anchor or "", _mark(event))
        case yaml.DocumentStartEvent():
            tree.begin_document(_mark(event))
        case _:
            pass


def _resolve(value: str) -> Kind:
    if value in _NULL:
        return Kind.NULL
    if value in _BOOLEAN:
        return Kind.BOOLEAN
    return Kind.NUMBER if _NUMBER.match(value) else Kind.TEXT


def _check_tag(tree: Tree, event: Any, kind: Kind) -> None:
    if event.tag is not None and event.tag not in _ALLOWED_TAGS[kind]:
        tree.report(
            _mark(event), "no tag is known here: leave it out, or quote the text if it is to begin with !"
        )


def _refusal(tree: Tree, text: str, error: yaml.MarkedYAMLError) -> Exception:
    what = _QUOTED_TAG.sub("", error.problem or error.context or "cannot be read")
    hint = next((hint for start, hint in _HINTS.items() if what.startswith(start)), "")
    where = error.problem_mark or error.context_mark
    mark = None
    if where is not None:
        mark = Mark(where.line + 1, where.column + 1)
        if _line(text, where.line)[where.column :].startswith("\t"):
            hint = "a tab stands here; YAML is indented with spaces only"
    context = f" {error.context}" if error.context and error.context != what else ""
    return tree.refusal(mark, f"not valid YAML: {what}{context}" + (f" ({hint})" if hint else ""))


def _line(text: str, number: int) -> str:
    lines = text.split("\n", number + 1)
    return lines[number] if number < len(lines) else ""


def _mark(event: Any) -> Mark:
    start = cast("yaml.Mark", event.start_mark)
    return Mark(start.line + 1, start.column + 1)


def _mark_at(text: str, offset: int) -> Mark:
    return Mark(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
