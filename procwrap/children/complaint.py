"""What to tell a person about a command that could not be executed."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from procwrap.errors import ExitStatus, SpawnError

if TYPE_CHECKING:
    from procwrap.children.launch import Command


def complaint(error: Exception, command: Command) -> SpawnError:
    """Turn the failure of fork(2), chdir(2) or execve(2) into one line with the path and the reason."""
    if not isinstance(error, OSError) or error.errno is None:
        return SpawnError(f"cannot execute {command.entrypoint}: {error}")
    if error.errno in (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE):
        return SpawnError(f"cannot start {command.entrypoint}: {error.strerror} (is a limit reached?)")
    if _is_about_directory(error, command):
        return SpawnError(f"cannot enter its directory {command.directory}: {error.strerror}")
    if error.errno == errno.ENOENT:
        return _missing(command)
    return SpawnError(f"cannot execute {command.entrypoint}: {_why(error, command)}")


def _is_about_directory(error: OSError, command: Command) -> bool:
    # Popen names the directory when chdir failed, and the program when execve did.
    return command.directory is not None and error.filename == command.directory


def _missing(command: Command) -> SpawnError:
    if "/" not in command.entrypoint:
        path = command.environment.get("PATH", os.defpath)
        return SpawnError(
            f"cannot execute {command.entrypoint}: not found in PATH={path}", ExitStatus.NOT_FOUND
        )
    place = _seen_from_here(command)
    if os.path.exists(place):
        interpreter = _interpreter(place)
        return SpawnError(
            f"cannot execute {command.entrypoint}: its interpreter {interpreter} does not exist",
            ExitStatus.NOT_FOUND,
        )
    return SpawnError(f"cannot execute {command.entrypoint}: no such file", ExitStatus.NOT_FOUND)


def _why(error: OSError, command: Command) -> str:
    place = _seen_from_here(command)
    if error.errno == errno.EACCES and os.path.isdir(place):
        return "it is a directory"
    if error.errno == errno.EACCES and os.path.isfile(place):
        return "permission denied (is it executable?)"
    if error.errno == errno.ENOEXEC:
        return "exec format error (a script without a #! line, or made for another machine?)"
    return error.strerror or str(error)


def _seen_from_here(command: Command) -> str:
    inside = os.path.join(command.directory or "", command.entrypoint)
    root = command.attributes.chroot
    return os.path.join(root, inside.lstrip("/")) if root else inside


def _interpreter(place: str) -> str:
    try:
        with open(place, "rb") as script:
            start = script.read(256)
    except OSError:
        return "(unknown)"
    if not start.startswith(b"#!"):
        return "(the dynamic loader named in it)"
    words = start[2:].split(b"\n", 1)[0].split()
    return words[0].decode(errors="replace") if words else "(none named behind #!)"
