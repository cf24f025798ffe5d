"""Keys of the fields in a record: always valid in logfmt, never twice, never one of ours by accident."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from attrs import define, field

OURS = frozenset(("time", "level", "msg", "name", "out", "pid", "partial", "hook"))
"""Keys that only procwrap itself writes."""

_FIRST_REPEAT = 2
_MOST_REMEMBERED = 32

# What go-logfmt refuses in a key (decode.go: up to the space, ``=``, ``"``, U+FFFD), ``'`` which variants of
# it refuse, and control characters.
_FORBIDDEN = re.compile("[\x00-\x20=\"'\x7f-\xa0\ufffd\ud800-\udfff]")


class Raw(str):
    """A value that is JSON already: a number, true, false, null, or a nested value in compact form."""

    __slots__ = ()


Field = tuple[str, str]
"""A key and its value; the value is text, or ``Raw`` when JSON shows it without quotes."""


@define(eq=False)
class Fields:
    """Which keys are taken, and what a field whose key is taken is called instead."""

    _taken: frozenset[str]
    _prefix: str
    _last_fine: list[str] = field(factory=list, init=False)
    """The keys that were last found to be fine: most loggers write the same ones in every line."""

    def admit(self, fields: Sequence[Field]) -> Sequence[Field]:
        """Return all the fields in their order, each under a valid key that occurs just once.

        A forbidden character becomes ``_``. A key that is taken gets the prefix. A key that has been there
        already gets ``_2``, ``_3`` and so on.
        """
        keys = [field[0] for field in fields]
        if self._are_fine(keys):
            return fields
        admitted: list[Field] = []
        seen = set(self._taken)
        repeats: dict[str, int] = {}
        for given, value in fields:
            key = _valid(given)
            if key in self._taken:
                key = self._prefix + key
            if key in seen:
                key = _numbered(key, seen, repeats)
            seen.add(key)
            admitted.append((key, value))
        return admitted

    def _are_fine(self, keys: list[str]) -> bool:
        """Whether the keys can stay as they are."""
        if keys == self._last_fine:
            return True
        fine = (
            self._taken.isdisjoint(keys)
            and len(set(keys)) == len(keys)
            and "" not in keys
            and not _FORBIDDEN.search("".join(keys))
        )
        if fine and len(keys) <= _MOST_REMEMBERED:
            self._last_fine = keys
        return fine


def label_fields(labels: Sequence[tuple[str, str]]) -> Sequence[Field]:
    """Return a process's labels as fields; one that is called like a field of ours becomes ``label_…``."""
    return Fields(OURS, "label_").admit(labels)


def child_fields(ours: Collection[Field]) -> Fields:
    """Return what admits a child's own fields behind ours: a colliding one becomes ``child_…``."""
    return Fields(OURS | {key for key, _ in ours}, "child_")


def _valid(key: str) -> str:
    return _FORBIDDEN.sub("_", key) or "_"


def _numbered(key: str, seen: set[str], repeats: dict[str, int]) -> str:
    """Number a repeated key, remembering where the numbering stands so that many repeats stay cheap."""
    number = repeats.get(key, _FIRST_REPEAT)
    while f"{key}_{number}" in seen:
        number += 1
    repeats[key] = number + 1
    return f"{key}_{number}"
