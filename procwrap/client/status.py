"""``procwrap status``: a table of the processes, or what the host says of them as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from procwrap.client import screen as colors
from procwrap.client.call import Call
from procwrap.client.fleet import View, chosen, fetch, part, text
from procwrap.client.screen import Screen
from procwrap.client.table import Column, cut, table
from procwrap.client.wording import NOTHING, cpu, memory, number, span, whole
from procwrap.core.printable import printable
from procwrap.errors import ExitStatus

_BAD = {"unhealthy", "failed"}
_PAUSED = {"exited", "stopped", "skipped"}
"""States in which nothing is expected of a process."""

_INDENT = "  "


def run(call: Call) -> int:
    """Show the processes that were asked for."""
    around, processes = fetch(call.host)
    wanted = chosen(processes, call.asked.words)
    if call.asked.flag("json"):
        from json import dumps

        call.screen.line(dumps({"host": around, "processes": wanted}, indent=2))
        return ExitStatus.DONE
    for line in lines(wanted, call.screen, call.wall()):
        call.screen.line(line)
    for line in _about_host(around):
        call.screen.line(cut(line, call.screen.width or len(line)))
    return ExitStatus.DONE


def lines(processes: Sequence[View], screen: Screen, wall: float) -> list[str]:
    """Write the table, and below each process that is not well why.

    Args:
        processes: as the host tells of them.
        screen: where it will stand.
        wall: seconds since the epoch.
    """
    if not processes:
        return ["no processes"]
    head, *rows = table(_columns(screen), [_cells(each, wall) for each in processes], screen.width)
    found = [screen.colored(head, colors.BOLD)]
    for each, row in zip(processes, rows, strict=True):
        found.append(row)
        if ails(each) and (reason := printable(text(each, "reason"))):
            line = _INDENT + reason
            found.append(cut(line, screen.width) if screen.width else line)
    return found


def ails(view: View) -> bool:
    """Return whether something is wrong with a process, or not right yet."""
    return view.get("healthy") is not True and text(view, "state") != "stopped"


def _columns(screen: Screen) -> tuple[Column, ...]:
    def paint(cell: str, said: str) -> str:
        return screen.colored(cell, _color(said))

    return (
        Column("NAME", flexible=True, worth=9),
        Column("STATE", worth=8, paint=paint),
        Column("HEALTH", worth=7, paint=paint),
        Column("PID", right=True, worth=4),
        Column("UPTIME", right=True, worth=6),
        Column("RESTARTS", right=True, worth=3),
        Column("CPU", right=True, worth=2),
        Column("MEMORY", right=True, worth=5),
        Column("LAST EXIT", flexible=True, worth=1),
    )


def _cells(view: View, wall: float) -> tuple[str, ...]:
    usage = part(view, "usage")
    return (
        printable(text(view, "name")),
        printable(text(view, "state")) or NOTHING,
        _health(view),
        whole(view.get("pid")),
        span(view.get("uptime")),
        whole(view.get("restarts")),
        cpu(usage.get("cpu")),
        memory(usage.get("memoryBytes")),
        _last_exit(view, wall),
    )


def _health(view: View) -> str:
    if view.get("healthy") is True:
        return "healthy"
    return NOTHING if text(view, "state") in {*_PAUSED, "standby"} else "unhealthy"


def _color(said: str) -> str:
    if said in _BAD:
        return colors.RED
    if said in _PAUSED or said == NOTHING:
        return colors.DIM
    return colors.GREEN if said in ("running", "healthy") else colors.YELLOW


def _last_exit(view: View, wall: float) -> str:
    end = part(view, "lastExit")
    if not end:
        return NOTHING
    code = number(end.get("code"))
    said = text(end, "signal") or (f"code {code:.0f}" if code is not None else text(end, "reason"))
    age = _age(text(view, "lastExitAt"), wall)
    return printable(" ".join(said.split())) + (f", {span(age)} ago" if age is not None else "")


def _age(stamp: str, wall: float) -> float | None:
    if not stamp:
        return None
    from datetime import datetime

    try:
        # The clock there may be ahead of ours.
        return max(0.0, wall - datetime.fromisoformat(stamp).timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _about_host(around: View) -> list[str]:
    if around.get("shutdown") is True:
        return ["procwrap is shutting down"]
    if around.get("preempted") is True:
        return ["this machine is about to be taken back (preempted)"]
    return []
