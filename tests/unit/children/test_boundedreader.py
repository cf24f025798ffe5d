from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.boundedreader import MOST, SHARE, WINDOW, BoundedReader
from tests.support.readers import Readers


class BoundedReaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Readers()
        self.there = 0
        self.taken = 0
        self.ends: Exception | None = None
        self.closed = 0
        self.takes = 0.0
        self.reader = BoundedReader(self.reactor, 99, self.read, self.close)
        self.addCleanup(lambda: self.assertEqual(self.reactor.getDelayedCalls(), []))
        self.addCleanup(self.reader.connectionLost, Failure(ConnectionDone()))

    def read(self) -> Exception | None:
        if not self.there:
            if self.ends is not None:
                raise self.ends
            raise BlockingIOError
        self.there -= 1
        self.taken += 1
        self.reactor.rightNow += self.takes
        return None

    def close(self) -> None:
        self.closed += 1

    def test_all_that_is_there(self) -> None:
        """What is not too much is read at once."""
        self.there = MOST - 1
        self.reactor.turn()
        self.assertEqual((self.taken, self.reactor.readers), (MOST - 1, {self.reader}))

    def test_a_flood(self) -> None:
        """However much comes, a turn and a second are bounded; between them it is not even looked at."""
        self.there = 1_000_000
        for _ in range(10):
            self.reactor.turn()
        self.assertEqual((self.taken, self.reactor.readers), (MOST, set()))
        for _ in range(100):
            self.reactor.advance(WINDOW)
            self.reactor.turn()
        self.assertEqual(self.taken, 101 * MOST)

    def test_what_takes_long(self) -> None:
        """Pieces that take long to understand get no more time for that."""
        self.there, self.takes = 1_000_000, SHARE / 2
        for _ in range(100):
            self.reactor.turn()
            self.reactor.advance(WINDOW / 20)
        self.assertLess(self.taken, 2 * 100 / 20 + 3)

    def test_many_small_turns(self) -> None:
        """A sender that fills a short queue again and again is bounded as well."""
        for _ in range(100):
            self.there = 5
            self.reactor.turn()
        self.assertEqual(self.taken, MOST)

    def test_catching_up(self) -> None:
        """What the reactor had no time for is read when somebody asks, within the same bounds."""
        self.there = 3
        self.reader.catch_up()
        self.assertEqual(self.taken, 3)
        self.there = 1_000_000
        for _ in range(10):
            self.reader.catch_up()
        self.assertEqual(self.taken, MOST)

    def test_an_error_ends_it(self) -> None:
        """And says so once; nothing is read any more, and nothing is left behind."""
        self.ends = OSError("broken")
        self.reader.catch_up()
        self.reader.catch_up()
        self.reader.connectionLost(Failure(ConnectionLost()))
        self.assertEqual((self.closed, self.reader.fileno(), self.reactor.readers), (1, -1, set()))

    def test_closed_while_it_rests(self) -> None:
        """No timer survives."""
        self.there = 1_000_000
        self.reactor.turn()
        self.reader.connectionLost(Failure(ConnectionDone()))
        self.reactor.advance(1.0)
        self.assertEqual((self.taken, self.reactor.readers), (MOST, set()))
