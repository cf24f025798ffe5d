"""Readers of single values, and of lists and mappings of them."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from procwrap.config import units
from procwrap.config.fields import Place, Reader
from procwrap.config.node import Kind, Node
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.spec.logs import LogFormat
from procwrap.spec.probe import Pairs

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)

_UNPASSABLE = re.compile("[\0\ud800-\udfff]")


def text(place: Place) -> str:
    """Text that is not empty. A bare number or boolean has to be quoted, since YAML may change it."""
    node = place.node
    if node.kind in (Kind.NUMBER, Kind.BOOLEAN):
        message = f"expected text, got {node.kind.value}: quote it ({quoted(node.text)})"
        raise WrongValueError(message)
    if node.kind is not Kind.TEXT:
        raise WrongValueError(f"expected text, got {node.kind.value}")
    if not node.text:
        raise WrongValueError("expected text, got an empty one")
    return _passable(node.text)


def literal(place: Place) -> str:
    """The text of any scalar just as it was written: 8080, no and 1.10 stay what they are.

    Its messages never show the value, which may be a secret.
    """
    node = place.node
    if node.kind is Kind.NULL:
        raise WrongValueError('expected text, got nothing: write "" for an empty one')
    if node.kind in (Kind.MAPPING, Kind.LIST):
        raise WrongValueError(f"expected text, got {node.kind.value}")
    return _passable(node.text)


def boolean(place: Place) -> bool:
    """A bare true or false."""
    if place.node.kind is not Kind.BOOLEAN:
        raise WrongValueError(f"expected true or false, got {shown(place.node)}")
    return units.switch(place.node.text)


def whole_number(lowest: int, highest: int) -> Reader[int]:
    """A bare whole number within bounds."""

    def read(place: Place) -> int:
        if place.node.kind is not Kind.NUMBER:
            raise WrongValueError(
                f"expected a whole number from {lowest} to {highest}, got {shown(place.node)}"
            )
        return units.whole_number(place.node.text, lowest, highest)

    return read


def scalar(parse: Callable[[str], T], expected: str) -> Reader[T]:
    """Text or a number that a function of ``units`` understands.

    Args:
        parse: the function.
        expected: what is wanted, said when the value is neither text nor a number.
    """

    def read(place: Place) -> T:
        if place.node.kind not in (Kind.TEXT, Kind.NUMBER):
            raise WrongValueError(f"expected {expected}, got {shown(place.node)}")
        return parse(place.node.text)

    return read


def duration(lowest: float = 0.0) -> Reader[float]:
    """A duration in seconds, no shorter than ``lowest`` seconds."""
    read_any = scalar(units.duration, "a duration such as 10s or 1m30s")

    def read(place: Place) -> float:
        seconds = read_any(place)
        if seconds < lowest:
            raise WrongValueError(f"expected at least {round(lowest * 1000)}ms, got {shown(place.node)}")
        return seconds

    return read


def size(lowest: int, highest: int) -> Reader[int]:
    """A size in bytes within bounds."""
    read_any = scalar(units.size, "a size such as 10Mi, 256Ki or 4096 (bytes)")

    def read(place: Place) -> int:
        size = read_any(place)
        if not lowest <= size <= highest:
            raise WrongValueError(f"expected {lowest} to {highest} bytes, got {shown(place.node)}")
        return size

    return read


signal_number = scalar(units.signal_number, "a signal such as SIGTERM or 15")
umask = scalar(units.umask, 'octal digits such as "027"')
account = scalar(units.account, "a number or a name")
host_port = scalar(units.host_port, '"host:port"')
listen_address = scalar(units.listen_address, '":port", "host:port" or an endpoint')


def choice(words: Mapping[str, E]) -> Reader[E]:
    """One of some words, in any case."""
    expected = "expected one of " + ", ".join(words)

    def read(place: Place) -> E:
        chosen = find_choice(words, place.node.text) if place.node.kind is Kind.TEXT else None
        if chosen is None:
            raise WrongValueError(f"{expected}, got {shown(place.node)}")
        return chosen

    return read


def find_choice(words: Mapping[str, E], word: str) -> E | None:
    """The member that goes by this word, whatever its case."""
    return next((member for known, member in words.items() if known.casefold() == word.casefold()), None)


def words_of(members: type[E]) -> dict[str, E]:
    """The words of an enumeration."""
    return {member.value: member for member in members}


LOG_FORMATS = words_of(LogFormat) | {"plain": LogFormat.FREE}
log_format = choice(LOG_FORMATS)


def list_of(read_item: Reader[T]) -> Reader[tuple[T, ...]]:
    """A list; one that was left empty in YAML has no items."""

    def read(place: Place) -> tuple[T, ...]:
        if place.node.kind not in (Kind.LIST, Kind.NULL):
            raise WrongValueError(f"expected a list, got {place.node.kind.value}")
        found: list[T] = []
        for item in place.items():
            try:
                found.append(read_item(item))
            except WrongValueError as error:
                item.report(str(error))
        return tuple(found)

    return read


def pairs(
    check_name: Callable[[str], None], check_value: Callable[[str], None] | None = None
) -> Reader[Pairs]:
    """A mapping of names to texts; the checks raise WrongValueError for what they refuse."""

    def read(place: Place) -> Pairs:
        if place.node.kind not in (Kind.MAPPING, Kind.NULL):
            raise WrongValueError(f"expected a mapping of names to texts, got {place.node.kind.value}")
        found: list[tuple[str, str]] = []
        for name, value in place.values().items():
            try:
                check_name(name)
                content = literal(value)
                if check_value is not None:
                    check_value(content)
                found.append((name, content))
            except WrongValueError as error:
                value.report(str(error))
        return tuple(found)

    return read


def shown(node: Node) -> str:
    """How a value that is no secret appears in a message."""
    if node.kind is Kind.TEXT:
        return quoted(node.text)
    return node.text[:60] if node.kind in (Kind.NUMBER, Kind.BOOLEAN) else node.kind.value


def _passable(content: str) -> str:
    if _UNPASSABLE.search(content):
        raise WrongValueError("it holds a NUL or half a surrogate pair, which no program can be given")
    return content
