"""Who ran when, from what the processes themselves have written down, and whether two ever ran at once."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parent / "programs" / "presence.c"
_TWO = struct.Struct("dd")


def compiled(directory: Path) -> Path:
    """Compile the program that writes down that it runs."""
    program = directory / "presence"
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None, "a C compiler is needed"
    subprocess.run([compiler, "-O2", "-Wall", "-o", str(program), str(SOURCE)], check=True, timeout=60)
    return program


class Life(NamedTuple):
    """One process: when it began, and when it certainly still ran; monotonic seconds."""

    begin: float
    end: float
    name: str
    token: int
    pid: int


def lives(directory: Path) -> list[Life]:
    """Return all that ran, in the order in which they began."""
    return sorted(_lives(directory))


def _lives(directory: Path) -> Iterator[Life]:
    for path in directory.iterdir():
        name, token, pid = path.name.rsplit(".", 2)
        data = path.read_bytes()
        if len(data) == _TWO.size:
            begin, end = _TWO.unpack(data)
            yield Life(begin, end, name, int(token), int(pid))


def overlaps(given: Iterable[Life]) -> list[tuple[Life, Life]]:
    """Return every two that ran at the same time though they had not the same lock."""
    found: list[tuple[Life, Life]] = []
    running: list[Life] = []
    for life in sorted(given):
        running = [other for other in running if other.end >= life.begin]
        found += [(other, life) for other in running if other.token != life.token]
        running.append(life)
    return found


def unordered_tokens(given: Iterable[Life]) -> list[tuple[Life, Life]]:
    """Return those that began later with a token that is smaller."""
    return [(a, b) for a, b in pairwise(sorted(given)) if b.token < a.token]


def longest_silence(given: Iterable[Life], since: float, until: float) -> float:
    """Return for how many seconds at most nobody ran in this time."""
    longest, covered = 0.0, since
    for life in sorted(given):
        if life.end <= covered:
            continue
        if life.begin >= until:
            break
        longest = max(longest, life.begin - covered)
        covered = max(covered, life.end)
    return max(longest, until - covered)
