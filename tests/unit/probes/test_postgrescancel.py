from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from procwrap.probes.aside import Asides
from procwrap.probes.postgrescancel import Cancelling, libpq
from tests.support.probes import ProbeReactor


@define
class FakeLibpq:
    """Writes down what it is called with."""

    called: list[tuple[str, int]] = field(factory=list)
    request: int | None = 7

    def PQgetCancel(self, connection: int) -> int | None:
        """Copy what a request needs."""
        self.called.append(("get", connection))
        return self.request

    def PQcancel(self, request: int, words: Any, size: int) -> int:
        """Send it."""
        self.called.append(("cancel", request))
        return 0

    def PQfreeCancel(self, request: int) -> None:
        """Forget it."""
        self.called.append(("free", request))


class CancellingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.threads: list[Callable[[], None]] = []
        self.libpq = FakeLibpq()

    def cancelling(self, run: Callable[[Callable[[], None]], None] | None = None) -> Cancelling:
        return Cancelling(Asides(ProbeReactor(), run or self.threads.append), lambda: self.libpq)

    def test_order(self) -> None:
        """The connection is only looked at before cancel() returns; what waits happens in a thread."""
        self.cancelling().cancel(4711)
        self.assertEqual(self.libpq.called, [("get", 4711)])
        self.threads.pop()()
        self.assertEqual(self.libpq.called[1:], [("cancel", 7), ("free", 7)])

    def test_one_thread(self) -> None:
        """While a server keeps a request waiting, no second thread is started; later there may be one."""
        cancelling = self.cancelling()
        for _ in range(100):
            cancelling.cancel(4711)
        self.assertEqual((len(self.threads), self.libpq.called), (1, [("get", 4711)]))
        self.threads.pop()()
        cancelling.cancel(4712)
        self.assertEqual(len(self.threads), 1)

    def test_no_thread(self) -> None:
        """When no thread can be started the query is left to itself, and nothing leaks."""

        def run(_: object) -> None:
            raise RuntimeError("can't start new thread")

        self.cancelling(run).cancel(4711)
        self.assertEqual(self.libpq.called, [("get", 4711), ("free", 7)])

    def test_nothing_to_cancel(self) -> None:
        """Neither a connection without a key nor a hidden libpq is an error."""
        self.libpq.request = None
        self.cancelling().cancel(4711)

        def hidden() -> None:
            raise AttributeError("PQgetCancel")

        Cancelling(Asides(ProbeReactor(), self.threads.append), hidden).cancel(4711)
        self.assertEqual((self.threads, self.libpq.called), ([], [("get", 4711)]))

    def test_libpq_is_found(self) -> None:
        """psycopg2's libpq has what is called, whatever it was built with."""
        found = libpq()
        self.assertIsNone(found.PQgetCancel(None))
        found.PQfreeCancel(None)
