from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.aside import Asides
from procwrap.probes.file import File
from procwrap.probes.look import look_at_all
from procwrap.spec.probe import FileProbe
from tests.support.probes import ProbeReactor, context


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.threads: list[Callable[[], None]] = []
        self.asides = Asides(self.reactor, self.threads.append)
        self.directory = Path(self.mktemp())
        self.directory.mkdir(parents=True)

    def probe(self, path: str) -> File:
        """A probe whose threads the test runs."""
        return File(FileProbe(path), context(self.reactor, asides=self.asides))

    def check(self, path: Path) -> Deferred[None]:
        checked = self.probe(str(path)).check()
        self.threads.pop()()
        return checked

    def reason(self, path: Path) -> str:
        failed: ProbeError = self.failureResultOf(self.check(path), ProbeError).value
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other, with a timeout, as a file system may be far away."""
        probe = self.probe("/")
        verifyObject(IProbe, probe)
        self.assertEqual((probe.kind, probe.timeout), ("file", 2.0))

    def test_there(self) -> None:
        """A file, a directory and a link to something are all there."""
        file, link = self.directory / "f", self.directory / "l"
        file.touch()
        link.symlink_to("f")
        for path in (file, self.directory, link):
            self.assertIsNone(self.successResultOf(self.check(path)))

    def test_not_there(self) -> None:
        """What is missing is named."""
        path = self.directory / "missing"
        self.assertEqual(self.reason(path), f"file {path}: no such file or directory, expected to exist")

    def test_dangling_link(self) -> None:
        """A link to nothing is not there."""
        link = self.directory / "l"
        link.symlink_to("nothing")
        self.assertIn("no such file or directory", self.reason(link))

    def test_below_a_file(self) -> None:
        """A path through something that is no directory says so."""
        (self.directory / "f").touch()
        self.assertIn("not a directory", self.reason(self.directory / "f" / "x"))

    def test_impossible_path(self) -> None:
        """A path with a NUL is a failed probe on one line, not a crash."""
        self.assertIn("embedded null", self.reason(Path("a\0b")))

    def test_dead_mount(self) -> None:
        """A mount that never answers fails every round at its timeout, and holds one thread only."""
        probe = self.probe("/")
        for _ in range(10_000):
            round_ = look_at_all([probe], self.reactor)
            self.reactor.advance(2.0)
            (result,) = self.successResultOf(round_)
            self.assertEqual(result.reason, "file /: no answer within 2s, expected to exist")
        self.assertEqual((len(self.threads), self.reactor.getDelayedCalls()), (1, []))

    def test_mount_that_comes_back(self) -> None:
        """When the mount answers again, the next round succeeds; the late answer itself does no harm."""
        probe = self.probe("/")
        late = look_at_all([probe], self.reactor)
        self.reactor.advance(2.0)
        self.threads.pop()()
        self.assertFalse(self.successResultOf(late)[0].succeeded)
        again = look_at_all([probe], self.reactor)
        self.threads.pop()()
        self.assertTrue(self.successResultOf(again)[0].succeeded)
