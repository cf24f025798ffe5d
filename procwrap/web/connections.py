"""All connections together: how many there are, and who has to go when there is no room."""

# mypy: disable-error-code="no-untyped-call"
# twisted.web has few annotations.

from __future__ import annotations

from collections.abc import Callable, Collection
from io import BytesIO

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.http import Request
from twisted.web.resource import IResource
from twisted.web.server import Site

from procwrap.web.channel import Channel
from procwrap.web.limits import Limits


class BoundedSite(Site):
    """A site whose clients, however many and however they behave, cannot take more than its limits.

    Beyond the limit, a new connection is heard all the same, for a moment and for a request of health only.
    When even that gets too much, the one that has been silent for longest goes: requests of the kubelet
    come right behind their connection, so that they get through.

    Attributes:
        vital: the request targets that are answered even when there is no room.
        is_control: whether everybody who can connect may do everything: it serves the control socket.
        ending: called before every connection is ended, to finish the answers that have no end.
    """

    noisy = False

    def __init__(
        self,
        resource: IResource,
        reactor: IReactorTime,
        limits: Limits,
        vital: Collection[bytes],
        *,
        is_control: bool = False,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(resource, reactor=reactor, parsePOSTFormSubmission=False)
        self.vital = vital
        self.is_control = is_control
        self._ending = ending
        self._limits = limits
        self._served: set[Channel] = set()
        self._crowd: dict[Channel, None] = {}
        self._leaving: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> Channel:  # type: ignore[override]
        """Return the channel of a new connection."""
        return Channel(self, self._limits)

    def acceptableProtocols(self) -> list[bytes]:
        """Offer TLS clients HTTP/1.1 only: the limits are those of this protocol."""
        return [b"http/1.1"]

    def getContentFile(self, length: int | None) -> BytesIO:
        """Return where a body is kept: in memory, since it is small and the disk may be read-only."""
        return BytesIO()

    def startFactory(self) -> None:
        """Begin without an access log and its timer."""

    def stopFactory(self) -> None:
        """End every connection when nobody listens any more."""
        self._ending()
        for channel in (*self._served, *self._crowd):
            channel.loseConnection()

    def drained(self) -> Deferred[None]:
        """Return what fires when there are no connections (any more); it may be cancelled."""
        if not (self._served or self._crowd):
            return succeed(None)
        self._leaving.append(Deferred(self._leaving.remove))
        return self._leaving[-1]

    def log(self, request: Request) -> None:
        """Do not write an access log: the kubelet alone would fill it."""

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._served) + len(self._crowd)

    def joined(self, channel: Channel) -> None:
        """Take a new connection in."""
        if len(self._served) < self._limits.connections:
            self._served.add(channel)
            return
        self._crowd[channel] = None
        channel.crowd()
        if len(self._crowd) > self._limits.crowd:
            longest_silent = next(iter(self._crowd))
            del self._crowd[longest_silent]
            longest_silent.evict()

    def left(self, channel: Channel) -> None:
        """Forget a connection."""
        self._served.discard(channel)
        self._crowd.pop(channel, None)
        if self._leaving and not (self._served or self._crowd):
            leaving, self._leaving = self._leaving, []
            for drained in leaving:
                drained.callback(None)
