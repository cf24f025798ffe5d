from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.pod.ask import AskError
from procwrap.pod.azure import EVENTS, NAME, Azure
from tests.support.asked import Asked
from tests.support.servers.metadata import preempt

BASE = "http://169.254.169.254"


class AzureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked = Asked()
        self.azure = Azure(BASE, BASE, self.asked)
        self.look(b'{"Events": []}', b"Pool_7\n")

    def look(self, body: bytes, *names: bytes) -> Deferred[str]:
        """Let it look once and get these answers."""
        looked = self.azure.look()
        for answer in (*names, body):
            self.asked.answer(200, answer)
        return looked

    def seen(self, *events: dict[str, Any]) -> str:
        """Return what it announces when these events are scheduled."""
        return self.successResultOf(self.look(json.dumps({"Events": list(events)}).encode()))

    def test_who_we_are(self) -> None:
        """It asks for our name once, and for the events each time."""
        self.assertEqual(self.seen(), "")
        self.assertEqual([request.url for request in self.asked.heard], [BASE + NAME, *[BASE + EVENTS] * 2])
        self.assertEqual({request.headers["Metadata"] for request in self.asked.heard}, {"true"})

    def test_ours(self) -> None:
        """In whatever case, and one that names nobody; it may have started."""
        for event in (preempt("x", "POOL_7"), preempt(), preempt("pool_7", status="Started")):
            self.assertIn("not before: Mon, 19 Sep 2026 18:29:47 GMT", self.seen(event))
        self.assertIn("not before: now", self.seen({**preempt("pool_7"), "NotBefore": ""}))

    def test_not_ours(self) -> None:
        """Another machine's, another kind, one that is over."""
        others = (preempt("pool_8"), preempt("pool_7", kind="Reboot"), preempt("pool_7", status="Canceled"))
        self.assertEqual(self.seen(*others), "")

    def test_what_is_no_answer(self) -> None:
        """Whatever it sends, it is an error and not a bug."""
        for body in (b"", b"[]", b"null", b'{"Events": 1}', b'{"Events": [1]}', b"[" * 100_000, b"\xff"):
            self.failureResultOf(self.look(body), AskError)
        strange = b'{"Events": [{"EventType": "Preempt", "EventStatus": "Started", "Resources": 1}]}'
        self.failureResultOf(self.look(strange), AskError)

    def test_no_name(self) -> None:
        """Without it nothing can be told, so it is asked for again."""
        azure = Azure(BASE, BASE, self.asked)
        for answer in ((200, b" "), (404, b"x")):
            looked = azure.look()
            self.asked.answer(*answer)
            self.failureResultOf(looked, AskError)
