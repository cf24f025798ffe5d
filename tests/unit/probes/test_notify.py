from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.core.notifications import Notified
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.notify import Notify
from procwrap.spec.probe import NotifyProbe
from tests.support.probes import context

PLAIN = NotifyProbe()
WATCHED = NotifyProbe(watchdog=10.0)
DESCRIPTOR = NotifyProbe(fd=3)


class NotifyTests(SynchronousTestCase):
    def probe(self, spec: NotifyProbe, said: Notified) -> Notify:
        """A probe at second 100."""
        clock = Clock()
        clock.advance(100.0)
        return Notify(spec, context(clock, notified=lambda: said))

    def succeeds(self, spec: NotifyProbe, said: Notified) -> None:
        self.assertIsNone(self.successResultOf(self.probe(spec, said).check()))

    def fails(self, spec: NotifyProbe, said: Notified, *, excused: bool = False) -> str:
        failed: ProbeError = self.failureResultOf(self.probe(spec, said).check(), ProbeError).value
        self.assertEqual(failed.excused, excused)
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other, and needs no timeout."""
        probe = self.probe(PLAIN, Notified())
        verifyObject(IProbe, probe)
        self.assertEqual((probe.kind, probe.timeout), ("notify", None))

    def test_ready(self) -> None:
        """It succeeds once the process is ready, and for long."""
        self.assertEqual(self.fails(PLAIN, Notified()), "notify: not ready yet, expected READY=1")
        self.succeeds(PLAIN, Notified(ready_at=1.0, alive_at=1.0))

    def test_what_it_says_helps(self) -> None:
        """Its status, and how many strangers were refused, stand in the reason."""
        reason = self.fails(PLAIN, Notified(status="loading 40 %", refused=2))
        wanted = "notify: not ready yet (it says: loading 40 %) (2 from strangers refused), expected READY=1"
        self.assertEqual(reason, wanted)

    def test_a_password_in_the_status(self) -> None:
        """That of a URL is not shown."""
        self.assertNotIn("hunter2", self.fails(PLAIN, Notified(status="at db://me:hunter2@host/x")))

    def test_stopping(self) -> None:
        """A process that has announced its end is not ready any more."""
        said = Notified(ready_at=1.0, alive_at=1.0, stopping=True)
        self.assertEqual(self.fails(PLAIN, said), "notify: it said STOPPING=1, expected READY=1")

    def test_watchdog(self) -> None:
        """Fed within its time it is well, exactly then too; later it is not."""
        self.succeeds(WATCHED, Notified(ready_at=1.0, alive_at=90.0))
        said = self.fails(WATCHED, Notified(ready_at=1.0, alive_at=87.5))
        self.assertEqual(said, "notify: no WATCHDOG=1 for 12.5s, expected READY=1, then WATCHDOG=1 every 10s")
        self.assertIn("not ready yet", self.fails(WATCHED, Notified(alive_at=99.0)))

    def test_interval_of_its_own(self) -> None:
        """WATCHDOG_USEC replaces the interval of the config, 0 switches it off."""
        said = self.fails(WATCHED, Notified(ready_at=1.0, alive_at=97.0, interval=2.0))
        self.assertIn("no WATCHDOG=1 for 3s (it asked for one every 2s)", said)
        self.succeeds(WATCHED, Notified(ready_at=1.0, alive_at=1.0, interval=0.0))
        self.succeeds(PLAIN, Notified(ready_at=1.0, alive_at=1.0, interval=2.0))

    def test_trigger(self) -> None:
        """It fails at once, with or without a watchdog, and no patience helps."""
        said = Notified(ready_at=1.0, alive_at=99.0, triggered=True, extended_until=200.0)
        for spec in (PLAIN, WATCHED):
            self.assertIn("it said WATCHDOG=trigger", self.fails(spec, said))

    def test_patience(self) -> None:
        """While it lasts a failure is excused and the watchdog does not fire; then all is as before."""
        self.fails(PLAIN, Notified(extended_until=100.5), excused=True)
        self.fails(PLAIN, Notified(ready_at=1.0, stopping=True, extended_until=100.5), excused=True)
        self.succeeds(WATCHED, Notified(ready_at=1.0, alive_at=1.0, extended_until=100.5))
        self.fails(PLAIN, Notified(extended_until=100.0))
        self.fails(WATCHED, Notified(ready_at=1.0, alive_at=1.0, extended_until=100.0))

    def test_descriptor(self) -> None:
        """It says what it waits for, and when that can never come any more."""
        self.assertEqual(
            self.fails(DESCRIPTOR, Notified()), "notify: not ready yet, expected a line on descriptor 3"
        )
        self.assertEqual(
            self.fails(DESCRIPTOR, Notified(closed=True)),
            "notify: closed without a line, expected a line on descriptor 3",
        )
        self.succeeds(DESCRIPTOR, Notified(ready_at=1.0))
