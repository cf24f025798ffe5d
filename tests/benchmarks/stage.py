"""One start of a program, from its own empty directory to the end of everything it started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from tests.benchmarks import processes
from tests.benchmarks.instruments import Instruments
from tests.benchmarks.programs.program import Child, Place, Program
from tests.benchmarks.stamps import MeasureError, Stamp, Stamps

START_SECONDS = 60.0
# These slow a Python program down for a developer's sake: no bytecode kept, every write to stdout on its own.
DEVELOPERS_VARIABLES = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONDEVMODE", "PYTHONWARNINGS")
OUR_VARIABLES = ("CONFIG", "HEALTH_SOCKET", "LOG_FORMAT", "PROCWRAP_", "KUBEXIT_", "HANDLE_", "METRICS_")

Cast = Callable[[Instruments, Path], Sequence[Child]]
"""Makes the children, given the path that they stamp."""


def idlers(count: int) -> Cast:
    """Children that stamp their start and sleep."""

    def cast(instruments: Instruments, stamps: Path) -> list[Child]:
        return [Child(f"child{number}", (*instruments.idle, str(stamps))) for number in range(count)]

    return cast


def log_writer(lines: int) -> Cast:
    """One child that prints so many lines at full speed; 0 means for ever."""

    def cast(instruments: Instruments, stamps: Path) -> list[Child]:
        return [Child("writer", (*instruments.writer, str(stamps), str(lines)))]

    return cast


@define(eq=False)
class Running:
    """A program that was started."""

    place: Place
    launched: Stamp
    _process: subprocess.Popen[bytes]
    _pidfd: int
    _stamps: Stamps

    @property
    def pid(self) -> int:
        """Of the program itself."""
        return self._process.pid

    def children(self, count: int, seconds: float = START_SECONDS) -> list[Stamp]:
        """The next children that start, as soon as they have."""
        return self._stamps.take(count, seconds, self._pidfd)

    def stop(self, seconds: float) -> float:
        """SIGTERM; returns how many milliseconds it took to end."""
        asked = time.monotonic_ns()
        os.kill(self.pid, signal.SIGTERM)
        if not processes.wait_for_end(self._pidfd, seconds):
            raise MeasureError(f"it runs on {seconds:g} s after SIGTERM")
        return (time.monotonic_ns() - asked) / 1e6


@contextmanager
def running(program: Program, cast: Cast, instruments: Instruments, stdout: int = -1) -> Iterator[Running]:
    """Start a program with its children; whatever happens, afterwards nothing of it is left.

    Args:
        program: Which.
        cast: Its children.
        instruments: Out of which those are made.
        stdout: A descriptor for its output, closed here once the program has it; -1 throws the output away.

    Raises:
        MeasureError: It cannot be started, or what was done with it failed; with its own last words.
    """
    directory = Path(tempfile.mkdtemp(prefix="procwrap-benchmark-"))
    stamps = Stamps.create(directory / "stamps")
    place = Place(directory, free_port())
    try:
        launch = program.launch(place, cast(instruments, stamps.path))
        environ = {**clean_environ(), **launch.environ}
        process = _popen((*instruments.launch, str(stamps.path), *launch.argv), directory, environ, stdout)
        pidfd = os.pidfd_open(process.pid)
        try:
            yield Running(place, stamps.take(1, START_SECONDS)[0], process, pidfd, stamps)
        finally:
            processes.end_all(process)
            os.close(pidfd)
    except MeasureError as error:
        raise MeasureError(f"{error}{last_words(directory / 'stderr')}") from error
    finally:
        stamps.close()
        shutil.rmtree(directory, ignore_errors=True)


def _popen(
    argv: Sequence[str], directory: Path, environ: dict[str, str], stdout: int
) -> subprocess.Popen[bytes]:
    try:
        with (directory / "stderr").open("wb") as stderr:
            return subprocess.Popen(
                argv,
                cwd=directory,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=stdout if stdout >= 0 else subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
    finally:
        if stdout >= 0:
            os.close(stdout)


def clean_environ() -> dict[str, str]:
    """This process's environment without what would configure procwrap or slow a program down."""
    unwanted = OUR_VARIABLES + DEVELOPERS_VARIABLES
    return {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def last_words(stderr: Path) -> str:
    """The last line that a program printed on its stderr, to stand behind an error."""
    lines = stderr.read_text(errors="replace").strip().splitlines() if stderr.exists() else []
    return f" (its last words: {lines[-1][:200]})" if lines else ""
