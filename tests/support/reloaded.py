"""A real procwrap whose config a test writes anew."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.hosted import Hosted

Plan = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def write(hosted: Hosted, plan: Plan | str) -> None:
    """Put another config in the place of its config, at once."""
    text = plan if isinstance(plan, str) else json.dumps(plan)
    new = hosted.home / "config.new"
    new.write_text(text)
    new.replace(hosted.home / "config.json")


def answers(hosted: Hosted) -> int:
    """Return how many reloads have been answered so far."""
    return len(hosted.said("^(reloaded: |not reloaded)"))


def reload(hosted: Hosted, plan: Plan | str | None = None) -> str:
    """Write the config, send SIGHUP, and return what the log says about it."""
    if plan is not None:
        write(hosted, plan)
    before = answers(hosted)
    hosted.signal(signal.SIGHUP)
    hosted.until(lambda: answers(hosted) > before)
    return hosted.said("^(reloaded: |not reloaded)")[before]


def descriptors(hosted: Hosted) -> int:
    """Return how many descriptors it has open."""
    return len(os.listdir(f"/proc/{hosted.process.pid}/fd"))


def arguments(pid: int) -> list[str]:
    """Return the command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
