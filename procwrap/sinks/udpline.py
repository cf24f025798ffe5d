"""The way to a UDP server: where it is, whether it is there, and what was lost meanwhile."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from attrs import define, field
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from procwrap.core.events import Level
from procwrap.sinks.podlabels import Ask
from procwrap.spec.events import UdpEvents

Address = tuple[int, str]
"""Family and number of a host."""

RETRY = 5.0
"""Seconds between two questions for the address, at least; none is asked while there is nothing to send."""
CALM = 1.0
"""Seconds without a word of the server's host that nobody listens, after which it is taken to be there."""

_FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)
_LOOPBACK: tuple[Address, ...] = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def look_up(host: str) -> tuple[Address, ...]:
    """Ask the system's resolver for the addresses of a name; blocks.

    Raises:
        OSError: the name has none, or nobody could be asked.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return tuple(dict.fromkeys((int(family), str(address[0])) for family, _, _, _, address in found))


def known(host: str) -> tuple[Address, ...]:
    """Return the addresses of a host that nobody needs to be asked for (RFC 6761, 6.3, for localhost)."""
    if host.lower() == "localhost":
        return _LOOPBACK
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host.partition("%")[0])
            return ((family, host),)
    return ()


def connected(address: Address, port: int) -> socket.socket:
    """Return a socket that sends datagrams to one server, hears that it is not there, and never waits."""
    family, host = address
    made = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        made.connect((host, port))
    except BaseException:
        made.close()
        raise
    return made


def _nothing() -> None:
    """Be nobody who waits."""


@define(eq=False)
class UdpLine:
    """Sends datagrams to a server as long as it can be reached, and says once when it cannot.

    A host where nobody listens says so (ICMP) a moment after the datagram, and the kernel tells us at the
    next one: that is sent again, while the first is lost.

    Args:
        ask: asks the resolver aside.
        report: called with one line when the server becomes unreachable, and when it is back.

    Attributes:
        sent: datagrams that the kernel took.
        lost: those that were refused or could not be sent.
        asking: the address is being asked for.
        on_asked: called when that is over.
    """

    _target: UdpEvents
    _clock: IReactorTime
    _ask: Ask
    _report: Callable[[Level, str], None]
    _open: Callable[[Address, int], socket.socket] = connected
    sent: int = field(init=False, default=0)
    lost: int = field(init=False, default=0)
    asking: bool = field(init=False, default=False)
    on_asked: Callable[[], None] = field(init=False, default=_nothing)
    _asked_at: float | None = field(init=False, default=None)
    _socket: socket.socket | None = field(init=False, default=None)
    _address: Address | None = field(init=False, default=None)
    _turn: int = field(init=False, default=0)
    _troubled: bool = field(init=False, default=False)
    _failed_at: float = field(init=False, default=0.0)
    _tried_since: bool = field(init=False, default=False)
    _lost_before: int = field(init=False, default=0)
    _timer: IDelayedCall | None = field(init=False, default=None)

    @property
    def waits(self) -> bool:
        """Whether what is to be sent had better wait for the address."""
        return self.asking and self._socket is None

    def prepare(self) -> None:
        """Find the server, if it was not found and that has not been tried just now."""
        if self._socket is None:
            self._find()

    def send(self, data: bytes) -> bool:
        """Send a datagram, or lose it; False when it has to be offered again, since the kernel is busy."""
        if self._socket is None:
            self.lost += 1
            return True
        error = self._try(self._socket, data)
        if error and error not in _FULL:
            # Said of an earlier one.
            self._failed(os.strerror(error), lost=1)
            error = self._try(self._socket, data)
        if error in _FULL:
            return False
        if error:
            self._failed(os.strerror(error), lost=1)
        else:
            self.sent += 1
            self._tried_since = True
            self._watch()
        return True

    @staticmethod
    def _try(way: socket.socket, data: bytes) -> int:
        try:
            way.send(data)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self._clock.callLater(CALM, self._listen)

    def _listen(self) -> None:
        """Hear what came of what was sent."""
        self._timer = None
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if self._socket else 0
        if error:
            self._failed(os.strerror(error), lost=1)
        elif self._troubled and self._tried_since:
            if self._clock.seconds() >= self._failed_at + CALM:
                self._recovered()
            else:
                self._watch()

    def _failed(self, reason: str, lost: int = 0) -> None:
        self._failed_at = self._clock.seconds()
        self._tried_since = False
        if not self._troubled:
            self._troubled = True
            self._lost_before = self.lost
            text = f"cannot send events to {self._target}: {reason}; they are lost until it is there"
            self._report(Level.WARNING, text)
        self.lost += lost
        self._find()

    def _recovered(self) -> None:
        self._troubled = False
        lost = self.lost - self._lost_before
        self._report(Level.INFO, f"events reach {self._target} again; {lost} were lost")

    def _find(self) -> None:
        now = self._clock.seconds()
        if self.asking or (self._asked_at is not None and now < self._asked_at + RETRY):
            return
        self._asked_at = now
        addresses = known(self._target.host)
        if addresses:
            self._use(addresses)
            return
        self.asking = True
        asked = maybeDeferred(self._ask, look_up, self._target.host)
        asked.addCallbacks(self._use, self._not_found).addBoth(lambda _: self._asked())

    def _asked(self) -> None:
        self.asking = False
        self.on_asked()

    def _not_found(self, failure: Failure) -> None:
        error = failure.value
        self._failed((isinstance(error, OSError) and error.strerror) or repr(error))

    def _use(self, addresses: tuple[Address, ...]) -> None:
        # One of them after the other, while none seems to be right.
        self._turn += self._troubled
        address = addresses[self._turn % len(addresses)]
        if self._socket is not None and address == self._address:
            return
        try:
            way = self._open(address, self._target.port)
        except OSError as error:
            self._failed(error.strerror or str(error))
            return
        if self._socket is not None:
            self._socket.close()
        self._socket, self._address = way, address
