"""A mapping of the config, read key by key; what nobody asked for is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from attrs import define, field, frozen

from procwrap.config import paths
from procwrap.config.node import Entry, Kind, Mark, Node
from procwrap.config.problem import MOST_SHOWN, Problem, WrongValueError

T = TypeVar("T")
D = TypeVar("D")


@frozen
class Place:
    """A node, the path that leads to it, and where its problems are collected."""

    node: Node
    path: str
    problems: list[Problem]

    def report(self, message: str, mark: Mark | None = None) -> None:
        """Note that something is wrong with this value."""
        self.problems.append(Problem(mark or self.node.mark, self.path, message))

    def items(self) -> list[Place]:
        """The values of this list; none when it is no list."""
        return [
            Place(node, node.origin or paths.item(self.path, index), self.problems)
            for index, node in enumerate(self.node.items)
        ]

    def values(self) -> dict[str, Place]:
        """The values of this mapping by key, in its order; none when it is no mapping."""
        return {key: self._value(key, entry) for key, entry in self.node.entries.items()}

    def value(self, key: str) -> Place:
        """The value of this key, or the mapping itself when it has none."""
        entry = self.node.entries.get(key)
        return self if entry is None else self._value(key, entry)

    def nearest(self, word: str, known: Iterable[str]) -> str | None:
        """The known word that was probably meant; not sought any more once nobody would read the advice."""
        return nearest(word, known) if len(self.problems) < MOST_SHOWN else None

    def _value(self, key: str, entry: Entry) -> Place:
        return Place(entry.node, entry.node.origin or paths.under(self.path, key), self.problems)


Reader = Callable[[Place], T]
"""Turns the value at a place into what it means.

A reader of a scalar raises WrongValueError; one of a list or mapping reports what is wrong within and returns
what it could make of the rest, since a plan is never built once there is any problem.
"""


def attempt(place: Place, read: Reader[T], stand_in: D) -> T | D:
    """Read a value; when it is wrong, report it and go on with a stand-in."""
    try:
        return read(place)
    except WrongValueError as error:
        place.report(str(error))
        return stand_in


@define(eq=False)
class Fields:
    """The keys of one mapping.

    Args:
        place: the mapping.
        any_case: whether keys may be written in any case.
        null_is_empty: whether nothing at all, as YAML has it behind a bare ``key:``, is an empty mapping.

    Raises:
        WrongValueError: it is no mapping.
    """

    _place: Place
    _any_case: bool = field(default=False, kw_only=True)
    _null_is_empty: bool = field(default=False, kw_only=True)
    _left: dict[str, str] = field(init=False)
    _known: list[str] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        node = self._place.node
        if node.kind is not Kind.MAPPING and not (self._null_is_empty and node.kind is Kind.NULL):
            raise WrongValueError(f"expected a mapping, got {node.kind.value}")
        self._left = {}
        for key, entry in node.entries.items():
            folded = key.casefold() if self._any_case else key
            if folded in self._left:
                self._report_key(
                    key, entry.key_mark, f"given twice, also as {self._left[folded]}: keep one of them"
                )
            self._left[folded] = key

    def take(self, key: str, read: Reader[T], default: D, *, even_null: bool = False) -> T | D:
        """The value of a key that may be left out; ``null`` leaves it out too.

        Args:
            key: the key.
            read: reads its value.
            default: what holds without it.
            even_null: whether ``null`` is read like any other value.
        """
        place = self._take(key, even_null=even_null)
        return default if place is None else attempt(place, read, default)

    def require(self, key: str, read: Reader[T], stand_in: D) -> T | D:
        """The value of a key that must be there; without it, report that and return the stand-in."""
        place = self._take(key)
        if place is None:
            path = paths.under(self._place.path, key)
            self._place.problems.append(Problem(self._place.node.mark, path, "is missing"))
            return stand_in
        return attempt(place, read, stand_in)

    @property
    def known(self) -> tuple[str, ...]:
        """The keys that were asked for so far, given or not."""
        return tuple(self._known)

    @property
    def left(self) -> tuple[str, ...]:
        """The keys that were given and that nobody took, save those for the user (``x-…``)."""
        return tuple(key for key in self._left.values() if not key.lower().startswith("x-"))

    def finish(self) -> None:
        """Report every key that nobody took."""
        for key in self.left:
            near = self._place.nearest(key, self._known)
            known = ", ".join(self._known)
            advice = f"did you mean {near}?" if near else f"expected one of {known}"
            self._report_key(key, self._place.node.entries[key].key_mark, f"unknown key: {advice}")

    def _take(self, key: str, *, even_null: bool = False) -> Place | None:
        self._known.append(key)
        written = self._left.pop(key.casefold() if self._any_case else key, None)
        if written is None:
            return None
        place = self._place.value(written)
        return None if place.node.absent and not even_null else place

    def _report_key(self, key: str, mark: Mark, message: str) -> None:
        self._place.problems.append(Problem(mark, paths.under(self._place.path, key), message))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody probably meant."""
    # 3 ms that only those pay who made a mistake.
    from difflib import get_close_matches

    plain = {_letters(other): other for other in known}
    close = get_close_matches(_letters(word)[:60], plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def _letters(word: str) -> str:
    return "".join(char for char in word.casefold() if char.isalnum())
