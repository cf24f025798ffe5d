from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.pod.ask import TIMEOUT, Ask, AskError, LateAsk, Request
from tests.support.asked import Asked

REQUEST = Request("GET", "http://u:hunter2@h/?token=hunter2", "http://h/?token=***", {"Key": "hunter2"})


class LateAskTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.asked = Clock(), Asked()
        self.making: Deferred[Ask] = Deferred()
        self.made = 0

    def make(self) -> Deferred[Ask]:
        self.made += 1
        return self.making

    def test_the_first_request_imports(self) -> None:
        """It waits for that; the next one need not."""
        late = LateAsk(self.make, self.clock)
        first = late(REQUEST)
        self.making.callback(self.asked)
        self.asked.answer(204)
        self.assertEqual(self.successResultOf(first).status, 204)
        late(REQUEST)
        self.assertEqual((self.made, len(self.asked.heard)), (1, 2))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_prepared(self) -> None:
        """What was imported before is not imported again; that it could not be is told to who asks."""
        late = LateAsk(lambda: succeed(self.asked), self.clock)
        late.prepare()
        late._make = self.make
        late(REQUEST)
        self.assertEqual((self.made, len(self.asked.heard)), (0, 1))
        late = LateAsk(lambda: fail(ImportError("hunter2")), self.clock)
        late.prepare()
        failed = self.failureResultOf(late(REQUEST), AskError)
        self.assertEqual(str(failed.value), "what asks could not be imported: ImportError")

    def test_a_disk_that_does_not_answer(self) -> None:
        """The time of a request counts from its beginning."""
        asking = LateAsk(self.make, self.clock)(REQUEST)
        self.clock.advance(TIMEOUT)
        self.failureResultOf(asking, AskError)

    def test_given_up_meanwhile(self) -> None:
        """Who asked hears that it was cancelled."""
        asking = LateAsk(self.make, self.clock)(REQUEST)
        asking.cancel()
        self.failureResultOf(asking, CancelledError)


def test_no_secret_is_printed() -> None:
    """A request can be printed, for example by a traceback."""
    assert "hunter2" not in repr(REQUEST)
