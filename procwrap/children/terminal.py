"""Who may read from the terminal: job control around one wrapped command (tcsetpgrp(3))."""

from __future__ import annotations

import os
import signal

STDIN = 0


def is_ours() -> bool:
    """Return whether stdin is a terminal and our process group is its foreground group."""
    try:
        return os.tcgetpgrp(STDIN) == os.getpgrp()
    except OSError:
        return False


def take() -> None:
    """Make our process group the terminal's foreground group.

    Raises:
        OSError: it is not our terminal.
    """
    # A background group that calls tcsetpgrp(3) is sent SIGTTOU, which stops it unless it is blocked.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        os.tcsetpgrp(STDIN, os.getpgrp())
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})
