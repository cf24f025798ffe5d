"""Signals to whole process groups."""

from __future__ import annotations

import os


def send_to_group(group: int, number: int) -> bool:
    """Send a signal to a process group.

    Returns:
        False when there is no such group (any more).

    Raises:
        ValueError: it is no group of ours: killpg(1) would reach every process there is, killpg(0) ourselves.
    """
    if group <= 1:
        raise ValueError(f"not a process group of ours: {group}")
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Some members have changed their user and may not be signalled; the others were.
        return True
    return True
