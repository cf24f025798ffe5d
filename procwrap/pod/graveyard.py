"""The directory of the tombstones. Everything here blocks: it is called aside, never on the reactor."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress

from procwrap.pod import tombstone
from procwrap.pod.tombstone import Tombstone

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o644
_MOUNTED = b" /etc/hostname "


def prepare(graveyard: str) -> None:
    """Make sure that the directory is there.

    Raises:
        OSError: it is not, and cannot be made.
    """
    os.makedirs(graveyard, exist_ok=True)


def carve(graveyard: str, name: str, stone: Tombstone) -> None:
    """Write a tombstone; a reader sees the old one or the new one, never half of one.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    path = os.path.join(graveyard, name)
    unfinished = os.path.join(graveyard, f".{name}.procwrap-{os.getpid()}")
    with suppress(FileNotFoundError):
        os.unlink(unfinished)
    try:
        with open(os.open(unfinished, _NEW, _MODE), "w", encoding="ascii") as file:
            file.write(tombstone.write(stone))
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished)
        raise


def visit(graveyard: str, names: Iterable[str]) -> Mapping[str, Tombstone]:
    """Read the tombstones of these names; those that are not there, or are no files, are left out."""
    found = {}
    for name in names:
        with suppress(OSError):
            found[name] = tombstone.read(_read(os.path.join(graveyard, name)))
    return found


def _read(path: str) -> str:
    descriptor = os.open(path, _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no file")
        return os.read(descriptor, tombstone.LARGEST).decode(errors="replace")
    finally:
        os.close(descriptor)


def pod_started(root: str = "/") -> float:
    """Return since when a death can be one of this Pod's, in seconds since the epoch.

    A graveyard can outlive a Pod, and what died before it must end nobody now. When the Pod was started the
    container runtime wrote the /etc/hostname that is mounted into each of its containers; without one, the
    node's own start is what is known (proc(5), ``btime``).
    """
    with suppress(OSError):
        with open(os.path.join(root, "proc/self/mountinfo"), "rb") as file:
            mounted = any(_MOUNTED in line for line in file)
        if mounted:
            return os.stat(os.path.join(root, "etc/hostname")).st_mtime
    with suppress(OSError, ValueError), open(os.path.join(root, "proc/stat"), "rb") as file:
        for line in file:
            if line.startswith(b"btime "):
                return float(line.split()[1])
    return 0.0
