"""Families as text: under which names and types they appear in a syntax, and their lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from attrs import define, field, frozen

from procwrap.metrics import kinds
from procwrap.metrics.ordering import grouped, sorted_lines, unrepeated
from procwrap.metrics.part import Part
from procwrap.metrics.run import Run
from procwrap.metrics.syntax import Syntax


@define(eq=False)
class Merged:
    """A family of all targets.

    Attributes:
        kind: its type; None is not known.
        parts: its samples, a part a process.
    """

    kind: bytes | None
    help: bytes
    unit: bytes
    parts: list[Part] = field(factory=list)


@frozen
class Title:
    """A family as it stands in the result.

    Attributes:
        name: as HELP and TYPE lines say it.
        kind: the word of its type.
        samples: the names of its samples.
        parts: those who have some of them.
        sortable: the order of its samples means nothing.
        own: the label that the lines of one group differ in.
    """

    name: bytes
    kind: bytes
    help: bytes
    unit: bytes
    samples: Collection[bytes]
    parts: Sequence[Part]
    syntax: Syntax
    sortable: bool = True
    own: bytes | None = None


def titles(
    key: bytes, family: Merged, syntax: Syntax, owners: dict[bytes, bytes], *, alone: bool
) -> list[Title]:
    """Return how a family stands in the result; mostly that is one title.

    Args:
        key: its name in the text format.
        family: what is known of it.
        syntax: of the result.
        owners: sample names and what they belong to; names that OpenMetrics needs besides are added.
        alone: nothing is said about families, so that each sample name has to stand for itself.
    """

    def title(name: bytes, kind: bytes, samples: Collection[bytes], **more: Any) -> Title:
        parts = [part for part in family.parts if any(name in samples for name in part.names)]
        return Title(name, kind, family.help, family.unit, samples, parts, syntax, **more)

    kind = family.kind
    samples = list(dict.fromkeys(name for part in family.parts for name in part.names))
    own = kinds.OWN_LABEL.get(kind or b"")
    alone = alone or (kind is None and samples != [key])
    if syntax is Syntax.OPENMETRICS:
        name = kinds.open_title(key, kind)
        if alone or name is None or not _is_open(key, name, family, owners):
            return [title(one, b"unknown", (one,)) for one in samples]
        sortable = samples == [key] and own is None
        return [title(name, kind or b"unknown", samples, sortable=sortable, own=own)]
    if alone:
        return [title(one, b"untyped", (one,)) for one in samples]
    apart = [one for one in samples if one.endswith(kinds.APART_IN_TEXT) and one != key]
    rest = [one for one in samples if one not in apart]
    made = [title(one, kinds.GAUGE, (one,)) for one in apart]
    if rest:
        made.insert(0, title(key, kinds.IN_TEXT.get(kind, kind or b""), rest, sortable=own is None, own=own))
    return made


def _is_open(key: bytes, name: bytes, family: Merged, owners: dict[bytes, bytes]) -> bool:
    """Return whether OpenMetrics admits a family as it is; if so, it has all names that it needs."""
    kind = family.kind
    suffixes = (kinds.TOTAL, kinds.CREATED) if kind == kinds.COUNTER else kinds.PARTS.get(kind or b"", ())
    names = {name, *(name + suffix for suffix in suffixes)}
    if any(owners.get(one, key) != key for one in names):
        return False
    if kind in kinds.COUNTING and not all(part.counts for part in family.parts):
        return False
    if not all(map(_evenly_timed, family.parts)):
        return False
    owners.update(dict.fromkeys(names, key))
    return True


def _evenly_timed(part: Part) -> bool:
    """Return whether a time stamp is on every sample of a group or on none."""
    return part.given is Syntax.OPENMETRICS or len(part.names) < 2 or not (part.timed and part.untimed)


def written(title: Title, *, sort: bool, meta: bool) -> Iterator[tuple[bytes, str, list[bytes]]]:
    """Yield the pieces of a family with the process that they are of and the names of samples left out."""
    if meta:
        yield _head(title), "", []
    parts = sorted(title.parts, key=lambda part: part.process) if sort else title.parts
    for part in parts:
        repeats: list[bytes] = []
        for piece in _lines(title, part, repeats, sort=sort):
            yield piece, "", []
        yield b"", part.process, repeats


def _lines(title: Title, part: Part, repeats: list[bytes], *, sort: bool) -> Iterator[bytes]:
    runs: Iterable[Run] = part.runs
    if len(part.names) > 1:
        runs = _of_title(runs, title)
    if title.sortable:
        return sorted_lines(runs, repeats) if sort else unrepeated(runs, repeats)
    if title.syntax is Syntax.OPENMETRICS and part.given is Syntax.TEXT:
        return grouped(runs, title.own, repeats)
    return unrepeated(runs, repeats)


def _of_title(runs: Iterable[Run], title: Title) -> Iterator[Run]:
    for run in runs:
        if all(name in title.samples for name in run.names):
            yield run
        else:
            yield from (one for one in run.apart() if one.name in title.samples)


def _head(title: Title) -> bytes:
    head = b""
    if title.help:
        head = b"# HELP %s %s\n" % (title.name, _escaped(title.help, title.syntax))
    head += b"# TYPE %s %s\n" % (title.name, title.kind)
    if title.unit and title.syntax is Syntax.OPENMETRICS and title.name.endswith(b"_" + title.unit):
        head += b"# UNIT %s %s\n" % (title.name, title.unit)
    return head


def _escaped(text: bytes, syntax: Syntax) -> bytes:
    text = text.replace(b"\\", rb"\\").replace(b"\n", rb"\n")
    return text.replace(b'"', rb"\"") if syntax is Syntax.OPENMETRICS else text
