from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.pod.ask import AskError
from procwrap.pod.aws import Aws
from tests.support.asked import Asked

BASE = "http://169.254.169.254"


class AwsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked, self.clock = Asked(), Clock()
        self.aws = Aws(BASE, BASE, self.asked, self.clock)

    def look(self, *answers: tuple[int, bytes]) -> Deferred[str]:
        """Let it look once and get these answers."""
        looked = self.aws.look()
        for status, body in answers:
            self.asked.answer(status, body)
        self.assertEqual(self.asked.open, [])
        return looked

    def methods(self) -> str:
        """Return the methods of all requests."""
        return " ".join(request.method for request in self.asked.heard)

    def test_nothing_announced(self) -> None:
        """404 is no; the token is got once and shown every time."""
        for answers in ([(200, b"tok"), (404, b"")], [(404, b"")]):
            self.assertEqual(self.successResultOf(self.look(*answers)), "")
        self.assertEqual(self.methods(), "PUT GET GET")
        put, get, _ = self.asked.heard
        self.assertEqual(put.headers["X-aws-ec2-metadata-token-ttl-seconds"], "21600")
        self.assertEqual(get.url, f"{BASE}/latest/meta-data/spot/instance-action")
        self.assertEqual(get.headers["X-aws-ec2-metadata-token"], "tok")
        self.assertNotIn("'tok'", repr(self.aws) + repr(get))

    def test_announced(self) -> None:
        """What will be done, and when; on one line."""
        body = b'{"action": "stop", "time": "2026-09-18T08:22:00Z\\n"}'
        looked = self.look((200, b"tok"), (200, body))
        self.assertEqual(self.successResultOf(looked), "AWS will stop this machine at 2026-09-18T08:22:00Z")

    def test_a_token_runs_out(self) -> None:
        """It is renewed before that; where it happens all the same, once for each look."""
        self.look((200, b"one"), (404, b""))
        self.clock.advance(21_600)
        self.look((200, b"two"), (404, b""))
        self.look((401, b""), (200, b"three"), (404, b""))
        self.assertEqual(self.methods(), "PUT GET PUT GET GET PUT GET")
        self.failureResultOf(self.look((401, b""), (200, b"four"), (401, b"")), AskError)

    def test_what_is_no_token(self) -> None:
        """It is not sent back: it could be a whole header."""
        for answer in ((403, b"no"), (200, b""), (200, b"a\r\nb: c"), (200, b"x" * 5000)):
            failed = self.failureResultOf(self.look(answer), AskError)
            self.assertIn("for a token", str(failed.value))

    def test_what_is_no_answer(self) -> None:
        """Neither yes nor no."""
        self.look((200, b"tok"), (404, b""))
        for answer in ((500, b""), (200, b"{}"), (200, b"[]"), (200, b"\xff"), (200, b"[" * 100_000)):
            self.failureResultOf(self.look(answer), AskError)
