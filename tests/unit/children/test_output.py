from __future__ import annotations

import os

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.output import CHUNK, LARGE_PIPE, LONG, SMALLEST, PipeReader
from procwrap.children.turns import TURN, Turns
from tests.support.readers import Readers


class PipeReaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Readers()
        self.turns = Turns(self.reactor)
        self.got: list[bytes] = []
        self.lost: list[Failure] = []
        self.takes = 0.0

    def open(self) -> tuple[PipeReader, int]:
        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        reader = PipeReader(self.reactor, reading, self.receive, self.lost.append, self.turns)
        self.addCleanup(reader.connectionLost, Failure(Exception()))
        return reader, writing

    def receive(self, data: bytes) -> None:
        self.got.append(data)
        self.reactor.rightNow += self.takes

    def sizes(self, writing: int, times: int) -> list[int]:
        """Fill the pipe each time before it is read; return how much was read."""
        self.got.clear()
        for _ in range(times):
            with_room = True
            while with_room:
                try:
                    os.write(writing, bytes(4096))
                except BlockingIOError:
                    with_room = False
            self.reactor.turn()
        return [len(data) for data in self.got]

    def test_a_busy_pipe_is_read_in_large_pieces(self) -> None:
        """As large as the pipe, which grows."""
        _, writing = self.open()
        sizes = self.sizes(writing, 4)
        self.assertEqual((sizes[0], sizes[-1]), (CHUNK, LARGE_PIPE))

    def test_what_takes_long_is_read_in_small_pieces(self) -> None:
        """So nobody else waits for long; when it takes less again, the pieces are large again."""
        _, writing = self.open()
        self.takes = LONG * 1.1
        self.assertEqual(self.sizes(writing, 8)[-1], SMALLEST)
        self.takes = LONG / 10
        self.assertEqual(self.sizes(writing, 8)[-1], LARGE_PIPE)

    def test_all_pipes_share_the_time(self) -> None:
        """However many write at full speed, a turn is bounded, and each of them gets its own in order."""
        writings = [self.open()[1] for _ in range(10)]
        self.takes = TURN / 2
        for number, writing in enumerate(writings):
            os.write(writing, b"%d" % number)
        for turns in range(1, 6):
            self.reactor.turn()
            self.assertEqual(len(self.got), 2 * turns)
        self.assertEqual(len(set(self.got)), 10)

    def test_one_that_waits_may_be_paused_and_closed(self) -> None:
        """Its turn passes by; resumed, it reads what is there."""
        reader, writing = self.open()
        gone, _ = self.open()
        os.write(writing, b"x")
        self.turns.is_over = True
        reader.doRead()
        gone.doRead()
        reader.pauseProducing()
        gone.finish_now()
        self.reactor.turn()
        self.assertEqual((self.got, len(self.lost)), ([], 1))
        reader.resumeProducing()
        self.reactor.turn()
        self.assertEqual(self.got, [b"x"])

    def test_a_bug_in_the_log_path_ends_this_pipe_alone(self) -> None:
        """Also when it shows itself at a turn in the queue: the others get theirs."""
        reader, writing = self.open()
        other, other_writing = self.open()
        os.write(writing, b"x")
        os.write(other_writing, b"y")
        reader._received = lambda data: 1 / 0
        self.turns.is_over = True
        reader.doRead()
        other.doRead()
        self.reactor.turn()
        self.assertEqual((self.got, len(self.lost), reader.connected), ([b"y"], 1, False))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_its_number_is_given_away_late(self) -> None:
        """The descriptor is closed in the next iteration: an event of this one may still be about it."""
        reader, _ = self.open()
        fd = reader.fileno()
        reader.connectionLost(Failure(Exception()))
        self.assertEqual((reader.fileno(), len(self.lost)), (-1, 1))
        os.fstat(fd)
        self.reactor.turn()
        self.assertRaises(OSError, os.fstat, fd)
