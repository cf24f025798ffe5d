from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.env import Env
from procwrap.spec.probe import EnvProbe
from tests.support.probes import context


class EnvTests(SynchronousTestCase):
    def probe(self, environment: dict[str, str], value: str = "right") -> Env:
        return Env(EnvProbe("TOKEN", value), context(Clock(), environment=environment))

    def reason(self, environment: dict[str, str]) -> str:
        failed: ProbeError = self.failureResultOf(self.probe(environment).check(), ProbeError).value
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other, and needs no timeout."""
        probe = self.probe({})
        verifyObject(IProbe, probe)
        self.assertEqual((probe.kind, probe.timeout), ("env", None))

    def test_right(self) -> None:
        """It succeeds when the process has the value, also when that is empty."""
        self.assertIsNone(self.successResultOf(self.probe({"TOKEN": "right"}).check()))
        self.assertIsNone(self.successResultOf(self.probe({"TOKEN": ""}, "").check()))

    def test_another_value(self) -> None:
        """Another value fails, and neither of the two is shown."""
        self.assertEqual(
            self.reason({"TOKEN": "wrong"}), "env TOKEN: another value, expected the configured value"
        )

    def test_not_set(self) -> None:
        """A variable that is missing is not an empty one."""
        self.assertEqual(self.reason({}), "env TOKEN: not set, expected the configured value")
        self.failureResultOf(self.probe({}, "").check(), ProbeError)

    def test_looks_at_the_last_start(self) -> None:
        """The environment is asked for at every look: it may be another after a restart."""
        environment: dict[str, str] = {}
        probe = self.probe(environment)
        self.failureResultOf(probe.check(), ProbeError)
        environment["TOKEN"] = "right"
        self.assertIsNone(self.successResultOf(probe.check()))
