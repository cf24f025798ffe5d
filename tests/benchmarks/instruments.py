"""The four small programs that measure: compiled from the C beside this file, or stood in for by Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from attrs import frozen

SOURCES = Path(__file__).parent
NAMES = ("launch", "idle", "writer", "reader")


@frozen
class Instruments:
    """How to start each of the four; every one is the beginning of an argument vector.

    Attributes:
        launch: Stamps the clock, then becomes the program that follows.
        idle: A child that stamps its first instruction and sleeps.
        writer: A child that prints numbered lines as fast as they are taken.
        reader: Drains a pipe and checks the writer's lines.
        compiled: False when Python stands in, which adds its own start to every child.
    """

    launch: tuple[str, ...]
    idle: tuple[str, ...]
    writer: tuple[str, ...]
    reader: tuple[str, ...]
    compiled: bool

    @property
    def described(self) -> str:
        """For the head of a report."""
        return "compiled C" if self.compiled else "Python, for want of a C compiler: every start takes longer"


def build(directory: Path) -> Instruments:
    """Compile into a directory; where there is no C compiler, Python stands in.

    Raises:
        RuntimeError: There is a compiler, but it refused our sources.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        python = (sys.executable, "-S", "-E", str(SOURCES / "standins.py"))
        return Instruments(**{name: (*python, name) for name in NAMES}, compiled=False)
    return Instruments(**{name: (_compile(compiler, name, directory),) for name in NAMES}, compiled=True)


def _compile(compiler: str, name: str, directory: Path) -> str:
    # A static child starts half a millisecond sooner, but not every machine has a static libc.
    target = str(directory / name)
    for flags in (["-static"], []):
        command = [compiler, "-O2", *flags, "-o", target, str(SOURCES / f"{name}.c")]
        attempt = subprocess.run(command, capture_output=True, text=True)
        if attempt.returncode == 0:
            return target
    raise RuntimeError(f"cannot compile {name}.c with {compiler}: {attempt.stderr.strip()}")
