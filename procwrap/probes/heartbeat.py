"""The ``heartBeat`` probe: the process has to say by itself that it lives."""

from __future__ import annotations

from attrs import define
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.wording import missed, seconds
from procwrap.spec.probe import HeartBeatProbe


@implementer(IProbe)
@define(eq=False)
class HeartBeat:
    """Succeeds within a period of the last heartbeat, or of the start of the process."""

    _spec: HeartBeatProbe
    _context: ProbeContext

    kind = "heartBeat"
    target = "heartBeat"
    timeout = None

    @property
    def expected(self) -> str:
        """How often one has to come."""
        return f"one every {seconds(self._spec.period)}"

    def check(self) -> Deferred[None]:
        """Look how long ago the last one was."""
        signs = (self._context.last_heartbeat(), self._context.started_at())
        last = max((sign for sign in signs if sign is not None), default=None)
        if last is None:
            return fail(missed(self, "none yet"))
        silence = self._context.reactor.seconds() - last
        if silence <= self._spec.period:
            return succeed(None)
        return fail(missed(self, f"none for {seconds(silence)}"))

    def close(self) -> None:
        """Nothing is kept."""
