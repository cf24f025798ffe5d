"""Scripts and settings that many tests with real processes share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process


def serving(action: str, signals: str = "TERM") -> str:
    """Return a script that says ``up`` and then waits for a signal.

    It never runs anything in the foreground: while dash does a vfork(2), it loses signals.
    """
    return f"trap '{action}' {signals}; sleep 600 & echo up; wait"


SERVE = serving("echo bye; exit 0")
"""Says ``up``, serves for ever, and says ``bye`` when it is told to stop."""

STUBBORN = "trap '' TERM INT QUIT HUP; echo up; while :; do sleep 0.05; done"
"""Says ``up`` and ends only by SIGKILL."""

SLOW = serving("echo told; sleep 0.6; echo bye; exit 0")
"""Says ``up``, and takes its time from ``told`` to ``bye`` when it is told to stop."""

QUICK = {"initial": "20ms", "max": "40ms"}
"""Pauses between restarts for which a test can wait."""

NO_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Executes a command as root without any of root's rights."""

STATUS = "cat /proc/self/status"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give rights away")


def restarted(name: str, script: str, **settings: Any) -> dict[str, Any]:
    """Return the config of a process that is restarted quickly, always unless told otherwise."""
    return process(name, script, **{"restartPolicy": "always", "restartBackoff": QUICK, **settings})


def finished(home: Path, *plan: dict[str, Any], prefix: Sequence[str] = ()) -> Hosted:
    """Run processes to their end."""
    with Hosted(home, plan, prefix=prefix) as hosted:
        hosted.wait()
    return hosted


def errors(hosted: Hosted) -> dict[str, str]:
    """Return what the log says at level error about each process that never ran."""
    return {
        record["process"]: record["msg"]
        for record in hosted.records()
        if record["name"] == "procwrap" and record["level"] == "error" and "child" not in record
        and not record["msg"].startswith("failed")
    }  # fmt: skip
