from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve
from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, Cooperator
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from procwrap.core.histogram import Histogram
from procwrap.metrics.page import Page
from procwrap.metrics.syntax import Syntax
from procwrap.web.answers import OK, Reply
from procwrap.web.limits import Limits
from procwrap.web.metrics import AT_ONCE, BUSY, Metrics, timed
from procwrap.web.site import make_front
from procwrap.web.slices import slices
from tests.support.metrics import everything, series
from tests.support.web import Host

OPEN = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}


class MetricsTests(SynchronousTestCase):
    """A scraper that asks the real site through memory."""

    def setUp(self) -> None:
        self.host = Host()
        told = everything()
        asked = Metrics(told.collector, slices(self.host.clock)).asked
        self.client = StubTreq(make_front(evolve(self.host.view, metrics=asked), Limits()))

    def ask(self, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[Any, str]:
        asked = self.client.request(method, "http://procwrap:8111/metrics", headers=headers)
        self.host.clock.pump([0] * 100)
        self.client.flush()
        response = self.successResultOf(asked)
        return response, self.successResultOf(response.text())

    def test_text_is_what_everybody_gets(self) -> None:
        """Whoever asks for nothing in particular gets the text format 0.0.4."""
        response, text = self.ask()
        self.assertEqual(response.code, 200)
        self.assertEqual(response.headers.getRawHeaders("content-type"), [Syntax.TEXT.value])
        self.assertIn(("procwrap_process_healthy", frozenset({("process_name", "api")})), series(text))

    def test_openmetrics_for_whoever_asks_for_it(self) -> None:
        """Prometheus does, by content negotiation."""
        response, text = self.ask(OPEN)
        self.assertEqual(response.headers.getRawHeaders("content-type"), [Syntax.OPENMETRICS.value])
        self.assertEqual(text[-6:], "# EOF\n")
        self.assertEqual(series(text, Syntax.OPENMETRICS), series(self.ask()[1]))

    def test_head_and_post(self) -> None:
        """HEAD works, POST does not."""
        self.assertEqual(self.ask(method="HEAD")[0].code, 200)
        self.assertEqual(self.ask(method="POST")[0].code, 405)


class Endless:
    """A collector that never comes to its end."""

    def collect(self, _: Page) -> Iterator[None]:
        while True:
            yield


class Broken:
    """A collector with a bug."""

    def collect(self, _: Page) -> Iterator[None]:
        yield
        raise ZeroDivisionError


class WritingTests(SynchronousTestCase):
    def make(self, collector: Any) -> Metrics:
        self.clock = Clock()
        one_at_a_time = Cooperator(
            terminationPredicateFactory=lambda: lambda: True,
            scheduler=lambda work: self.clock.callLater(1, work),
        )
        return Metrics(collector, one_at_a_time)

    def test_it_is_done_in_slices(self) -> None:
        """The reactor looks after the others in between."""
        answer = self.make(everything().collector).asked(DummyRequest([]))
        assert isinstance(answer, Deferred)
        self.clock.pump([1] * 3)
        self.assertNoResult(answer)
        self.clock.pump([1] * 100)
        self.assertEqual(self.successResultOf(answer).code, OK)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_client_that_leaves_costs_nothing_further(self) -> None:
        """Its answer is not written to the end."""
        metrics = self.make(Endless())
        answers = [metrics.asked(DummyRequest([])) for _ in range(AT_ONCE)]
        self.clock.pump([1] * 3)
        self.assertIs(metrics.asked(DummyRequest([])), BUSY)
        for answer in answers:
            assert isinstance(answer, Deferred)
            answer.addErrback(lambda _: None)
            answer.cancel()
        self.clock.pump([1] * 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNot(metrics.asked(DummyRequest([])), BUSY)

    def test_a_bug_is_an_error_and_not_silence(self) -> None:
        """The client gets an answer, and the next one is not counted out."""
        metrics = self.make(Broken())
        for _ in range(AT_ONCE + 1):
            answer = metrics.asked(DummyRequest([]))
            assert isinstance(answer, Deferred)
            self.clock.pump([1] * 5)
            self.failureResultOf(answer, ZeroDivisionError)


class TimedTests(SynchronousTestCase):
    def test_both_kinds_of_answers_are_timed(self) -> None:
        """Those that come at once and those that come later, whatever becomes of them."""
        clock, histogram, later = Clock(), Histogram(), Deferred[Reply]()
        reply = Reply(OK)
        self.assertIs(timed(lambda _: reply, clock, histogram)(DummyRequest([])), reply)
        answer = timed(lambda _: later, clock, histogram)(DummyRequest([]))
        clock.advance(2.0)
        self.assertEqual(histogram.cumulative()[-1], 1)
        later.errback(ZeroDivisionError())
        assert isinstance(answer, Deferred)
        self.failureResultOf(answer, ZeroDivisionError)
        self.assertEqual((histogram.cumulative()[-1], histogram.total), (2, 2.0))
