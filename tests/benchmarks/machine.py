"""Which machine and which versions the figures come from: without them a figure means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path


def describe() -> dict[str, str]:
    """The machine, the Python and the day."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processors": f"{os.cpu_count()} x {_processor()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions(commands: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The first line that each command prints, by the name of the program that it asks."""
    return {name: _first_line(command) for name, command in commands.items()}


def _first_line(command: Sequence[str]) -> str:
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (asked.stdout.strip().splitlines() or ["unknown"])[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
