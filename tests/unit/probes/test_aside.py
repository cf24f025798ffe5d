from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from unittest.mock import patch

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.probes.aside import Asides, in_daemon_thread
from tests.support.probes import ProbeReactor


class AsidesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.threads: list[Callable[[], None]] = []
        self.asides = Asides(ProbeReactor(), self.threads.append)
        self.asked: list[str] = []

    def question(self, about: str) -> int:
        """Count how often something was asked."""
        self.asked.append(about)
        return len(self.asked)

    def ask(self, about: str = "a") -> Deferred[int]:
        return self.asides.ask(self.question, about)

    def test_answer(self) -> None:
        """The answer arrives when the thread has it."""
        asked = self.ask()
        self.assertNoResult(asked)
        self.threads.pop()()
        self.assertEqual((self.successResultOf(asked), self.asked), (1, ["a"]))

    def test_one_thread_at_a_time(self) -> None:
        """Who asks while a thread is at work shares its answer; later questions are asked anew."""
        both = [self.ask(), self.ask()]
        self.assertEqual(len(self.threads), 1)
        self.threads.pop()()
        self.assertEqual([self.successResultOf(one) for one in both], [1, 1])
        later = self.ask()
        self.threads.pop()()
        self.assertEqual(self.successResultOf(later), 2)

    def test_a_module_is_loaded_once(self) -> None:
        """A module is imported in a thread, and not at all when it is there already."""
        with patch.dict(sys.modules):
            sys.modules.pop("this_module_is_missing", None)
            sys.modules.pop("colorsys", None)
            loaded = [self.asides.load(name) for name in ("colorsys", "this_module_is_missing")]
            self.assertEqual((len(self.threads), "colorsys" in sys.modules), (2, False))
            for thread in self.threads:
                thread()
            # What is missing is told by the import of whoever needs it.
            self.assertEqual([self.successResultOf(each) for each in loaded], [None, None])
            self.assertIn("colorsys", sys.modules)
            self.successResultOf(self.asides.load("colorsys"))
            self.assertEqual(len(self.threads), 2)

    def test_loading_can_be_given_up(self) -> None:
        """Who does not want a module any more is not told that it has come."""
        loading = self.asides.load("this_module_is_missing")
        loading.cancel()
        self.failureResultOf(loading, CancelledError)

    def test_other_questions(self) -> None:
        """A question that hangs is in nobody else's way."""
        self.ask("dead")
        asked = self.ask("alive")
        self.threads.pop()()
        self.assertEqual((self.successResultOf(asked), self.asked), (1, ["alive"]))

    def test_ten_thousand_questions_to_a_dead_server(self) -> None:
        """A thread that never comes back is the only one, and askers that gave up are forgotten."""
        for _ in range(10_000):
            asked = self.ask()
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
        self.assertEqual((len(self.threads), list(self.asides._askers.values())), (1, [[]]))
        waiting = self.ask()
        self.threads.pop()()
        self.assertEqual(self.successResultOf(waiting), 1)
        self.assertEqual(self.asides._askers, {})

    def test_one_asker_cancels_another(self) -> None:
        """An answer may lead to another asker being cancelled; the rest still hear it."""
        first, second, third = self.ask(), self.ask(), self.ask()
        first.addCallback(lambda _: second.cancel())
        self.threads.pop()()
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.successResultOf(third), 1)

    def test_error(self) -> None:
        """An exception in the thread fails the question, and the next one is asked anew."""
        asked = self.asides.ask(int, "no number")
        self.threads.pop()()
        self.failureResultOf(asked, ValueError)
        self.asides.ask(int, "no number")
        self.assertEqual(len(self.threads), 1)

    def test_no_thread_to_be_had(self) -> None:
        """When no thread can be started the asker hears it, and may ask again."""

        def refuse(_: Callable[[], None]) -> None:
            raise RuntimeError("can't start new thread")

        asides = Asides(ProbeReactor(), refuse)
        for _ in range(2):
            self.assertRaises(RuntimeError, asides.ask, int, "1")

    def test_nobody_waits_for_its_thread(self) -> None:
        """The thread is a daemon: a hanging question never delays the end of procwrap."""
        seen: list[bool] = []
        done = threading.Event()

        def work() -> None:
            seen.append(threading.current_thread().daemon)
            done.set()

        in_daemon_thread(work)
        self.assertTrue(done.wait(10))
        self.assertEqual(seen, [True])
