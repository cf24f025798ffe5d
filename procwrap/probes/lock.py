"""The ``lock`` probe: the shared lock that the process got before it started is still held.

Taking it, keeping it and what happens when it is lost is not the work of a probe: see ``procwrap/lock/``.
"""

from __future__ import annotations

from attrs import define
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.wording import missed
from procwrap.spec.probe import LockProbe


@implementer(IProbe)
@define(eq=False)
class Lock:
    """Succeeds while the lock is held."""

    _spec: LockProbe
    _context: ProbeContext

    kind = "lock"
    target = "lock"
    expected = "to hold it"

    @property
    def timeout(self) -> float:
        """A third of the time to live; looking takes none of it."""
        return self._spec.ttl / 3

    def check(self) -> Deferred[None]:
        """Look whether it is held."""
        return succeed(None) if self._context.lock_held() else fail(missed(self, "not held"))

    def close(self) -> None:
        """Nothing is kept."""
