from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed, ResponseNeverReceived
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from procwrap.pod.ask import AskError, Request
from procwrap.pod.askwire import Asker


class Echo(Resource):
    """Answers with what it was asked."""

    def getChild(self, path: bytes, request: Any) -> Echo:
        return self

    def render(self, request: Any) -> bytes:
        request.setResponseCode(418)
        request.setHeader(b"X-Said", b"first")
        request.responseHeaders.addRawHeader(b"X-Said", b"second")
        head = [
            request.method,
            request.uri,
            request.getHeader(b"authorization") or b"",
            request.getHeader(b"x-a") or b"",
        ]
        return b" ".join(head)


class Trickle(Resource):
    """Begins to answer, and goes on when a test says so."""

    gone = False

    def getChild(self, path: bytes, request: Any) -> Trickle:
        return self

    def render(self, request: Any) -> int:
        request.notifyFinish().addErrback(self._lost)
        request.write(b"half")
        return NOT_DONE_YET

    def _lost(self, failure: Failure) -> None:
        self.gone = True


class SilentAgent:
    """An agent that fails when a test says so."""

    def __init__(self) -> None:
        self.asked: Deferred[Any] = Deferred(
            lambda deferred: deferred.errback(ResponseNeverReceived([Failure(CancelledError())]))
        )

    def request(self, *words: Any) -> Deferred[Any]:
        return self.asked


class AskerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.agent = Clock(), SilentAgent()

    def ask(self, url: str = "http://h/x", explain: Callable[[Any], str] = str) -> Deferred[Any]:
        request = Request("POST", url, "http://h/x", timeout=3)
        return Asker(self.agent, self.clock, explain).ask(request)  # type: ignore[arg-type]

    def test_an_answer(self) -> None:
        """Whatever its status; a login in the URL is sent as a header and in no other way."""
        agent = RequestTraversalAgent(Echo())
        request = Request("PUT", "http://me:p%40ss@h/x?y=z#f", "http://h/x", {"X-A": "b"})
        asked = Asker(agent, self.clock, str).ask(request)
        agent.flush()
        answer = self.successResultOf(asked)
        self.assertEqual((answer.status, answer.headers["x-said"]), (418, "first"))
        self.assertEqual(answer.body, b"PUT /x?y=z Basic bWU6cEBzcw== b")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_half_an_answer(self) -> None:
        """Is none, and its connection is closed when the time is over, or who asked gives up."""
        for end in (lambda asked: self.clock.advance(3), lambda asked: asked.cancel()):
            trickle = Trickle()
            agent = RequestTraversalAgent(trickle)
            asked = Asker(agent, self.clock, str).ask(Request("GET", "http://h/x", "", timeout=3))
            agent.flush()
            self.assertNoResult(asked)
            end(asked)
            agent.flush()
            self.failureResultOf(asked, AskError, CancelledError)
            self.assertTrue(trickle.gone)

    def test_no_answer_in_time(self) -> None:
        """Said so, though Agent calls it something else."""
        asked = self.ask()
        self.clock.advance(3)
        self.assertEqual(str(self.failureResultOf(asked, AskError).value), "no answer within 3s")

    def test_given_up(self) -> None:
        """Who cancels hears that, and no error."""
        asked = self.ask()
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_why_there_is_none(self) -> None:
        """In the system's words where it knows, else without the text, which may quote the URL."""
        cases = [
            (ConnectError(), "refused!"),
            (
                ResponseNeverReceived([Failure(ConnectionDone())]),
                "the connection was closed without an answer",
            ),
            (
                ResponseFailed([Failure(ValueError("hunter2"))]),
                "it does not speak HTTP as it should (ValueError)",
            ),
        ]
        for error, words in cases:
            self.agent = SilentAgent()
            asked = self.ask(explain=lambda error: "refused!")
            self.agent.asked.errback(error)
            self.assertEqual(str(self.failureResultOf(asked, AskError).value), words)
