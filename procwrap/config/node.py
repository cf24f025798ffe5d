"""The tree that YAML and JSON texts become: values that know where they stand."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, frozen


@frozen(order=True)
class Mark:
    """A place in a text; both numbers begin at 1 and columns count characters."""

    line: int
    column: int


class Kind(enum.Enum):
    """What a value is, in the words that error messages use."""

    MAPPING = "a mapping"
    LIST = "a list"
    TEXT = "text"
    NUMBER = "a number"
    BOOLEAN = "a boolean"
    NULL = "nothing"


@frozen
class Entry:
    """One value of a mapping, and where its key stands."""

    key_mark: Mark
    node: Node


@frozen
class Node:
    """One value of the text.

    Attributes:
        text: a scalar's text; numbers, booleans and nulls are kept as they were written. It may be a
            secret, so it is no part of the repr.
        origin: the path that messages call it by, when it was brought here from another place of the text.
        items: the values of a list.
        entries: the values of a mapping, merge keys already resolved.
    """

    kind: Kind
    mark: Mark
    text: str = field(default="", repr=False)
    items: tuple[Node, ...] = ()
    entries: Mapping[str, Entry] = field(factory=dict)
    origin: str | None = None

    @property
    def absent(self) -> bool:
        """Whether the author wrote ``null`` (or ``~``), which means: not given."""
        return self.kind is Kind.NULL and self.text != ""
