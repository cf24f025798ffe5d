from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.core.events import End
from procwrap.errors import ProbeError, SpawnError
from procwrap.interfaces import IProbe
from procwrap.probes.exec import Exec
from procwrap.probes.look import look_at_all
from procwrap.spec.probe import ExecProbe
from tests.support.probes import FakeCommandEnd, FakeRunner, context


class ExecTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.runner = FakeRunner()
        self.spec = ExecProbe("/bin/check", ("--pw", "hunter2"), (("API_TOKEN", "t0ps3cret"),), timeout=30.0)
        self.probe = Exec(
            self.spec, context(self.clock, runner=self.runner, environment={"DB_PASSWORD": "hunter22"})
        )

    def reason(self, end: End, output: bytes = b"") -> str:
        """Run the probe, end its command and return the reason it fails with."""
        self.runner.running = Deferred()
        checked = self.probe.check()
        self.runner.running.callback(FakeCommandEnd(end, output))
        failed: ProbeError = self.failureResultOf(checked, ProbeError).value
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other."""
        verifyObject(IProbe, self.probe)
        self.assertEqual((self.probe.kind, self.probe.timeout), ("exec", 30.0))

    def test_success(self) -> None:
        """Exit code 0 is success; the runner gets the command as configured."""
        checked = self.probe.check()
        self.assertNoResult(checked)
        self.runner.running.callback(FakeCommandEnd(End(code=0), b"noise"))
        self.assertIsNone(self.successResultOf(checked))
        self.assertEqual(self.runner.asked, [("/bin/check", self.spec.args, self.spec.envs)])

    def test_exit_code(self) -> None:
        """Another exit code fails, with what the command said."""
        self.assertEqual(
            self.reason(End(code=3), b"disk\nfull\n"),
            "exec /bin/check: exit code 3 (disk full), expected exit code 0",
        )

    def test_secrets_of_others(self) -> None:
        """What the command itself calls a password is hidden: everybody may read the reason."""
        said = self.reason(End(code=3), b"no login: password=sesame7 at postgres://me:sesame7@db/x")
        self.assertIn("(no login: password=*** at postgres://***@db/x)", said)

    def test_signal(self) -> None:
        """A command that a signal ended has failed, though it has no exit code."""
        self.assertEqual(
            self.reason(End(signal=9)), "exec /bin/check: ended by SIGKILL, expected exit code 0"
        )

    def test_output_is_cut(self) -> None:
        """Only the beginning of the output is shown: 256 bytes, never half a character."""
        shown = self.reason(End(code=1), "é".encode() * 10_000).split("(")[1].split(")")[0]
        self.assertEqual(shown, "é" * 128)

    def test_garbage_output(self) -> None:
        """Control characters, NULs and bytes that are no UTF-8 do no harm."""
        self.assertEqual(
            self.reason(End(code=1), b"\x00\x1b[2J\xff\xfe!"),
            "exec /bin/check: exit code 1 ([2J\ufffd\ufffd!), expected exit code 0",
        )

    def test_secrets_are_hidden(self) -> None:
        """Secrets of the command's and the process's environment never show, nor do its arguments."""
        reason = self.reason(End(code=1), b"denied: t0ps3cret hunter22 redis://:pw@r/")
        self.assertEqual(
            reason, "exec /bin/check: exit code 1 (denied: *** *** redis://***@r/), expected exit code 0"
        )

    def test_no_half_secret_at_the_cut(self) -> None:
        """A secret across the cut is hidden before it is cut."""
        self.assertNotIn("t0p", self.reason(End(code=1), b"x" * 250 + b" t0ps3cret"))

    def test_cannot_be_executed(self) -> None:
        """A command that cannot be executed is a failed probe that says why."""
        self.runner.running.errback(SpawnError("no such file or directory"))
        failed: ProbeError = self.failureResultOf(self.probe.check(), ProbeError).value
        self.assertEqual(failed.reason, "exec /bin/check: no such file or directory, expected exit code 0")

    def test_timeout_kills(self) -> None:
        """At the timeout the runner's Deferred is cancelled, which kills the process group."""
        killed: list[object] = []
        self.runner.running = Deferred(killed.append)
        round_ = look_at_all([self.probe], self.clock)
        self.clock.advance(30.0)
        (result,) = self.successResultOf(round_)
        self.assertEqual(result.reason, "exec /bin/check: no answer within 30s, expected exit code 0")
        self.assertEqual(len(killed), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel(self) -> None:
        """A cancelled probe does not pretend to have seen something."""
        checked = self.probe.check()
        checked.cancel()
        self.failureResultOf(checked, ProbeError, CancelledError)
