"""Takes the socket of HTTP as the very first thing, before Twisted is imported."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from procwrap.errors import CannotStartError, UsageError
from procwrap.spec.control import ServerTls
from procwrap.web.address import Described, Tcp, parse_address
from procwrap.web.servertls import check
from procwrap.web.sockets import open_listener


def open_early(where: str, tls: ServerTls | None = None) -> socket.socket | None:
    """Bind and listen, if that is possible without Twisted.

    Args:
        where: an address.
        tls: the files that it is to be served with; they are checked.

    Returns:
        The socket; None for an endpoint description that Twisted has to understand.

    Raises:
        UsageError: this is not an address, or none for TLS.
        CannotStartError: the address cannot be had, or the files for TLS are no good.
    """
    address = parse_address(where)
    if tls is not None:
        tcp_only(where, address)
        check(tls)
    if isinstance(address, Described):
        return None
    with complaining(where):
        return open_listener(address)


def tcp_only(where: str, address: object) -> None:
    """Refuse an address that ``api.tls`` cannot be meant for.

    Raises:
        UsageError: it is no port.
    """
    if not isinstance(address, Tcp):
        raise UsageError(
            f"api.tls needs an address such as :8443, and HTTP is to be served on {where}: change one of them"
        )


@contextmanager
def complaining(where: str) -> Iterator[None]:
    """Make one line of whatever keeps us from listening.

    Raises:
        CannotStartError: the address cannot be had.
    """
    try:
        yield
    except OSError as error:
        # Twisted's CannotListenError is none, but carries one.
        raise _cannot(where, error) from None
    except Exception as error:
        cause = getattr(error, "socketError", None)
        if cause is None:
            raise
        raise _cannot(where, cause) from None


def _cannot(where: str, error: BaseException) -> CannotStartError:
    why = str(getattr(error, "strerror", None) or error) or type(error).__name__
    return CannotStartError(
        f"cannot listen on {where}: {why[0].lower()}{why[1:]}; set HEALTH_SOCKET to another address"
    )
