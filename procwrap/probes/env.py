"""The ``env`` probe: look at a variable of the process's environment."""

from __future__ import annotations

from attrs import define
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.wording import missed, one_line
from procwrap.spec.probe import EnvProbe


@implementer(IProbe)
@define(eq=False)
class Env:
    """Succeeds when the process was started with this value; neither value is ever shown."""

    _spec: EnvProbe
    _context: ProbeContext

    kind = "env"
    expected = "the configured value"
    timeout = None

    @property
    def target(self) -> str:
        """The variable's name."""
        return one_line(f"env {self._spec.name}")

    def check(self) -> Deferred[None]:
        """Compare."""
        seen = self._context.environment().get(self._spec.name)
        if seen == self._spec.value:
            return succeed(None)
        return fail(missed(self, "not set" if seen is None else "another value"))

    def close(self) -> None:
        """Nothing is kept."""
