"""The types of families: which samples belong to one, and what each syntax calls it."""

from __future__ import annotations

from collections.abc import Mapping

from procwrap.metrics.syntax import Syntax

COUNTER, GAUGE, HISTOGRAM, SUMMARY = b"counter", b"gauge", b"histogram", b"summary"
INFO, STATESET, GAUGE_HISTOGRAM = b"info", b"stateset", b"gaugehistogram"
TOTAL, CREATED, INFO_SUFFIX, BUCKET = b"_total", b"_created", b"_info", b"_bucket"

UNTYPED = {b"untyped", b"unknown"}
"""What says that nothing is known."""
KNOWN = {COUNTER, GAUGE, HISTOGRAM, SUMMARY, INFO, STATESET, GAUGE_HISTOGRAM}
COUNTING = {COUNTER, HISTOGRAM, SUMMARY}
"""Types whose samples OpenMetrics wants to be numbers that are not negative."""
SINGLE = {None, COUNTER, GAUGE, INFO, STATESET}
"""Types whose samples are all of one name."""

PARTS: Mapping[bytes, tuple[bytes, ...]] = {
    HISTOGRAM: (BUCKET, b"_sum", b"_count", CREATED),
    SUMMARY: (b"_sum", b"_count", CREATED),
    GAUGE_HISTOGRAM: (BUCKET, b"_gsum", b"_gcount"),
}
"""What is appended to the name of such a family in the names of its samples."""
SUFFIXES = tuple(sorted({suffix for parts in PARTS.values() for suffix in parts}, key=len, reverse=True))
OWN_LABEL = {HISTOGRAM: b"le", GAUGE_HISTOGRAM: b"le", SUMMARY: b"quantile"}
"""The label that tells the samples of one group apart."""

APART_IN_TEXT = (CREATED, b"_gsum", b"_gcount")
"""Samples that the text format knows only as gauges of their own; Python's client writes them so, too."""
IN_TEXT = {None: b"untyped", INFO: GAUGE, STATESET: GAUGE, GAUGE_HISTOGRAM: HISTOGRAM}


def key_of(name: bytes, kind: bytes | None, given: Syntax) -> bytes:
    """Return the name of a family in the text format 0.0.4: that of its samples, where it has only one.

    Args:
        name: as a line about it says.
        kind: its type; None is not known.
        given: the syntax of that line.
    """
    if given is Syntax.OPENMETRICS and kind == COUNTER:
        return name + TOTAL
    if given is Syntax.OPENMETRICS and kind == INFO:
        return name + INFO_SUFFIX
    return name


def family_of(sample: bytes, kinds: Mapping[bytes, bytes | None]) -> bytes:
    """Return the key of the family that samples of a name belong to.

    Args:
        sample: the name.
        kinds: the types of families by key, as far as they were declared.
    """
    for suffix in SUFFIXES:
        if sample.endswith(suffix):
            base = sample.removesuffix(suffix)
            own = sample not in kinds or (suffix == CREATED and kinds[sample] in (None, GAUGE))
            if own and suffix in PARTS.get(kinds.get(base) or b"", ()):
                return base
    if sample.endswith(CREATED) and kinds.get(sample) in (None, GAUGE):
        # Python's client tells in the text format when a counter began by a gauge of its own.
        counter = sample.removesuffix(CREATED) + TOTAL
        if kinds.get(counter) == COUNTER:
            return counter
    return sample


def open_title(key: bytes, kind: bytes | None) -> bytes | None:
    """Return what OpenMetrics calls a family; None when it cannot be of its type there."""
    suffix = TOTAL if kind == COUNTER else INFO_SUFFIX if kind == INFO else b""
    name = key.removesuffix(suffix)
    return name if key.endswith(suffix) and name else None


def alike(one: bytes | None, other: bytes | None) -> bool:
    """Return whether families of the same name and these types can be one."""
    if one == other:
        return True
    # Who says nothing does not contradict; and in the text format, info and stateset are gauges.
    pair = {one, other}
    return pair <= SINGLE and (None in pair or pair <= {GAUGE, INFO, STATESET})


def joint(one: bytes | None, other: bytes | None) -> bytes | None:
    """Return the type of two families that are alike."""
    if one == other:
        return one
    return COUNTER if COUNTER in (one, other) else GAUGE
