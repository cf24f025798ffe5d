"""One line that is not written as most are: with blanks, a time stamp, an exemplar, an odd number."""

from __future__ import annotations

from decimal import Decimal
from math import isinf

from procwrap.metrics.grammar import LINE, LONE_BACKSLASH, PAIR
from procwrap.metrics.problem import BadExpositionError
from procwrap.metrics.run import LABEL, Run, exported, with_ours
from procwrap.metrics.syntax import Syntax

_FARTHEST = 10**15
"""Seconds and milliseconds beyond which nothing is a time."""
_LONGEST_NUMBER = 1000


def read_line(line: bytes, label: bytes, given: Syntax, wanted: Syntax) -> Run:
    """Read a line and write it in the usual way, with one label more.

    Args:
        line: without its newline.
        label: of the process.
        given: how it is written.
        wanted: how it is to be written; time stamps are converted, and exemplars are left out where there is
            no place for them.

    Raises:
        BadExpositionError: it is no line of an exposition.
    """
    found = LINE.match(line)
    if found is None or (found["about"] is not None and given is Syntax.TEXT):
        raise BadExpositionError("not a sample")
    _check_number(found["value"])
    pairs = _pairs(found["labels"] or b"")
    names = tuple(name for name, _ in pairs)
    new = exported(names)
    written = [label, *(b"%s=%s" % (new if name == LABEL else name, value) for name, value in pairs)]
    series = b"%s{%s}" % (found["name"], b",".join(written))
    time = b"" if found["time"] is None else b" " + _time(found["time"], given, wanted)
    example = b""
    if found["about"] is not None and wanted is Syntax.OPENMETRICS:
        example = _exemplar(found["about"], found["example"], found["since"])
    text = b"%s %s%s%s\n" % (series, found["value"], time, example)
    all_names = with_ours(tuple(new if name == LABEL else name for name in names))
    return Run(found["name"], all_names, text, bool(time), series + time)


def _pairs(text: bytes) -> list[tuple[bytes, bytes]]:
    pairs: list[tuple[bytes, bytes]] = PAIR.findall(text)
    if len({name for name, _ in pairs}) < len(pairs):
        raise BadExpositionError("a label given twice")
    if b"\\" in text:
        return [(name, _escaped(value)) for name, value in pairs]
    return pairs


def _escaped(value: bytes) -> bytes:
    # A backslash before anything else means itself; not every reader takes it for that.
    return LONE_BACKSLASH.sub(lambda found: found[0] if found[1] else rb"\\", value)


def _check_number(text: bytes) -> None:
    if text[-1:] in b"0123456789." and (len(text) > _LONGEST_NUMBER or isinf(float(text))):
        raise BadExpositionError("a number beyond what a double holds")


def _time(text: bytes, given: Syntax, wanted: Syntax) -> bytes:
    try:
        time = float(text)
        whole = int(text) if given is Syntax.TEXT else 0
    except ValueError:
        raise BadExpositionError("not a time stamp") from None
    if not abs(time) < _FARTHEST:
        raise BadExpositionError("not a time stamp")
    if given is wanted:
        return text.removeprefix(b"+")
    if wanted is Syntax.TEXT:
        return b"%d" % int(Decimal(text.decode("ascii")) * 1000)
    return b"%s%d.%03d" % (b"-" if whole < 0 else b"", abs(whole) // 1000, abs(whole) % 1000)


def _exemplar(about: bytes, value: bytes, since: bytes | None) -> bytes:
    _check_number(value)
    written = b",".join(b"%s=%s" % pair for pair in _pairs(about))
    time = b"" if since is None else b" " + _time(since, Syntax.OPENMETRICS, Syntax.OPENMETRICS)
    return b" # {%s} %s%s" % (written, value, time)
