"""Part of the composition root: connections that end at once when we want no more of them."""

from __future__ import annotations

from typing import Any

from twisted.protocols.policies import ProtocolWrapper, WrappingFactory


class _Abrupt(ProtocolWrapper):
    """Closes a connection at once: a TLS peer might leave our goodbye unanswered."""

    transport: Any

    def loseConnection(self) -> None:
        """Close; we never have anything left to say then."""
        self.transport.abortConnection()


class AbruptFactory(WrappingFactory):
    """Puts that between a protocol and its transport."""

    protocol = _Abrupt
    noisy = False

    def __init__(self, wrapped: Any) -> None:
        super().__init__(wrapped)  # type: ignore[no-untyped-call]
        # Agent's factories announce their start and their stop: two log events a request.
        wrapped.noisy = False
