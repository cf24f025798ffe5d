"""Figures as people read them at a glance."""

from __future__ import annotations

import math

NOTHING = "-"

_SPANS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_STEPS = ("B", "KiB", "MiB", "GiB", "TiB")


def number(value: object) -> float | None:
    """Return what somebody else says is a number, if it is one that can be shown."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            if math.isfinite(value) and abs(value) < 1e15:
                return value
        except OverflowError:
            return None
    return None


def span(seconds: object) -> str:
    """Write a duration in its two largest units: ``3d4h``, ``12m5s``, ``0s``."""
    found = number(seconds)
    if found is None:
        return NOTHING
    left = max(int(found), 0)
    for index, (size, unit) in enumerate(_SPANS):
        if left >= size:
            most, rest = divmod(left, size)
            if index + 1 == len(_SPANS):
                return f"{most}{unit}"
            lesser_size, lesser = _SPANS[index + 1]
            few = rest // lesser_size
            return f"{most}{unit}{few}{lesser}" if few else f"{most}{unit}"
    return "0s"


def memory(octets: object) -> str:
    """Write bytes: ``812KiB``, ``13.4MiB``."""
    found = number(octets)
    if found is None or found < 0:
        return NOTHING
    step = 0
    while found >= 1023.5 and step + 1 < len(_STEPS):
        found /= 1024
        step += 1
    return f"{found:.0f}{_STEPS[step]}" if found >= 99.95 or step == 0 else f"{found:.1f}{_STEPS[step]}"


def cpu(fraction: object) -> str:
    """Write a fraction of one core: ``3.2%``; 200% are two cores."""
    found = number(fraction)
    return NOTHING if found is None or found < 0 else f"{found * 100:.1f}%"


def whole(value: object) -> str:
    """Write a whole number."""
    found = number(value)
    return NOTHING if found is None else f"{found:.0f}"
