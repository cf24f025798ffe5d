"""The ``grpc`` probe: ask grpc.health.v1 whether a server, or one of its services, is SERVING."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from attrs import define, field
from twisted.internet.abstract import isIPv6Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from zope.interface import implementer

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.dial import Dial
from procwrap.probes.grpcstream import Exchange, Request
from procwrap.probes.grpcwire import METHOD, SERVING, WireError, health, request_message, timeout_header
from procwrap.probes.secrets import masked, secret_values
from procwrap.probes.wording import missed, one_line, trouble
from procwrap.spec.probe import GrpcProbe

LONGEST_NAME = 100
"""Characters of the service's name in a line."""


@implementer(IProbe)
@define(eq=False)
class Grpc:
    """Succeeds when the server says SERVING; each round has a connection of its own, as the kubelet's."""

    _spec: GrpcProbe
    _context: ProbeContext
    _dial: Dial = field(init=False)
    _request: Request = field(init=False)
    target: str = field(init=False)

    kind = "grpc"
    expected = SERVING

    def __attrs_post_init__(self) -> None:
        spec, context = self._spec, self._context
        host = f"[{spec.host}]" if isIPv6Address(spec.host) else spec.host
        self.target = one_line(f"grpc {host}:{spec.port} {one_line(spec.service, LONGEST_NAME)}")
        self._dial = Dial(context.reactor, context.asides, spec.host, spec.port)
        self._request = Request(
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", METHOD),
                (":authority", f"{host}:{spec.port}"),
                ("te", "trailers"),
                ("grpc-timeout", timeout_header(spec.timeout)),
                ("content-type", "application/grpc"),
                ("user-agent", "procwrap"),
            ],
            request_message(spec.service),
        )

    @property
    def timeout(self) -> float:
        """As configured; the server is told of it too."""
        return self._spec.timeout

    @inlineCallbacks
    def check(self) -> Generator[Deferred[Any], Any, None]:
        """Connect and ask."""
        factory = Factory.forProtocol(lambda: Exchange(self._request, self._context.reactor))
        factory.noisy = False
        try:
            exchange = yield self._dial.connect(factory)
            answer = yield exchange.answer
        except WireError as error:
            raise missed(self, str(error)) from None
        except (ConnectError, OSError) as error:
            raise missed(self, trouble(error)) from None
        seen = health(answer, self._spec.service)
        if seen != SERVING:
            raise missed(self, masked(seen, secret_values(self._context.environment())))

    def close(self) -> None:
        """Nothing is kept."""
