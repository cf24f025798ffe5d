"""Executes a command: process group, environment, descriptors, and errors that name their cause.

``subprocess.Popen`` does the forking: it uses vfork(2) where it can, reports a failed execve(2) through a
close-on-exec pipe, resets signals and closes descriptors. Twisted's own ``spawnProcess`` does none of these.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import field, frozen

from procwrap.children.attributes import Preparation, Step
from procwrap.children.complaint import complaint
from procwrap.errors import SpawnError
from procwrap.spec.process import Attributes

INHERIT = None
"""Leave this descriptor of the command as it is in procwrap."""


@frozen
class Command:
    """Everything that execve(2) and the time before it need.

    Attributes:
        environment: the whole environment, nothing is added.
        foreground: make its group the foreground group of the terminal on stdin.
        descriptor: a number and what of ours it gets under this number, besides 0, 1 and 2.
        last_step: what it does between fork(2) and execve(2) when all else is done, and how that is called
            when it fails; whatever we have open is open there too.
    """

    entrypoint: str
    args: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    directory: str | None = None
    attributes: Attributes = field(factory=Attributes)
    foreground: bool = False
    descriptor: tuple[int, int] | None = None
    last_step: Step | None = None


def launch(command: Command, stdin: int | None, stdout: int | None, stderr: int | None) -> int:
    """Execute a command in a process group of its own.

    Args:
        command: what to execute.
        stdin: descriptor it gets as 0; INHERIT for procwrap's own.
        stdout: the same for 1.
        stderr: the same for 2.

    Returns:
        Its pid, which is also the id of its process group. Somebody has to wait for it.

    Raises:
        SpawnError: it could not be executed as asked; nothing of it is left behind.
    """
    with _taken(command.descriptor) as kept, Preparation.of(command) as preparation:
        try:
            with warnings.catch_warnings():
                # From 3.12 on Python warns that threads and fork do not mix; between fork and exec
                # nothing but system calls is done here.
                warnings.simplefilter("ignore", DeprecationWarning)
                started = _popen(command, preparation, (stdin, stdout, stderr), kept)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise preparation.problem() or complaint(error, command) from error
    # The reaper waits for it. Popen must neither wait itself nor warn that nobody does.
    started.returncode = 0
    return started.pid


def _popen(
    command: Command,
    preparation: Preparation,
    standard: tuple[int | None, int | None, int | None],
    kept: tuple[int, ...],
) -> subprocess.Popen[bytes]:
    session: dict[str, Any] = (
        {"start_new_session": True} if command.attributes.setsid else {"process_group": 0}
    )
    return subprocess.Popen(
        [command.entrypoint, *command.args],
        stdin=standard[0],
        stdout=standard[1],
        stderr=standard[2],
        pass_fds=kept,
        cwd=None if preparation.needed else command.directory,
        env=command.environment,
        close_fds=True,
        restore_signals=True,
        # Only system calls happen there, and none of our threads holds a lock that they need.
        preexec_fn=preparation.run if preparation.needed else None,  # noqa: PLW1509
        **session,
    )


@contextmanager
def _taken(descriptor: tuple[int, int] | None) -> Iterator[tuple[int, ...]]:
    """Have the number of a descriptor in use while the command is executed; yield it.

    Popen closes in the child all but those it is told of, and these have to be open here too. If the number
    is something else of ours, the child puts the right one in its place (``Preparation``).

    Raises:
        SpawnError: the limit of open files is lower than that.
    """
    if descriptor is None:
        yield ()
        return
    number, ours = descriptor
    try:
        held = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, number)
    except OSError as error:
        raise SpawnError(f"cannot give it descriptor {number}: over the limit of open files") from error
    try:
        yield (number,)
    finally:
        os.close(held)


def pipe() -> tuple[int, int]:
    """Return the two ends of a pipe, the reading one non-blocking, neither inherited.

    Raises:
        SpawnError: no descriptor is left.
    """
    try:
        reading, writing = os.pipe2(os.O_CLOEXEC)
    except OSError as error:
        raise SpawnError(f"cannot make a pipe for its output: {error.strerror}") from error
    os.set_blocking(reading, False)
    return reading, writing
