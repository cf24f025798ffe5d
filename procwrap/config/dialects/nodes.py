"""Nodes of the native dialect made of what stands elsewhere: each keeps the user's place and path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from procwrap.config.fields import Place
from procwrap.config.node import Entry, Kind, Node


def text(place: Place, value: str) -> Node:
    """A text that was made of the value at a place."""
    return Node(Kind.TEXT, place.node.mark, value, origin=place.path)


def number(place: Place, value: int) -> Node:
    """A whole number."""
    return Node(Kind.NUMBER, place.node.mark, str(value), origin=place.path)


def boolean(place: Place, *, value: bool) -> Node:
    """A true or false."""
    return Node(Kind.BOOLEAN, place.node.mark, "true" if value else "false", origin=place.path)


def listing(place: Place, items: Sequence[Node]) -> Node:
    """A list."""
    return Node(Kind.LIST, place.node.mark, items=tuple(items), origin=place.path)


def mapping(place: Place, values: Mapping[str, Node | None]) -> Node:
    """A mapping, without the keys whose value is None."""
    entries = {key: Entry(node.mark, node) for key, node in values.items() if node is not None}
    return Node(Kind.MAPPING, place.node.mark, entries=entries, origin=place.path)


def stand_in(place: Place) -> Node:
    """A config for a place that could not be read, in which nothing else is wrong."""
    process = mapping(place, {"name": text(place, "none"), "entrypoint": text(place, "none")})
    return mapping(place, {"processes": listing(place, [process])})
