"""The grammar of both text formats as regular expressions over bytes, linear in the length of what they read.

``RUN`` is why merging is fast: one match reads all lines in a row that have the same name and the same names
of labels, as nearly all lines are written, without a step of Python for each of them. ``GROUPS`` does the
same for histograms, whose names alternate. Every quantifier but that of its first name is possessive, so that
a line that is none costs no more than one that is.
"""

from __future__ import annotations

import re

MOST_LABELS = 12
"""Labels of a line that ``RUN`` reads; lines with more are read one by one."""

NAME = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
LABEL_NAME = rb"[a-zA-Z_][a-zA-Z0-9_]*+"
QUOTED = rb'"[^"\\\n]*+(?:\\[\\"n][^"\\\n]*+)*+"'
"""The value of a label."""
QUOTED_LOOSELY = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
"""The same with a backslash before anything, which stands for itself then."""

# Numbers that are surely neither too large for a double nor written in a way that only some readers know.
_VALUE = rb"(?:-?[0-9]{1,40}+(?:\.[0-9]*+)?+(?:[eE][+-]?+[0-9]{1,2}+)?+|NaN|[+-]Inf)"


def _labels(left: int) -> bytes:
    more = rb"(?:," + _labels(left - 1) + rb")?+" if left > 1 else b""
    return rb"(" + LABEL_NAME + rb")=" + QUOTED + more


def _same_labels(group: int) -> bytes:
    more = rb"(?(%d)," % (group + 1) + _same_labels(group + 1) + rb")" if group <= MOST_LABELS else b""
    return rb"\%d=" % group + QUOTED + more


def _run(rest: bytes) -> re.Pattern[bytes]:
    return re.compile(
        rb"(" + NAME + rb")(?:\{" + _labels(MOST_LABELS) + rb"\})?+ " + rest + rb"\n"
        rb"(?:\1(?(2)\{" + _same_labels(2) + rb"\}) " + rest + rb"\n)*+"
    )


RUN = _run(_VALUE)
"""Lines without time stamp and exemplar: group 1 is their name, the others are the names of their labels."""
TIMED_RUN = _run(_VALUE + rb" [0-9]{4,15}+")
"""The same with milliseconds, as the text format has them."""
OPEN_TIMED_RUN = _run(_VALUE + rb" [0-9]{1,11}+(?:\.[0-9]{1,9}+)?+")
"""The same with seconds, as OpenMetrics has them."""
MILLISECONDS = re.compile(rb"([0-9]{3})\n")
"""Where a line of ``TIMED_RUN`` gets its point to be one of ``OPEN_TIMED_RUN``."""


def _others(left: int) -> bytes:
    more = _others(left - 1) if left > 1 else b""
    return rb"(?:(?!le=)(" + LABEL_NAME + rb")=" + QUOTED + rb"," + more + rb")?+"


def _same_others(group: int) -> bytes:
    more = _same_others(group + 1) if group <= MOST_LABELS else b""
    return rb"(?(%d)\%d=" % (group, group) + QUOTED + rb"," + more + rb")"


_BOUND = rb"le=" + QUOTED + rb"\} "
GROUPS = re.compile(
    rb"([a-zA-Z_:][a-zA-Z0-9_:]*?)_bucket\{" + _others(MOST_LABELS) + _BOUND + _VALUE + rb"\n"
    rb"(?:\1_(?:bucket\{"
    + _same_others(2)
    + _BOUND
    + rb"|(?:sum|count)(?(2)\{"
    + _same_labels(2)
    + rb"\}) )"
    + _VALUE
    + rb"\n)*+"
)
"""Lines in a row of a histogram whose last label is ``le``: buckets, and ``_sum`` and ``_count`` without it.

Group 1 is the name of the family, the others are the names of the labels but ``le``.
"""

_BLANK = rb"[ \t]*+"
NUMBER = (
    rb"[+-]?+(?:(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?+)"
    rb"|[nN][aA][nN]"
)
_PAIR = LABEL_NAME + _BLANK + rb"=" + _BLANK + QUOTED_LOOSELY
_PAIRS = (
    _BLANK + rb"(?:" + _PAIR + _BLANK + rb"(?:," + _BLANK + _PAIR + _BLANK + rb")*+,?+" + _BLANK + rb")?+"
)

LINE = re.compile(
    _BLANK + rb"(?P<name>" + NAME + rb")"
    # A label set may be followed by the value at once.
    rb"(?:" + _BLANK + rb"\{(?P<labels>" + _PAIRS + rb")\}" + _BLANK + rb"|[ \t]++)"
    rb"(?P<value>" + NUMBER + rb")"
    rb"(?:[ \t]++(?P<time>[+-]?+[0-9][0-9.eE+-]*+))?+"
    rb"(?:[ \t]++\#[ \t]++\{(?P<about>" + _PAIRS + rb")\}[ \t]++(?P<example>" + NUMBER + rb")"
    rb"(?:[ \t]++(?P<since>[+-]?+[0-9][0-9.eE+-]*+))?+)?+" + _BLANK + rb"\Z"
)
"""One line in every way that it may be written, without its newline."""

PAIR = re.compile(rb"(" + LABEL_NAME + rb")" + _BLANK + rb"=" + _BLANK + rb"(" + QUOTED_LOOSELY + rb")")
"""One label out of those that ``LINE`` has found."""

WRITTEN_PAIR = re.compile(rb"([{,])(" + LABEL_NAME + rb")=(" + QUOTED + rb")")
"""One label out of lines that ``RUN`` has found, with what stands before it."""

META = re.compile(rb"\#[ \t]++(HELP|TYPE|UNIT)[ \t]++(" + NAME + rb")(?:[ \t]++(.*+))?+\Z", re.DOTALL)
"""A line about a family: the word, its name, and the rest."""

LONE_BACKSLASH = re.compile(rb'\\([\\"n])|\\')
"""A backslash in the value of a label, with what it escapes."""
