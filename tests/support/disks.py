"""Small file systems that can be filled up, and emptied again."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

BLOCK = 4096


@contextlib.contextmanager
def small_disk(where: Path, size: int) -> Iterator[Path]:
    """Mount a file system of this many bytes; skips the test where that is not allowed.

    With CI=true root has to be able to do it: a test that is always skipped tests nothing.
    """
    where.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        assert os.environ.get("CI") != "true" or os.geteuid() != 0, mounted.stderr
        pytest.skip(f"needs a file system that can be full: {mounted.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left on a disk; deleting the file that is returned gives it back."""
    ballast = disk / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(BLOCK))
    return ballast
