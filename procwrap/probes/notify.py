"""The ``notify`` probe: the process says itself that it is ready, and that it still is."""

from __future__ import annotations

from attrs import define
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from procwrap.core.notifications import Notified
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.wording import missed, seconds
from procwrap.spec.probe import NotifyProbe


@implementer(IProbe)
@define(eq=False)
class Notify:
    """Succeeds from the moment the process says that it is ready until it says, or shows, otherwise."""

    _spec: NotifyProbe
    _context: ProbeContext

    kind = "notify"
    target = "notify"
    timeout = None

    @property
    def expected(self) -> str:
        """What it has to say."""
        if self._spec.fd is not None:
            return f"a line on descriptor {self._spec.fd}"
        if self._spec.watchdog is not None:
            return f"READY=1, then WATCHDOG=1 every {seconds(self._spec.watchdog)}"
        return "READY=1"

    def check(self) -> Deferred[None]:
        """Look at what it has said."""
        said, now = self._context.notified(), self._context.reactor.seconds()
        if said.triggered:
            return fail(self._missed("it said WATCHDOG=trigger", said))
        patient = said.is_patient(now)
        trouble = self._trouble(said, now, patient=patient)
        return fail(self._missed(trouble, said, excused=patient)) if trouble else succeed(None)

    def close(self) -> None:
        """Nothing is kept."""

    def _trouble(self, said: Notified, now: float, *, patient: bool) -> str:
        if said.stopping:
            return "it said STOPPING=1"
        if said.ready_at is None:
            closed = said.closed and self._spec.fd is not None
            return "closed without a line" if closed else "not ready yet"
        if self._spec.watchdog is None or patient:
            return ""
        allowed = self._spec.watchdog if said.interval is None else said.interval
        silence = said.silence(now)
        if not allowed or silence <= allowed:
            return ""
        asked = "" if said.interval is None else f" (it asked for one every {seconds(allowed)})"
        return f"no WATCHDOG=1 for {seconds(silence)}{asked}"

    def _missed(self, seen: str, said: Notified, *, excused: bool = False) -> ProbeError:
        if said.status:
            seen += f" (it says: {said.status})"
        if said.refused and said.ready_at is None:
            seen += f" ({said.refused} from strangers refused)"
        return ProbeError(missed(self, seen).reason, excused=excused)
