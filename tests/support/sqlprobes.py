"""SQL probes on a real reactor, whichever database answers."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import LoopingCall

from procwrap.interfaces import IProbe
from procwrap.spec.probe import SqlProbe
from tests.support.realprobes import RealProbes, Steps


class SqlProbes(RealProbes):
    """What the tests of all databases do with their probes.

    Attributes:
        told: everything that a probe has shown, to be searched for passwords.
    """

    told: list[str]

    def dsn(self) -> str:
        """Where the server of these tests is."""
        raise NotImplementedError

    def sql(
        self, *queries: str, contains: tuple[str, ...] = (), dsn: str | None = "", timeout: float = 5.0
    ) -> IProbe:
        """A probe that is closed at the end of the test."""
        made = self.build(SqlProbe(queries, contains, self.dsn() if dsn == "" else dsn, timeout))
        self.addCleanup(made.close)
        return made

    @inlineCallbacks
    def reason(self, probe: IProbe) -> Any:
        """Look once; return why it failed, without the place."""
        (result,) = yield self.look(probe)
        self.told.append(repr(result) + repr(probe) + probe.target)
        return result.reason.partition(f"{probe.target}: ")[2].rpartition(", expected ")[0] or result.reason

    @inlineCallbacks
    def fails(self, expected: dict[str, IProbe]) -> Steps:
        """Look with each and compare what each says."""
        said = {}
        for reason, probe in expected.items():
            said[reason] = yield self.reason(probe)
            probe.close()
        self.assertEqual(said, {reason: reason for reason in expected})

    def lags(self) -> list[float]:
        """How late the reactor was, each time it should have called after 10 ms."""
        found: list[float] = [0.0]
        last = [time.monotonic()]

        def beat() -> None:
            now = time.monotonic()
            found.append(now - last[0] - 0.01)
            last[0] = now

        beating = LoopingCall(beat)
        beating.start(0.01)
        self.addCleanup(beating.stop)
        return found
