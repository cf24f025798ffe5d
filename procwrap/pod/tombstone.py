"""Tombstones: what kubexit writes when a process is born and when it dies, and reads of others."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from attrs import frozen

LARGEST = 64 * 1024
"""Bytes of a file that are read; more is no tombstone."""

_LINE = re.compile(r"""(Born|Died|ExitCode):[ \t]*(["']?)([^"'\s#]*)\2[ \t]*(?:#.*)?""")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


@frozen
class Tombstone:
    """One life.

    Attributes:
        born: seconds since the epoch; None when nobody wrote it down.
        died: the same; None while it lives.
        exit_code: what it left with.
    """

    born: float | None = None
    died: float | None = None
    exit_code: int | None = None


def write(stone: Tombstone) -> str:
    """Return the text of a tombstone: YAML with kubexit's keys, times in RFC 3339.

    They are quoted, as kubexit quotes them: a YAML parser would make something else than text of them.
    """
    lines = []
    if stone.born is not None:
        lines.append(f'Born: "{_text(stone.born)}"\n')
    if stone.died is not None:
        lines.append(f'Died: "{_text(stone.died)}"\n')
    if stone.exit_code is not None:
        lines.append(f"ExitCode: {stone.exit_code}\n")
    return "".join(lines)


def read(text: str) -> Tombstone:
    """Read what somebody carved; what cannot be understood, such as half a line, says nothing."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        matched = _LINE.fullmatch(line.rstrip())
        if matched is not None:
            found[matched[1]] = matched[3]
    code = found.get("ExitCode", "")
    return Tombstone(
        _seconds(found.get("Born", "")),
        _seconds(found.get("Died", "")),
        int(code) if re.fullmatch(r"-?\d{1,9}", code, re.ASCII) else None,
    )


def _text(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _seconds(text: str) -> float | None:
    matched = _TIME.fullmatch(text)
    if matched is None:
        return None
    # Go writes nanoseconds, Python reads six digits.
    fraction = (matched[2] or ".0")[:7]
    zone = matched[3].upper().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(matched[1].upper() + fraction.ljust(7, "0") + zone).timestamp()
    except ValueError:
        return None
