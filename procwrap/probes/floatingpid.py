"""The ``floatingPid`` probe: notice a process that is started again and again."""

from __future__ import annotations

from itertools import islice

from attrs import define
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.wording import missed, seconds
from procwrap.spec.probe import FloatingPidProbe


@implementer(IProbe)
@define(eq=False)
class FloatingPid:
    """Succeeds while the process was started seldom enough; its first start of all does not count."""

    _spec: FloatingPidProbe
    _context: ProbeContext

    kind = "floatingPid"
    target = "floatingPid"
    timeout = None

    @property
    def expected(self) -> str:
        """How many starts are allowed."""
        return f"at most {self._spec.threshold}"

    def check(self) -> Deferred[None]:
        """Count the starts within the last period."""
        since = self._context.reactor.seconds() - self._spec.period
        recent = sum(start > since for start in islice(self._context.starts(), 1, None))
        if recent <= self._spec.threshold:
            return succeed(None)
        return fail(missed(self, f"{recent} starts in the last {seconds(self._spec.period)}"))

    def close(self) -> None:
        """Nothing is kept."""
