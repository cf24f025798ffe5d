"""Targets without sockets: what is asked of them is kept, and a test says their bytes."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet import error
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import URI
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from procwrap.core.board import Board
from procwrap.core.events import Declared, Event, Notice, StateChanged
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import Snapshot
from procwrap.spec.plan import MergeSettings
from procwrap.web.mergelog import MergeLog
from procwrap.web.prommerge import Merging
from procwrap.web.scrape import Scraper, Source
from procwrap.web.scrapewire import make_client
from procwrap.web.slices import slices


class Wire(StringTransport):
    """The target's end of one connection."""

    lost = False
    aborted = False

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.peer = protocol
        protocol.makeConnection(self)

    def abortConnection(self) -> None:
        """Be gone with the next turn, as sockets are."""
        self.aborted = True

    def loseConnection(self) -> None:
        """The same: what stands between makes one of the other."""
        self.aborted = True

    def resumeProducing(self) -> None:
        """Nothing, as sockets do that are to end."""

    def obey(self) -> None:
        """End the connection if that was asked for."""
        if self.aborted and not self.lost:
            self.hang_up(error.ConnectionAborted())

    def hang_up(self, why: Exception | None = None) -> None:
        """End the connection."""
        self.lost = True
        self.peer.connectionLost(Failure(why or error.ConnectionDone()))

    def say(self, data: bytes) -> None:
        """Send something, in pieces as a socket does, while there is a connection."""
        for start in range(0, len(data), 65_536):
            if not (self.lost or self.aborted):
                self.peer.dataReceived(data[start : start + 65_536])

    def answer(self, body: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> None:
        """Send a whole answer."""
        self.say(b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n" % (status, headers, len(body)) + body)


@implementer(IAgentEndpointFactory)
@define(eq=False)
class Targets:
    """Where URLs lead: to a wire a connection; hosts that begin with ``no`` refuse it.

    Attributes:
        wires: every connection of each host, in order.
    """

    wires: dict[str, list[Wire]] = field(factory=dict)

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Lead there."""
        host = uri.host.decode()
        endpoint: Any = _Endpoint(self, host)
        return endpoint

    def wire(self, host: str) -> Wire:
        """The last connection of a host."""
        return self.wires[host][-1]

    def obey(self) -> None:
        """End the connections that are to end."""
        for wires in self.wires.values():
            for wire in wires:
                wire.obey()


@implementer(IStreamClientEndpoint)
@define(eq=False, repr=False)
class _Endpoint:
    _targets: Targets
    _host: str

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        if self._host.startswith("no"):
            return fail(error.ConnectionRefusedError())
        protocol = factory.buildProtocol(None)  # type: ignore[arg-type]
        self._targets.wires.setdefault(self._host, []).append(Wire(protocol))
        return succeed(protocol)


class Request:
    """What is looked at of a request."""

    def __init__(self, **headers: str) -> None:
        self.requestHeaders = Headers(
            {name.replace("_", "-").encode(): [value.encode()] for name, value in headers.items()}
        )


class World:
    """/prommerge of some processes without anything real around it.

    Attributes:
        notices: what the log says.
    """

    def __init__(self, *hosts: str, most: int = 1_000_000, **settings: bool) -> None:
        self.clock = Clock()
        self.targets = Targets()
        self.notices: list[str] = []
        self.board = Board(_raise)
        self.board.watch(self._listen)
        self.board.tell(Declared(hosts))
        for host in hosts:
            self.becomes(host, State.RUNNING)
        scraper = Scraper(make_client(self.clock, self.targets), self.clock, lambda _: "refused", most)
        url, headers = "http://{}/m?token=s3cret", (("X", "y"),)
        sources = [Source(host, url.format(host), headers, f"{host}/m") for host in hosts]
        self.merging = Merging(
            self.board,
            self.clock,
            {source.process: source for source in sources},
            MergeSettings(**settings),
            scraper,
            MergeLog(self.board.tell, settings.get("suppress_errors", False)),
            slices(self.clock),
        )

    def becomes(self, name: str, state: State) -> None:
        """Move a process."""
        self.board.tell(StateChanged(name, state, 0.0, 0.0))

    def begin(self, **headers: str) -> Any:
        """Ask, without a turn of the reactor."""
        return self.merging.asked(Request(**headers))  # type: ignore[arg-type]

    def ask(self, **headers: str) -> Any:
        """Ask, and let everything begin."""
        asked = self.begin(**headers)
        self.settle()
        return asked

    def settle(self) -> None:
        """Do all that is due now."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)
            self.targets.obey()
        self.targets.obey()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.settle()

    def answer(self, host: str, body: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> None:
        """Have a target answer its last request."""
        self.targets.wire(host).answer(body, status, headers)
        self.settle()

    def _listen(self, _: Snapshot, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(f"{event.level.value} {event.about}: {event.text}")


def _raise(problem: Exception) -> None:
    raise problem
