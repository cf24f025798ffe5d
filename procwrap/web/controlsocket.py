"""The control socket: a unix socket of which the permissions say who may control procwrap.

Nothing here needs Twisted, so that it can be opened before anything is started.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress

from attrs import define

from procwrap.errors import CannotStartError
from procwrap.web.address import Unix
from procwrap.web.sockets import open_listener

MODE = 0o600
"""From its creation on; root may connect besides."""

_HARMLESS = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS})
"""Why there is no room for a socket in many a container."""

_Identity = tuple[int, int]


class NoControlSocketError(CannotStartError):
    """The control socket cannot be opened.

    Attributes:
        is_usual: nothing is wrong; this container just has no place for it.
    """

    def __init__(self, text: str, *, is_usual: bool) -> None:
        super().__init__(text)
        self.is_usual = is_usual


@define(eq=False)
class ControlSocket:
    """A control socket that is ours.

    Attributes:
        listener: clients can connect already, and are answered later.
    """

    path: str
    listener: socket.socket
    _identity: _Identity | None

    def remove(self) -> None:
        """Remove the file, unless somebody has put another one in its place."""
        if self._identity is not None and self._identity == _identity(self.path):
            with suppress(OSError):  # it may have become read-only
                os.unlink(self.path)
        self._identity = None


def open_control(path: str) -> ControlSocket:
    """Bind and listen; a file that nobody answers at is replaced.

    Raises:
        NoControlSocketError: it cannot be had.
    """
    try:
        listener = open_listener(Unix(path, MODE))
    except OSError as error:
        raise _cannot(path, error) from None
    return ControlSocket(path, listener, _identity(path))


def _identity(path: str) -> _Identity | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _cannot(path: str, error: OSError) -> NoControlSocketError:
    # A path that is too long has no errno.
    why = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        why = "another program answers there"
    return NoControlSocketError(
        f"no control socket {path}: {why[0].lower()}{why[1:]}; "
        "--control-socket PATH puts it elsewhere, --control-socket off does without",
        is_usual=error.errno in _HARMLESS,
    )
