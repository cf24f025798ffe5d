"""Reads the exposition of one target, block by block, into families."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import define, field

from procwrap.metrics import kinds
from procwrap.metrics.grammar import META, MILLISECONDS, OPEN_TIMED_RUN, RUN, TIMED_RUN
from procwrap.metrics.loose import read_line
from procwrap.metrics.problem import BadExpositionError
from procwrap.metrics.run import Run, label_of, labelled
from procwrap.metrics.syntax import Syntax

MOST_RUNS = 400_000
"""How often the name of the samples may change in one target: each time costs memory beside the text."""
MOST_FAMILIES = 20_000
"""Families of one target of which something is said."""
STEP = 256
"""Families that are worked on without a pause."""

_END = b"# EOF"
_HASH = ord("#")
_ESCAPES = re.compile(rb'\\[\\n"]')
_MEANT = {rb"\\": b"\\", rb"\n": b"\n", rb"\"": b'"'}


@define(eq=False)
class Family:
    """The samples of one family, and what is said about it.

    Attributes:
        kind: its type; None is not known.
        help: what it is, without escapes; empty where nobody says.
        unit: of OpenMetrics.
        runs: its samples, in the order of the target.
        names: those of its samples, in their order.
        counts: no number is one that counts nothing, such as NaN.
        timed: whether there are samples with a time stamp, and without.
    """

    kind: bytes | None = None
    help: bytes = b""
    unit: bytes = b""
    runs: list[Run] = field(factory=list)
    names: dict[bytes, None] = field(factory=dict)
    counts: bool = True
    timed: set[bool] = field(factory=set)

    def add(self, run: Run, key: bytes) -> None:
        """Take samples that belong to the family of this name."""
        if self.kind in kinds.OWN_LABEL and not _fits(run, key, self.kind):
            self.kind = None
        self.runs.append(run)
        self.names[run.name] = None
        self.timed.add(run.timed)
        if self.counts and (self.kind is None or self.kind in kinds.COUNTING):
            self.counts = _counts(run, quantiles=self.kind == kinds.SUMMARY and run.name == key)


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
    _runs: list[Run] = field(init=False, factory=list)
    _lines: int = field(init=False, default=0)
    _ended: bool = field(init=False, default=False)

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

    def gather(self, found: dict[bytes, Family]) -> Iterator[None]:
        """Make families of what was read, a few at a time.

        Args:
            found: gets the families that have samples, by the names of the text format.
        """
        declared = self._declared()
        types = {key: family.kind for key, family in declared.items()}
        owners: dict[bytes, bytes] = {}
        for count, run in enumerate(self._runs):
            if count % STEP == STEP - 1:
                yield
            owner = owners.get(run.name)
            if owner is None:
                owner = owners[run.name] = kinds.family_of(run.name, types)
                found.setdefault(owner, declared.get(owner) or Family())
            found[owner].add(run, owner)

    def _declared(self) -> dict[bytes, Family]:
        names = dict.fromkeys(name for _, name in self._said)
        found: dict[bytes, Family] = {}
        for name in names:
            said = self._said.get((b"TYPE", name))
            kind = said if said in kinds.KNOWN else None
            family = Family(kind, self._said.get((b"HELP", name), b""), self._said.get((b"UNIT", name), b""))
            found.setdefault(kinds.key_of(name, kind, self._given), family)
        return found

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
        given = tuple(filter(None, labels))
        if len(set(given)) < len(given):
            raise self._bad(block, place, "a label given twice")
        return Run(name, given, found[0], timed)

    def _keep(self, run: Run, block: bytes, place: int) -> None:
        if len(self._runs) >= MOST_RUNS:
            raise self._bad(block, place, f"more than {MOST_RUNS} times samples of another name")
        if run.timed and run.series is None and self._given is not self._wanted:
            run = run._replace(lines=MILLISECONDS.sub(rb".\1\n", run.lines))
        self._runs.append(run)

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
            if rest not in kinds.KNOWN | kinds.UNTYPED:
                raise self._bad(block, start, "an unknown type")
        elif word == b"HELP":
            rest = _unescaped(rest)
        if len(self._said) >= 3 * MOST_FAMILIES:
            raise self._bad(block, start, f"more than {MOST_FAMILIES} families")
        # Of what is said twice, the first counts.
        self._said.setdefault((word, name), rest)

    def _bad(self, block: bytes, place: int, what: str) -> BadExpositionError:
        number = self._lines + block.count(b"\n", 0, place) + 1
        return BadExpositionError(f"line {number}: {what}")


def _fits(run: Run, key: bytes, kind: bytes | None) -> bool:
    """Return whether samples may be part of a family of this type."""
    own = kinds.OWN_LABEL.get(kind or b"")
    if own is None:
        return True
    if run.name == key:
        return kind == kinds.SUMMARY and own in run.labels
    return run.name != key + kinds.BUCKET or own in run.labels


def _counts(run: Run, *, quantiles: bool) -> bool:
    """Return whether no number is negative or none; a label that looks like one does no harm."""
    # There is a label set on every line by now.
    if b"} -" in run.lines:
        return False
    if quantiles:
        return True
    return b"} nan" not in run.lines.lower() if run.series else b"} NaN" not in run.lines


def _check_text(block: bytes) -> None:
    if b"\0" in block:
        raise BadExpositionError("it holds a NUL byte")
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        raise BadExpositionError("it is not UTF-8") from None


def _unescaped(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return _ESCAPES.sub(lambda found: _MEANT[found[0]], text)
