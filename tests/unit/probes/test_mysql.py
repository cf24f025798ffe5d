from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from procwrap.dsn.mysql import parse
from procwrap.probes.aside import Asides
from procwrap.probes.mysql import KILL_WITHIN, MysqlDriver
from procwrap.probes.sqldriver import SqlDriver, SqlTrouble
from tests.support.hosted import free_port
from tests.support.probes import ProbeReactor, context


class MysqlDriverTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.threads: list[Callable[[], None]] = []
        self.questions: list[Callable[[], None]] = []
        self.driver = self.build(f"app:secret@tcp(127.0.0.1:{free_port()})/shop")

    def build(self, dsn: str, run: Callable[[Any], None] | None = None) -> MysqlDriver:
        lent = context(self.reactor, asides=Asides(self.reactor, self.questions.append))
        return MysqlDriver(parse(dsn), lent, run or self.threads.append)

    def test_is_a_driver(self) -> None:
        """The sql probe can use it."""
        driver: SqlDriver = self.driver
        self.assertRegex(driver.target, r"^mysql 127\.0\.0\.1:\d+/shop$")

    def test_targets(self) -> None:
        """It says where the server is, in as many words as the DSN, and not who connects."""
        targets = {
            "app:secret@/": "mysql 127.0.0.1:3306",
            "app:secret@tcp([::1]:3307)/shop": "mysql [::1]:3307/shop",
            "app:secret@unix(/run/m.sock)/shop": "mysql /run/m.sock/shop",
        }
        self.assertEqual({text: self.build(text).target for text in targets}, targets)

    def test_refused(self) -> None:
        """Trouble is one line, and nothing is kept."""
        asked = self.driver.ask(["SELECT 1"])
        self.threads.pop()()
        self.assertEqual(self.failureResultOf(asked, SqlTrouble).value.reason, "connection refused")
        self.driver.close()
        self.assertEqual((self.threads, self.reactor.getDelayedCalls()), ([], []))

    def test_names_are_looked_up_aside(self) -> None:
        """No thread waits for a name server; giving up meanwhile starts none."""
        driver = self.build("app:secret@tcp(db.invalid)/shop")
        asked = driver.ask([])
        self.assertEqual((len(self.questions), self.threads), (1, []))
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(self.threads, [])

    def test_ten_thousand_rounds_while_a_thread_hangs(self) -> None:
        """A thread that does not come back is the only one, and its killing is timed only once."""
        first = self.driver.ask([])
        first.cancel()
        self.failureResultOf(first, CancelledError)
        for _ in range(10_000):
            asked = self.driver.ask([])
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
        self.assertEqual((len(self.threads), len(self.reactor.getDelayedCalls())), (1, 1))
        waiting = self.driver.ask([])
        self.reactor.advance(KILL_WITHIN)
        self.assertNoResult(waiting)
        self.threads.pop()()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.threads.pop()()
        self.assertEqual(self.failureResultOf(waiting, SqlTrouble).value.reason, "connection refused")

    def test_closed_in_the_middle(self) -> None:
        """close() gives up what is under way; the driver can be used again."""
        asked = self.driver.ask([])
        self.driver.close()
        self.failureResultOf(asked, CancelledError)
        self.threads.pop()()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.driver.ask([]).addErrback(lambda _: None)
        self.assertEqual(len(self.threads), 1)

    def test_no_thread_to_be_had(self) -> None:
        """It is told, and tried again in the next round."""

        def refuse(_: Callable[[], None]) -> None:
            raise RuntimeError("can't start new thread")

        driver = self.build("app:secret@/", refuse)
        for _ in range(2):
            trouble = self.failureResultOf(driver.ask([]), SqlTrouble).value
            self.assertEqual(trouble.reason, "no thread for it: can't start new thread")
        driver.close()
