"""Many expositions become one: each family once, its samples with the label of their process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from attrs import define, field, frozen

from procwrap.metrics import kinds
from procwrap.metrics.part import Part
from procwrap.metrics.problem import BadExpositionError, Problem
from procwrap.metrics.reader import STEP, Reader
from procwrap.metrics.syntax import Syntax, of_content_type
from procwrap.metrics.unpack import blocks
from procwrap.metrics.writing import Merged, Title, titles, written

_MOST_NAMED = 5
"""Families and samples that one line of a problem names."""


@frozen
class Form:
    """How the result is to be written.

    Attributes:
        syntax: of the result.
        sort: families by name, and the samples of gauges, counters and untyped ones by their text.
        meta: write what is said about families, and not only their samples.
    """

    syntax: Syntax = Syntax.TEXT
    sort: bool = True
    meta: bool = True


class Target(NamedTuple):
    """What one target has sent.

    Attributes:
        process: whose target it is.
        pieces: the body as it came.
        content_type: of the answer.
        gzipped: whether it has to be unpacked.
    """

    process: str
    pieces: Iterable[bytes]
    content_type: str = ""
    gzipped: bool = False


@define(eq=False)
class Merge:
    """One merge; all of it is done in steps, so that whoever drives it can do something else between them.

    Attributes:
        form: how the result is written.
        problems: what is not in the result, and why.
    """

    form: Form
    problems: list[Problem] = field(init=False, factory=list)
    _read: dict[str, dict[bytes, Part]] = field(init=False, factory=dict)
    _families: dict[bytes, Merged] = field(init=False, factory=dict)
    _owners: dict[bytes, bytes] = field(init=False, factory=dict)

    def read(self, target: Target) -> Iterator[None]:
        """Read one target; one that is no exposition becomes a problem, and loses only itself."""
        given = of_content_type(target.content_type)
        reader = Reader(target.process, given, self.form.syntax)
        try:
            yield from reader.read(blocks(target.pieces, gzipped=target.gzipped))
            parts: dict[bytes, Part] = {}
            yield from reader.gather(parts)
            self._read[target.process] = parts
        except BadExpositionError as error:
            self.problems.append(Problem(target.process, str(error), whole=True))

    def write(self, order: Sequence[str]) -> Iterator[bytes]:
        """Yield the result in pieces, some of them empty.

        Args:
            order: the processes; where two targets contradict each other, the earlier one is right.
        """
        for process in order:
            if process in self._read:
                yield from self._add(process, self._read.pop(process))
        made: list[Title] = []
        yield from self._collect_titles(made)
        if self.form.sort:
            made.sort(key=lambda title: title.name)
        # Each is given up once it is written: to free all of them at the end would be a pause.
        made.reverse()
        while made:
            yield from self._write_title(made.pop())
        if self.form.syntax is Syntax.OPENMETRICS:
            yield b"# EOF\n"

    def _add(self, process: str, parts: dict[bytes, Part]) -> Iterator[bytes]:
        left_out: list[str] = []
        for count, (key, part) in enumerate(parts.items()):
            if count % STEP == 0:
                yield b""
            why = self._contradiction(key, part)
            if why:
                left_out.append(f"{key.decode()} ({why})")
                continue
            merged = self._families.get(key)
            if merged is None:
                merged = self._families[key] = Merged(part.kind, part.help, part.unit)
            merged.kind = kinds.joint(merged.kind, part.kind)
            merged.help = merged.help or part.help
            merged.unit = merged.unit or part.unit
            merged.parts.append(part)
        if left_out:
            self._complain(process, "left out what another target has otherwise", left_out)

    def _contradiction(self, key: bytes, part: Part) -> str:
        """Say why a family cannot be part of the result; if it can, keep the names of its samples for it."""
        merged = self._families.get(key)
        if merged is not None and not kinds.alike(merged.kind, part.kind):
            return f"{_word(part.kind)}, not {_word(merged.kind)}"
        for name in (key, *part.names):
            owner = self._owners.get(name, key)
            if owner != key:
                return f"{name.decode()} is part of {owner.decode()}"
        for name in (key, *part.names):
            self._owners[name] = key
        return ""

    def _collect_titles(self, made: list[Title]) -> Iterator[bytes]:
        families, self._families = self._families, {}
        for count, (key, family) in enumerate(families.items()):
            if count % STEP == 0:
                yield b""
            made += titles(key, family, self.form.syntax, self._owners, alone=not self.form.meta)

    def _write_title(self, title: Title) -> Iterator[bytes]:
        for piece, process, repeats in written(title, sort=self.form.sort, meta=self.form.meta):
            if repeats:
                names = sorted({name.decode() for name in repeats})
                self._complain(process, f"left out {len(repeats)} that repeat another sample", names)
            yield piece

    def _complain(self, process: str, what: str, names: list[str]) -> None:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        text = f"{what}: {', '.join(names[:_MOST_NAMED])}{more}"
        self.problems.append(Problem(process, text, whole=False))


def merge(targets: Sequence[Target], form: Form) -> tuple[bytes, list[Problem]]:
    """Merge what some targets have sent, at one go.

    Returns:
        The result, and what is not in it.
    """
    whole = Merge(form)
    for target in targets:
        for _ in whole.read(target):
            continue
    return b"".join(whole.write([target.process for target in targets])), whole.problems


def _word(kind: bytes | None) -> str:
    return (kind or b"untyped").decode()
