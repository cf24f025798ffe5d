"""Whether the processes that can be seen are those of a whole machine."""

from __future__ import annotations

import os

from procwrap.errors import UsageError

INITIAL = "pid:[4026531836]"
"""The PID namespace that the kernel began with (PROC_PID_INIT_INO in Linux's include/linux/proc_ns.h)."""

_OF_MACHINES = ("systemd", "init")


def refuse_machine(own: int, proc: str = "/proc") -> None:
    """Make sure that ``--shutdown-kill-all`` does not mean every process of a machine.

    Args:
        own: our pid.
        proc: where procfs is mounted.

    Raises:
        UsageError: it does, or that cannot be found out.
    """
    sign = machine_seen(own, proc)
    if sign:
        raise UsageError(
            "--shutdown-kill-all: refused, for it might end every process of this machine: the PID namespace "
            f"is the host's ({sign}); remove hostPID from the Pod, or name what to end: --shutdown-kill NAME"
        )


def machine_seen(own: int, proc: str = "/proc") -> str:
    """Return what shows that we see a whole machine, in words; empty when nothing does.

    It is asked before every process in sight is ended, so whatever cannot be found out counts as a sign.

    Args:
        own: our pid.
        proc: where procfs is mounted.
    """
    try:
        shows_us = os.readlink(f"{proc}/self") == str(own)
        namespace = os.readlink(f"{proc}/self/ns/pid")
        first = _command(proc, 1)
    except OSError as error:
        return f"that cannot be found out: {error.filename}: {error.strerror}"
    if not shows_us:
        return f"{proc} shows the processes of another one"
    if namespace == INITIAL:
        return "it is the first one of the kernel"
    if own != 1 and first in _OF_MACHINES:
        return f"its PID 1 is {first}"
    try:
        return "it has kthreadd in it" if _command(proc, 2) == "kthreadd" else ""
    except OSError:
        return ""


def _command(proc: str, pid: int) -> str:
    with open(f"{proc}/{pid}/comm", encoding="utf-8", errors="replace") as comm:
        return comm.read().strip()
