"""Opens listening sockets, TCP and unix.

Nothing here needs Twisted: the socket is taken before anything else, so that a port in use is found out while
nothing has been started.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import Any

from procwrap.web.address import Tcp, Unix

BACKLOG = 1024
"""As many connections wait until they are accepted; the kernel may allow fewer (net.core.somaxconn)."""

_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


def open_listener(address: Tcp | Unix) -> socket.socket:
    """Bind and listen.

    Returns:
        The socket, non-blocking and close-on-exec. Connections wait in the kernel.

    Raises:
        OSError: the address cannot be had.
    """
    listener = _tcp(address) if isinstance(address, Tcp) else _unix(address)
    try:
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _tcp(address: Tcp) -> socket.socket:
    return _one_interface(address) if address.host else _all_interfaces(address.port)


def _all_interfaces(port: int) -> socket.socket:
    try:
        return _bound(socket.AF_INET6, ("::", port))
    except OSError as error:
        if error.errno not in _NO_IPV6:
            raise
        return _bound(socket.AF_INET, ("0.0.0.0", port))


def _one_interface(address: Tcp) -> socket.socket:
    # A name is looked up once, before the reactor runs; of several addresses IPv4 comes first, as in Go.
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, place = min(found, key=lambda info: info[0] != socket.AF_INET)
    return _bound(family, place)


def _bound(family: int, place: Any) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)  # Python opens it close-on-exec
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(place[0] != "::"))
        listener.bind(place)
    except OSError:
        listener.close()
        raise
    return listener


def _unix(address: Unix) -> socket.socket:
    _remove_stale(address.path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~address.mode)
    try:
        listener.bind(address.path)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody answers on, such as one left by a crash."""
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise OSError(errno.EEXIST, "it exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.setblocking(False)
        try:
            caller.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except BlockingIOError:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)) from None
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
