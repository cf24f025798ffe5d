from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.probes.onethread import OneThread
from tests.support.probes import ProbeReactor


class OneThreadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.threads: list[Callable[[], None]] = []
        self.thread = OneThread(ProbeReactor(), self.threads.append)
        self.happened: list[str] = []

    def do(self, work: Callable[[], int] = lambda: 1) -> Deferred[int]:
        return self.thread.do(
            work, lambda: self.happened.append("cut"), lambda: self.happened.append("ended")
        )

    def test_answer(self) -> None:
        """The answer arrives when the thread has ended, and then nothing is at work any more."""
        done = self.do()
        self.assertNoResult(done)
        self.assertTrue(self.thread.is_busy)
        self.threads.pop()()
        self.assertEqual((self.successResultOf(done), self.thread.is_busy), (1, False))
        self.assertEqual(self.happened, ["ended"])

    def test_error(self) -> None:
        """What is raised in the thread is the answer too."""
        done = self.do(lambda: 1 // 0)
        self.threads.pop()()
        self.failureResultOf(done, ZeroDivisionError)
        self.assertFalse(self.thread.is_busy)

    def test_cancelled(self) -> None:
        """Cancelling cuts what the thread waits for; busy is over only when the thread has ended."""
        done = self.do()
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.assertEqual((self.happened, self.thread.is_busy), (["cut"], True))
        free = self.thread.free()
        self.threads.pop()()
        self.successResultOf(free)
        self.assertEqual((self.happened, self.thread.is_busy), (["cut", "ended"], False))

    def test_free(self) -> None:
        """It is free at once when nothing is at work; who waits no longer is forgotten."""
        self.successResultOf(self.thread.free())
        self.do()
        for _ in range(10_000):
            waiting = self.thread.free()
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
        patient = self.thread.free()
        self.assertEqual(self.thread._waiting, [patient])
        self.threads.pop()()
        self.successResultOf(patient)

    def test_no_thread_to_be_had(self) -> None:
        """When no thread can be started the asker hears it, and may ask again."""

        def refuse(_: Callable[[], None]) -> None:
            raise RuntimeError("can't start new thread")

        self.thread = OneThread(ProbeReactor(), refuse)
        for _ in range(2):
            self.assertRaises(RuntimeError, self.do)
        self.assertFalse(self.thread.is_busy)
