"""Finds the config; the only reader of disk and standard input in this floor."""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Mapping
from typing import BinaryIO

from procwrap.config import envfile, environment
from procwrap.config.reading import MAX_BYTES, ConfigText
from procwrap.core.printable import printable
from procwrap.errors import SpawnError, UsageError
from procwrap.spec.plan import Given
from procwrap.spec.probe import Pairs

PATIENCE = 30.0
"""Seconds that a pipe or device has for writing its config to the end."""

_PIECE = 64 * 1024


def read_config(
    given: Given, variables: Mapping[str, str], stdin: BinaryIO, patience: float = PATIENCE
) -> ConfigText:
    """Fetch the config from ``--config``, else ``PROCWRAP_CONFIG`` (a path too), else ``CONFIG``.

    Args:
        given: what the command line says.
        variables: the environment.
        stdin: standard input, read when the path is ``-``.
        patience: seconds that a path which is no regular file has for coming to its end.

    Raises:
        UsageError: there is none, or it cannot be read; the message says which and why.
    """
    path = given.config or variables.get(environment.CONFIG_FILE)
    if path:
        source = "stdin" if path == "-" else path
        try:
            data = _within_bounds(stdin.read(MAX_BYTES + 1)) if path == "-" else read_path(path, patience)
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read the config {printable(source)}: {reason(error)}") from None
        return ConfigText(source, data, is_json=path.lower().endswith(".json"))
    text = variables.get(environment.CONFIG)
    if text is None:
        raise UsageError(
            "no config: give --config FILE, or the config itself in the environment variable CONFIG"
        )
    return ConfigText(environment.CONFIG, os.fsencode(text))


def unchanging(given: Given, variables: Mapping[str, str]) -> str | None:
    """Return where the config comes from if that cannot be read a second time; None for a file."""
    path = given.config or variables.get(environment.CONFIG_FILE)
    if path:
        return "standard input" if path == "-" else None
    return f"the environment variable {environment.CONFIG}"


def read_env_file(path: str) -> Pairs:
    """Read the env file of a process as it is now.

    Raises:
        SpawnError: it cannot be read, or a line of it is none; the message says which and why.
    """
    try:
        # A start waits for nobody, so what is no regular file has no time at all.
        return envfile.parse(read_path(path, patience=0.0).decode(), path)
    except UnicodeDecodeError:
        raise SpawnError(f"cannot read envsFile {printable(path)}: it is not UTF-8") from None
    except (OSError, ValueError) as error:
        raise SpawnError(f"cannot read envsFile {printable(path)}: {reason(error)}") from None


def read_path(path: str, patience: float = 0.0) -> bytes:
    """Read a file that is no larger than a config may be.

    Args:
        path: of the file.
        patience: seconds that a path which is no regular file has for coming to its end.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large.
    """
    # A FIFO without a writer must not keep us in open(2) for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        return _within_bounds(_read_all(descriptor, patience))
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, patience: float) -> bytes:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    endless = not stat.S_ISREG(mode)
    end = time.monotonic() + patience
    found = bytearray()
    while len(found) <= MAX_BYTES:
        if endless:
            _wait(descriptor, end - time.monotonic())
        try:
            piece = os.read(descriptor, _PIECE)
        except BlockingIOError:
            continue
        if not piece:
            break
        found += piece
    return bytes(found)


def _wait(descriptor: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if seconds <= 0 or not poll.poll(seconds * 1000):
        raise TimeoutError("it is no regular file, and its end did not come in time")


def _within_bounds(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def reason(error: OSError | ValueError) -> str:
    """Say why something cannot be read."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
