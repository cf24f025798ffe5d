"""supervisord and circus from PyPI, in a virtual environment of their own that is kept between runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

REQUIREMENTS = ("supervisor==4.3.0", "circus==0.19.0")
SECONDS = 300


@frozen
class PeersVenv:
    """Where they are, or why they are not there.

    Attributes:
        directory: Of the virtual environment.
        trouble: What went wrong when it was made; empty when nothing did.
    """

    directory: Path
    trouble: str = ""

    def executable(self, name: str) -> tuple[str, str]:
        """The path of a program in it, and why it cannot be used, if so."""
        path = self.directory / "bin" / name
        return str(path), self.trouble or ("" if path.exists() else f"{path} does not exist")


def provide(directory: Path | None) -> PeersVenv:
    """The environment of an earlier run, or a new one.

    Args:
        directory: An environment to use as it is; None means ours in the cache directory.
    """
    if directory:
        return PeersVenv(directory.absolute())
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(cache) / "procwrap-benchmarks" / "-".join(REQUIREMENTS).replace("==", "")
    done = directory / "complete"
    if done.exists():
        return PeersVenv(directory)
    sys.stderr.write(f"installing {' and '.join(REQUIREMENTS)} into {directory}\n")
    trouble = _run([sys.executable, "-m", "venv", "--clear", str(directory)]) or _run(
        [str(directory / "bin" / "pip"), "install", "--quiet", *REQUIREMENTS]
    )
    if not trouble:
        done.touch()
    return PeersVenv(directory, trouble)


def _run(command: Sequence[str]) -> str:
    """The last line of what a failing command printed, or nothing when it went well."""
    try:
        attempt = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot install it: {error}"
    if attempt.returncode == 0:
        return ""
    return f"cannot install it: {(attempt.stdout.strip().splitlines() or ['no reason given'])[-1]}"
