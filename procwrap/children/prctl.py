"""The parts of prctl(2) that Python has no name for; imported only where one is needed."""

from __future__ import annotations

import ctypes
import os

# <linux/prctl.h>
SET_PDEATHSIG = 1
SET_CHILD_SUBREAPER = 36
SET_NO_NEW_PRIVS = 38

# Loaded here and not in the call: between fork and exec nothing may be loaded any more.
_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process.

    Raises:
        OSError: the kernel refused.
    """
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
