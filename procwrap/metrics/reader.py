"""Reads the exposition of one target, block by block, into families."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from procwrap.metrics import kinds
from procwrap.metrics.grammar import GROUPS, META, MILLISECONDS, OPEN_TIMED_RUN, RUN, TIMED_RUN
from procwrap.metrics.loose import read_line
from procwrap.metrics.part import Part
from procwrap.metrics.problem import BadExpositionError
from procwrap.metrics.run import BOUND, Run, label_of, labelled
from procwrap.metrics.syntax import Syntax

MOST_RUNS = 400_000
"""How often the name of the samples may change in one target: each time costs memory beside the text."""
MOST_FAMILIES = 20_000
"""Families of one target of which something is said."""
STEP = 256
"""Families that are worked on without a pause."""

_TYPES = kinds.KNOWN | kinds.UNTYPED
_END = b"# EOF"
_HASH = ord("#")
_ESCAPES = re.compile(rb'\\[\\n"]')
_MEANT = {rb"\\": b"\\", rb"\n": b"\n", rb"\"": b'"'}


@define(eq=False)
class Reader:
    """Takes the blocks of one target.

    Args:
        process: whose target it is.
        given: the syntax of the blocks.
        wanted: the syntax in which the samples are to be written.
    """

    _process: str
    _given: Syntax
    _wanted: Syntax
    _label: bytes = field(init=False)
    _said: dict[tuple[bytes, bytes], bytes] = field(init=False, factory=dict)
    _runs: list[tuple[Any, ...]] = field(init=False, factory=list)
    """As in ``Part``."""
    _lines: int = field(init=False, default=0)
    _ended: bool = field(init=False, default=False)
    _buckets: bytes = field(init=False, default=b"")
    """How the buckets of the last histogram begin of which the type was said."""

    def __attrs_post_init__(self) -> None:
        self._label = label_of(self._process)

    def read(self, blocks: Iterable[bytes]) -> Iterator[None]:
        """Take blocks of whole lines; the iterator makes a pause after each.

        Raises:
            BadExpositionError: they are no exposition; then nothing of it is to be used.
        """
        for block in blocks:
            self._read_block(block)
            yield
        if self._given is Syntax.OPENMETRICS and not self._ended:
            raise BadExpositionError("it was cut off: OpenMetrics ends with # EOF")

    def gather(self, found: dict[bytes, Part]) -> Iterator[None]:
        """Make families of what was read, a few at a time.

        Args:
            found: gets the families that have samples, by the names of the text format.
        """
        declared = self._declared()
        types = {key: part.kind for key, part in declared.items()}
        owners: dict[bytes, bytes] = {}

        def owner_of(name: bytes) -> bytes:
            owner = owners.get(name)
            if owner is None:
                owner = owners[name] = kinds.family_of(name, types)
                found.setdefault(owner, declared.get(owner) or self._part())
            return owner

        for count, run in enumerate(map(Run._make, self._runs)):
            if count % STEP == STEP - 1:
                yield
            owner = owner_of(run.name)
            if all(owner_of(name) == owner for name in run.also):
                found[owner].add(run, owner)
                continue
            for one in run.apart():
                owner = owner_of(one.name)
                found[owner].add(one, owner)

    def _declared(self) -> dict[bytes, Part]:
        names = dict.fromkeys(name for _, name in self._said)
        found: dict[bytes, Part] = {}
        for name in names:
            said = self._said.get((b"TYPE", name))
            kind = said if said in kinds.KNOWN else None
            about = self._said.get((b"HELP", name), b""), self._said.get((b"UNIT", name), b"")
            found.setdefault(kinds.key_of(name, kind, self._given), self._part(kind, *about))
        return found

    def _part(self, *said: Any) -> Part:
        return Part(self._process, self._given, self._wanted, *said)

    def _read_block(self, block: bytes) -> None:
        _check_text(block)
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        place, end = 0, len(block)
        while place < end:
            run = None if block[place] == _HASH or self._ended else self._read_run(block, place)
            if run is not None:
                self._keep(labelled(run, self._label), block, place)
                place += len(run.lines)
                continue
            stop = block.find(b"\n", place)
            stop = end if stop < 0 else stop
            self._read_line(block, place, stop)
            place = stop + 1
        self._lines += block.count(b"\n")

    def _read_run(self, block: bytes, place: int) -> Run | None:
        if self._buckets and block.startswith(self._buckets, place):
            found = GROUPS.match(block, place)
            if found is not None:
                return self._read_groups(found)
        found, timed = RUN.match(block, place), False
        if found is None:
            timed = True
            given_open = self._given is Syntax.OPENMETRICS
            if given_open and self._wanted is Syntax.TEXT:
                return None
            found = (OPEN_TIMED_RUN if given_open else TIMED_RUN).match(block, place)
            if found is None:
                return None
        name, *labels = found.groups()
        return Run(name, self._distinct(labels, block, place), found[0], timed)

    def _read_groups(self, found: re.Match[bytes]) -> Run:
        base, *labels = found.groups()
        given = self._distinct((*labels, BOUND), found.string, found.start())
        also = (base + b"_sum", base + b"_count")
        lines = found[0]
        return Run(
            base + kinds.BUCKET,
            given,
            lines,
            also=tuple(name for name in also if b"\n" + name in lines),
        )

    def _distinct(self, labels: Iterable[bytes | None], block: bytes, place: int) -> tuple[bytes, ...]:
        given = tuple(filter(None, labels))
        if len(set(given)) < len(given):
            raise self._bad(block, place, "a label given twice")
        return given

    def _keep(self, run: Run, block: bytes, place: int) -> None:
        if len(self._runs) >= MOST_RUNS:
            raise self._bad(block, place, f"more than {MOST_RUNS} times samples of another name")
        if run.timed and run.series is None and self._given is not self._wanted:
            run = run._replace(lines=MILLISECONDS.sub(rb".\1\n", run.lines))
        self._runs.append(tuple(run))

    def _read_line(self, block: bytes, start: int, stop: int) -> None:
        line = block[start:stop].strip(b" \t")
        if not line:
            return
        if self._ended:
            raise self._bad(block, start, "something after # EOF")
        if line.startswith(b"#"):
            self._read_comment(block, start, line)
            return
        try:
            run = read_line(line, self._label, self._given, self._wanted)
        except BadExpositionError as error:
            raise self._bad(block, start, str(error)) from None
        self._keep(run, block, start)

    def _read_comment(self, block: bytes, start: int, line: bytes) -> None:
        if line == _END and self._given is Syntax.OPENMETRICS:
            self._ended = True
            return
        found = META.match(line)
        if found is None:
            return
        word, name, rest = found[1], found[2], found[3] or b""
        if word == b"TYPE":
            rest = rest.strip().lower()
            if rest not in _TYPES:
                raise self._bad(block, start, "an unknown type")
            self._buckets = name + kinds.BUCKET + b"{" if rest == kinds.HISTOGRAM else b""
        elif word == b"HELP":
            rest = _unescaped(rest)
        if len(self._said) >= 3 * MOST_FAMILIES:
            raise self._bad(block, start, f"more than {MOST_FAMILIES} families")
        # Of what is said twice, the first counts.
        self._said.setdefault((word, name), rest)

    def _bad(self, block: bytes, place: int, what: str) -> BadExpositionError:
        number = self._lines + block.count(b"\n", 0, place) + 1
        return BadExpositionError(f"line {number}: {what}")


def _check_text(block: bytes) -> None:
    if b"\0" in block:
        raise BadExpositionError("it holds a NUL byte")
    if block.isascii():
        return
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        raise BadExpositionError("it is not UTF-8") from None


def _unescaped(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return _ESCAPES.sub(lambda found: _MEANT[found[0]], text)
