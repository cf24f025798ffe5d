from __future__ import annotations

import json

from procwrap.core.events import End, ProbeResult, RestartCause, RoundEnded
from procwrap.core.fullview import FullView, full_status
from procwrap.core.lifecycle import State
from procwrap.core.limits import Usage
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.spec.process import Dependency, ProcessSpec

WALL = 1_795_291_384.5671
AT = "2026-11-21T20:03:04.567Z"
FAILED_ROUND = RoundEnded(
    "slow",
    "readiness",
    (ProbeResult("http", False, "http://x/: 503", 0.1), ProbeResult("tcp", True, "", 0.2)),
    failures=2,
    threshold=3,
    counted=True,
    recovered=False,
    wall=WALL,
)
SLOW = ProcessView(
    "slow",
    State.UNHEALTHY,
    "http://x/: 503",
    pid=31,
    started_at=10.0,
    started_wall=WALL,
    restarts=3,
    restarts_by={RestartCause.PROBE: 2, RestartCause.EXIT: 1},
    last_end=End(signal=15),
    ended_wall=WALL,
    rounds={"readiness": FAILED_ROUND},
    usage=Usage(memory=4096, cpu=2.0, processes=2, threads=3, open_files=None),
)


def snapshot(*views: ProcessView) -> Snapshot:
    """Everything is declared, and these are the processes."""
    return Snapshot({view.name: view for view in views}, declared=True)


def test_a_running_process() -> None:
    """Full status shows pid, uptime, restarts by cause, the last exit, each probe, and what it uses."""
    assert full_status(snapshot(SLOW), 12.5, FullView(cpu=lambda _: 0.5))["slow"] == {
        "name": "slow",
        "state": "unhealthy",
        "healthy": False,
        "reason": "http://x/: 503",
        "pid": 31,
        "uptime": 2.5,
        "started": AT,
        "restarts": 3,
        "restartsBy": {"probe": 2, "exit": 1},
        "lastExit": {"code": None, "signal": "SIGTERM", "reason": "ended by SIGTERM"},
        "lastExitAt": AT,
        "checks": {
            "readiness": {
                "healthy": False,
                "reason": "http://x/: 503",
                "failures": 2,
                "threshold": 3,
                "at": AT,
                "probes": [
                    {"probe": "http", "healthy": False, "reason": "http://x/: 503", "seconds": 0.1},
                    {"probe": "tcp", "healthy": True, "reason": "", "seconds": 0.2},
                ],
            }
        },
        "usage": {"cpu": 0.5, "memoryBytes": 4096, "processes": 2, "threads": 3, "openFiles": None},
        "memoryLimitBytes": None,
        "dependsOn": [],
    }


def test_what_was_asked_for() -> None:
    """The memory limit and what a process depends on come from the config, its command does not."""
    spec = ProcessSpec("slow", "/bin/slow", depends_on=(Dependency("db"),), memory_limit=1 << 20)
    shown = FullView({"slow": spec}.get).of(SLOW, 1.0)
    assert (shown["memoryLimitBytes"], shown["dependsOn"]) == (1 << 20, ["db"])
    assert "/bin/slow" not in json.dumps(shown)


def test_what_never_ran() -> None:
    """What could not be started has no pid, no uptime and no usage, but the reason."""
    why = "/bin/gone: no such file"
    shown = FullView().of(ProcessView("gone", State.FAILED, why, last_end=End(reason=why)), 1.0)
    nothing = ("pid", "uptime", "started", "usage", "lastExitAt")
    assert [shown[key] for key in nothing] == [None] * 5
    assert shown["lastExit"] == {"code": None, "signal": None, "reason": why}
    assert json.loads(json.dumps(shown)) == shown
