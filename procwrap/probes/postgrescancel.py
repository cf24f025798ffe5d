"""Cancelling a query of PostgreSQL while its connection is already closed, and without waiting."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import psycopg2
from attrs import define, field
from twisted.python.failure import Failure

from procwrap.probes.aside import Asides


def libpq() -> Any:
    """Return the libpq that psycopg2 has loaded, with the signatures of what is called here.

    Raises:
        AttributeError: psycopg2 was built in a way that hides it.
    """
    loaded = ctypes.CDLL(psycopg2._psycopg.__file__)
    loaded.PQgetCancel.restype = ctypes.c_void_p
    loaded.PQgetCancel.argtypes = [ctypes.c_void_p]
    loaded.PQcancel.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    loaded.PQfreeCancel.argtypes = [ctypes.c_void_p]
    loaded.PQfreeCancel.restype = None
    return loaded


@define(eq=False)
class Cancelling:
    """Asks servers to cancel queries, in one thread at a time.

    ``PQgetCancel`` copies what the request needs, so the connection is closed before the request is sent,
    and no thread ever touches a connection. ``PQcancel`` connects, sends and waits until the server hangs up;
    called through ctypes it does so without the interpreter's lock, which psycopg2's cancel() would keep.
    A server that never hangs up holds the thread; then further queries are left to run to their end.
    """

    _asides: Asides
    _load: Callable[[], Any] = libpq
    _busy: bool = field(default=False, init=False)

    def cancel(self, connection: int) -> None:
        """Cancel what the server is doing for an open connection, which may be closed right after.

        Args:
            connection: address of a ``PGconn``.
        """
        if self._busy:
            return
        try:
            library = self._load()
        except (AttributeError, OSError):
            return
        request = library.PQgetCancel(connection)
        if request:
            self._send(library, request)

    def _send(self, library: Any, request: int) -> None:
        def deliver(_: str) -> None:
            library.PQcancel(request, ctypes.create_string_buffer(256), 256)
            library.PQfreeCancel(request)

        try:
            sent = self._asides.ask(deliver, "")
        except RuntimeError:
            # No thread can be started, or the interpreter is about to end.
            library.PQfreeCancel(request)
            return
        self._busy = True
        sent.addBoth(self._sent)

    def _sent(self, _: Failure | None) -> None:
        self._busy = False
