"""Whether a message comes from a process or from one of its own; asked of the kernel, not of the message."""

from __future__ import annotations

import os

FAR = 64
"""Generations between a process and a descendant, no more."""


def belongs(pid: int, uid: int, group: int) -> bool:
    """Return whether a sender belongs to a process.

    It does when it is in the process's group, or a descendant of the process. One that is gone already, as
    systemd-notify(1) from a shell script soon is, cannot be looked at any more. It counts when its user was
    the process's, ours or root: those could do worse than to tell a lie.

    Args:
        pid: the sender as the kernel names it, 0 for one outside our PID namespace.
        uid: its user as the kernel names it.
        group: the process, leader of its group.
    """
    if pid <= 0:
        return False
    try:
        if os.getpgid(pid) == group:
            return True
    except ProcessLookupError:
        return uid in (0, os.geteuid(), _user_of(group))
    except PermissionError:
        # Only some security modules do this; its parents may tell.
        return _descends(pid, group)
    return _descends(pid, group)


def _descends(pid: int, ancestor: int) -> bool:
    for _ in range(FAR):
        parent = _parent_of(pid)
        if parent == ancestor:
            return True
        if parent is None or parent <= 1 or parent == os.getpid():
            return False
        pid = parent
    return False


def _parent_of(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The name may hold blanks and parentheses: what counts is behind the last one (proc(5)).
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None


def _user_of(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
