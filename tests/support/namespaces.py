"""Tests in a PID namespace of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""Words before a command that becomes PID 1 of a namespace, which ends with it."""


def _reason_to_skip() -> str:
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        # There it has to work.
        return ""
    try:
        done = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    except FileNotFoundError:
        return "unshare(1) is not installed"
    return f"no PID namespace can be made here: {done.stderr.strip()}" if done.returncode else ""


REASON = _reason_to_skip()


def in_namespace(test: Callable[..., None]) -> Any:
    """Mark a test that needs a PID namespace: outside of one, it might end every process of this machine."""
    pytest.mark.root(test)
    return pytest.mark.skipif(bool(REASON), reason=REASON)(test)
