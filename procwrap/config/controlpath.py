"""Where the control socket is when nobody says anything else; the client needs it fast."""

from __future__ import annotations

import os.path

SOCKET = "procwrap.sock"
RUNTIME_DIRECTORY = "/run"


def default_socket(directory: str | None) -> str:
    """Return its path.

    Args:
        directory: what XDG_RUNTIME_DIR says.
    """
    # A relative one is to be ignored (XDG Base Directory Specification).
    found = directory if directory is not None and os.path.isabs(directory) else RUNTIME_DIRECTORY
    return os.path.join(found, SOCKET)
