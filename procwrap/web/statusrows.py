"""The rows of the status page as the server writes them, for the first look and for those without JavaScript.

``page/look.js`` says the same in the same words, so that nothing flickers when it takes over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from string import Template
from typing import Any
from urllib.parse import quote

Json = Mapping[str, Any]

_TONES = {
    "failed": "bad",
    "unhealthy": "bad",
    "backoff": "warn",
    "starting": "busy",
    "stopping": "busy",
    "waiting": "busy",
    "running": "ok",
}
_ORDER = ("bad", "warn", "busy", "off", "ok", "idle")


def tone(state: str, healthy: bool) -> str:
    """Say how bad a state is: ``bad``, ``warn``, ``busy``, ``off``, ``ok`` or ``idle``."""
    if state == "exited":
        return "idle" if healthy else "bad"
    return _TONES.get(state, "idle" if state == "standby" else "off")


def icon(state: str, healthy: bool) -> str:
    """Name the shape of a state."""
    return "crashed" if state == "exited" and not healthy else state


def problems_first(processes: Iterable[Json]) -> list[Json]:
    """Order them as the page does: what is wrong comes first, then the plan's order."""
    return sorted(processes, key=lambda one: _ORDER.index(tone(one["state"], one["healthy"])))


def rows(template: Template, processes: Iterable[Json], wall: float) -> Iterable[str]:
    """Return the rows of the table.

    Args:
        template: of one row, with what ``_cells`` fills in.
        processes: as ``/api/processes`` shows them.
        wall: seconds since the epoch.
    """
    for process in problems_first(processes):
        yield template.substitute(
            {key: escape(value) for key, value in _cells(process, wall).items()},
            href=quote(process["name"], safe="!'()*-._~", errors="replace"),
        )


def blank(template: Template) -> str:
    """Return the row that the page's script clones for processes that come later."""
    keys = ("name", "tone", "icon", "state", "href", "why", "probes", "cpu", "memory", "up", "pid")
    return template.substitute(dict.fromkeys((*keys, "restarts", "exit"), ""))


def _cells(process: Json, wall: float) -> dict[str, str]:
    state, healthy = process["state"], process["healthy"]
    usage = process.get("usage") or {}
    cpu, memory = usage.get("cpu"), usage.get("memoryBytes")
    pid, uptime = process["pid"], process["uptime"]
    return {
        "name": process["name"],
        "state": state,
        "tone": tone(state, healthy),
        "icon": icon(state, healthy),
        "why": process["reason"],
        "probes": _probes(process["checks"]),
        "cpu": "" if cpu is None else share(cpu),
        "memory": "" if memory is None else size(memory),
        "up": "" if uptime is None else duration(uptime),
        "pid": "" if pid is None else f"pid {pid}",
        "restarts": str(process["restarts"]),
        "exit": _last_exit(process, wall),
    }


def _probes(checks: Json) -> str:
    failing = [(name, check) for name, check in checks.items() if not check["healthy"]]
    if failing:
        name, check = failing[0]
        return f"{name} fails {check['failures']}/{check['threshold']}"
    return f"{', '.join(checks)} ok" if checks else ""


def _last_exit(process: Json, wall: float) -> str:
    last, at = process["lastExit"], process.get("lastExitAt")
    if last is None:
        return ""
    from_epoch = None if at is None else _epoch(at)
    return (
        last["reason"]
        if from_epoch is None
        else f"{last['reason']}, {duration(wall - from_epoch).split()[0]} ago"
    )


def _epoch(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def duration(seconds: float) -> str:
    """Say how long in at most two units: ``42s``, ``5m 12s``, ``2h 13m``, ``3d 4h``."""
    whole = max(int(seconds), 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days}d {hours % 24}h"
    if hours:
        return f"{hours}h {minutes % 60}m"
    return f"{minutes}m {whole % 60}s" if minutes else f"{whole}s"


def size(count: float) -> str:
    """Say how many bytes: ``3.2 MiB``, ``148 MiB``, ``1.25 GiB``."""
    mebibytes = count / 1048576
    if mebibytes >= 1024:
        return f"{mebibytes / 1024:.2f} GiB"
    return f"{mebibytes:.0f} MiB" if mebibytes >= 10 else f"{mebibytes:.1f} MiB"


def share(cores: float) -> str:
    """Say how much of one core: ``3.1%``, ``140%``."""
    percent = cores * 100
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.1f}%"
