"""The connection to a procwrap: opened within a time, and read with patience that ends."""

from __future__ import annotations

import errno
import io
import os
import socket
from collections.abc import Callable
from struct import pack
from typing import Any

from procwrap.client.target import Target, Tls
from procwrap.errors import NoHostError

Left = Callable[[], float | None]
"""Returns how many seconds a read may take now; None is for ever."""

_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
"""A peer that is gone without a word is noticed after half a minute, also where it is only listened to."""


class Line:
    """A connection, as ``http.client`` wants its socket to be.

    Attributes:
        left: how many seconds a read may take.
    """

    def __init__(self, connected: socket.socket, left: Left) -> None:
        self._socket = connected
        self.left = left

    def _now_left(self) -> float | None:
        return self.left()

    def sendall(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.settimeout(self.left())
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what is read from."""
        return io.BufferedReader(_Bytes(self._socket, self._now_left), 64 * 1024)

    def close(self) -> None:
        """Do nothing: an answer is read on after ``http.client`` has closed what it was asked through."""

    def hang_up(self) -> None:
        """Close the connection."""
        self._socket.close()


class _Bytes(io.RawIOBase):
    """The bytes of a socket; each read waits as long as there is time left, and no longer."""

    def __init__(self, connected: socket.socket, left: Left) -> None:
        self._socket = connected
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._left()
        if left is not None and left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv_into(buffer)


def connect(target: Target, seconds: float) -> socket.socket:
    """Connect to where procwrap should be.

    Raises:
        NoHostError: it is not there; the message says what to do.
    """
    try:
        if target.socket is not None:
            return _unix(target.socket, seconds)
        plain = socket.create_connection((target.host, target.port), seconds)
    except OSError as error:
        raise NoHostError(
            f"no procwrap at {target.name}: {_why(error, target, seconds)}", _gone(error)
        ) from None
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE:
        plain.setsockopt(socket.IPPROTO_TCP, option, value)
    return plain if target.tls is None else _secured(plain, target, target.tls)


def _unix(path: str, seconds: float) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        # With a timeout of Python's, connect(2) would not wait for a place in a queue that is full (unix(7)).
        made.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, pack("ll", int(seconds), int(seconds % 1 * 1e6))
        )
        made.connect(path)
    except BaseException:
        made.close()
        raise
    return made


def _secured(plain: socket.socket, target: Target, tls: Tls) -> socket.socket:
    import ssl

    try:
        context = ssl.create_default_context(cafile=tls.authorities)
    except (OSError, ValueError) as error:
        plain.close()
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise NoHostError(f"cannot use the certificates of {tls.authorities}: {why}") from None
    if not tls.checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise NoHostError(
            f"the certificate of {target.name} is not good: {error.verify_message};"
            " --cacert FILE names the authority that signed it"
        ) from None
    except OSError as error:
        plain.close()
        why = getattr(error, "reason", None) or _why_plain(error)
        raise NoHostError(f"no TLS with {target.name}: {why}; is it http:// there?") from None


def _gone(error: OSError) -> bool:
    return error.errno in (errno.ENOENT, errno.ECONNREFUSED)


def _why(error: OSError, target: Target, seconds: float) -> str:
    """Say why there is no connection, and what to do about it."""
    here = "is it running in this container? --url for another" if target.socket else "is it the right port?"
    if isinstance(error, TimeoutError | BlockingIOError):
        return f"no connection within {seconds:g}s"
    if isinstance(error, socket.gaierror):
        return f"{error.strerror or error}: is {target.host} the right name?"
    if error.errno == errno.ECONNREFUSED and target.socket:
        return "connection refused; it has ended, or has not begun"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"no such file; {here}"
    if error.errno == errno.ECONNREFUSED:
        return f"connection refused; {here}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied; only the user that runs procwrap, and root, may use its socket"
    return _why_plain(error)


def _why_plain(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return os.strerror(error.errno).lower() if error.errno else str(error)
