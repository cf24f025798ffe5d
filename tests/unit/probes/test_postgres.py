from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from attrs import define
from psycopg2 import OperationalError, ProgrammingError
from psycopg2.extensions import POLL_READ, POLL_WRITE
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.dsn.postgres import parse
from procwrap.probes.aside import Asides
from procwrap.probes.dial import PATIENCE
from procwrap.probes.postgres import PostgresDriver
from procwrap.probes.postgresline import AT_ONCE, Line
from procwrap.probes.sqldriver import MOST_ROWS, SqlTrouble
from tests.support.fakepg import FakePg, FakeServers, accepted, one_column, turn
from tests.support.probes import ProbeReactor, context

ONE = one_column(["1"])
REFUSED = OperationalError("Connection refused\n\tIs the server running?\n")
LOST = OperationalError("server closed the connection unexpectedly\n\tThis probably means\n")


@define
class FakeCancelling:
    """Remembers what was to be cancelled."""

    connections: list[int]

    def cancel(self, connection: int) -> None:
        """Cancel nothing."""
        self.connections.append(connection)


class PostgresTests(SynchronousTestCase):
    dsn = "postgresql://u:hunter22@192.0.2.1:7/app"

    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.cancelled: list[int] = []
        self.threads: list[Callable[[], None]] = []
        self.context = context(self.reactor, asides=Asides(self.reactor, self.threads.append))

    def driver(self, *connections: FakePg | Exception, dsn: str = "") -> PostgresDriver:
        """A driver that finds these servers, one after the other."""
        self.servers = FakeServers(connections)
        self.patch(Line, "connectionFactory", staticmethod(self.servers.connect))
        made = PostgresDriver(parse(dsn or self.dsn), self.context)
        made._cancelling = FakeCancelling(self.cancelled)
        for connection in connections:
            if isinstance(connection, FakePg):
                self.addCleanup(connection.close)
        self.addCleanup(made.close)
        return made

    def asked(self, driver: PostgresDriver, *queries: str) -> Deferred[Any]:
        """Ask, and let the servers answer as far as they do."""
        asking = driver.ask(queries)
        turn(self.reactor)
        return asking

    def trouble(self, asking: Deferred[Any]) -> str:
        """Why it failed."""
        failed: SqlTrouble = self.failureResultOf(asking, SqlTrouble).value
        return failed.reason

    def nothing_is_left(self, *connections: FakePg) -> None:
        """Neither descriptors, nor who is read, nor timers."""
        self.assertEqual([connection.closed for connection in connections], [1] * len(connections))
        self.assertEqual((self.reactor.getReaders(), self.reactor.getWriters()), ([], []))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_queries_in_order(self) -> None:
        """Each query is asked once; of each the first column is returned, without NULLs."""
        peer = accepted(one_column(["a", None, "b"]), [], ONE)
        driver = self.driver(peer)
        answers = self.successResultOf(self.asked(driver, "select x", "create y", "select z"))
        self.assertEqual(
            (answers, peer.asked), ((("a", "b"), None, ("1",)), ["select x", "create y", "select z"])
        )

    def test_settings(self) -> None:
        """Libpq is told everything that it would otherwise take from our own environment."""
        self.asked(self.driver(accepted(ONE)))
        (given,) = self.servers.given
        told = {
            "host": "192.0.2.1",
            "hostaddr": "192.0.2.1",
            "port": "7",
            "user": "u",
            "password": "hunter22",
        }
        told |= {"dbname": "app", "application_name": "procwrap", "sslmode": "prefer", "passfile": ""}
        told |= {"gssencmode": "disable", "client_encoding": "UTF8", "connect_timeout": "0"}
        self.assertEqual(told.items() & given.items(), told.items())

    def test_kept(self) -> None:
        """Further rounds use the same connection."""
        peer = accepted(ONE, ONE, ONE)
        driver = self.driver(peer)
        for _ in range(3):
            self.assertEqual(self.successResultOf(self.asked(driver)), ())
        self.assertEqual((len(self.servers.given), peer.asked), (1, ["select 1"] * 3))
        driver.close()
        self.nothing_is_left(peer)

    def test_lost_between_rounds(self) -> None:
        """A kept connection that turns out to be dead is replaced in the same round, once."""
        peers = [accepted(ONE, LOST), accepted(ONE, LOST), accepted(LOST)]
        driver = self.driver(*peers)
        for _ in range(2):
            self.successResultOf(self.asked(driver, "select 1"))
        self.assertEqual((len(self.servers.given), peers[0].closed, peers[1].closed), (2, 1, 0))
        reason = self.trouble(self.asked(driver, "select 1"))
        self.assertEqual(reason, "query 1: server closed the connection unexpectedly")
        self.assertEqual(len(self.servers.given), 3)
        self.nothing_is_left(*peers)

    def test_heard_of_the_end(self) -> None:
        """A connection that ends between rounds is closed then, without a word."""
        peer = accepted(ONE)
        self.successResultOf(self.asked(self.driver(peer), "select 1"))
        peer.states.append(LOST)
        turn(self.reactor)
        self.nothing_is_left(peer)

    def test_next_address(self) -> None:
        """When an address refuses, the next is tried; when none accepts, the first one's error is told."""
        local = "postgresql://localhost/app"
        driver = self.driver(FakePg([REFUSED]), accepted(ONE), dsn=local)
        self.successResultOf(self.asked(driver))
        self.assertEqual([given["hostaddr"] for given in self.servers.given], ["127.0.0.1", "::1"])
        driver = self.driver(REFUSED, OperationalError("Cannot assign requested address"), dsn=local)
        self.assertEqual(self.trouble(self.asked(driver)), "connection refused")

    def test_server_that_spoke(self) -> None:
        """A server that turns us away is not asked again at its other addresses; another host is."""
        wrong = OperationalError('FATAL:  password authentication failed for user "u"\n')
        peers = [FakePg([POLL_WRITE, POLL_READ, wrong]), FakePg([REFUSED])]
        driver = self.driver(*peers, dsn="postgresql://localhost,192.0.2.2/app")
        self.assertEqual(self.trouble(self.asked(driver)), 'password authentication failed for user "u"')
        self.assertEqual([given["host"] for given in self.servers.given], ["localhost", "192.0.2.2"])
        self.nothing_is_left(*peers)

    def test_silent_address(self) -> None:
        """An address where nobody accepts gives way soon; the last may take its time."""
        peers = [FakePg([POLL_WRITE]), FakePg([POLL_WRITE])]
        driver = self.driver(*peers, dsn="postgresql://localhost/app")
        asking = driver.ask(())
        self.reactor.advance(PATIENCE)
        self.assertEqual((peers[0].closed, len(self.servers.given)), (1, 2))
        self.reactor.advance(60)
        self.assertNoResult(asking)
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.nothing_is_left(*peers)

    def test_slow_login(self) -> None:
        """Whoever has accepted is not given up for being slow, even when there are other addresses."""
        peer = FakePg([POLL_WRITE, POLL_READ])
        asking = self.asked(self.driver(peer, dsn="postgresql://localhost/app"))
        self.reactor.advance(60)
        self.assertEqual((peer.closed, len(self.servers.given)), (0, 1))
        asking.cancel()
        self.failureResultOf(asking, CancelledError)

    def test_cancelled_query(self) -> None:
        """Cancelling asks the server to cancel the query, and closes the connection at once."""
        peer = accepted(ONE, None)
        asking = self.asked(self.driver(peer), "select 1", "select pg_sleep(60)")
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual(self.cancelled, [peer.pgconn_ptr])
        self.nothing_is_left(peer)

    def test_cancelled_too_late(self) -> None:
        """An answer that comes in the same turn as the end of patience is nobody's any more."""
        peer = accepted(ONE)
        asking = self.driver(peer).ask(())
        self.reactor.getWriters()[0].doWrite()
        self.reactor.getReaders()[0].doRead()
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.reactor.advance(0)
        self.nothing_is_left(peer)

    def test_error_of_a_query(self) -> None:
        """The number of the query and what was said; the connection is kept."""
        peer = accepted(ONE, ProgrammingError("no such thing hunter22"), ONE)
        driver = self.driver(peer)
        self.assertEqual(self.trouble(self.asked(driver, "a", "b", "c")), "query 2: no such thing ***")
        self.successResultOf(self.asked(driver, "d"))
        self.assertEqual((peer.asked, peer.closed), (["a", "b", "d"], 0))

    def test_open_transaction(self) -> None:
        """What is left within a transaction is closed: it would hold its locks."""
        peer = accepted([])
        peer.in_transaction = True
        self.successResultOf(self.asked(self.driver(peer), "begin"))
        self.nothing_is_left(peer)

    def test_many_rows(self) -> None:
        """Rows are looked at in slices, and no more than so many."""
        peer = accepted(one_column(map(str, range(MOST_ROWS + AT_ONCE))))
        (column,) = self.successResultOf(self.asked(self.driver(peer), "select"))
        self.assertEqual(column, tuple(map(str, range(MOST_ROWS))))

    def test_much_text(self) -> None:
        """Rows are not looked at when there was enough text before them."""
        rows = one_column([*["x" * 10_000] * 150, *["y"] * AT_ONCE, "z"])
        (column,) = self.successResultOf(self.asked(self.driver(accepted(rows)), "select"))
        self.assertNotIn("z", column)

    def test_resolver(self) -> None:
        """A name that does not exist fails with the resolver's words, and libpq never asks one."""
        driver = self.driver(dsn="postgresql://nowhere.invalid/app")
        self.patch(socket, "getaddrinfo", _unknown)
        asking = driver.ask(())
        self.threads.pop()()
        self.assertEqual((self.trouble(asking), self.servers.given), ("name or service not known", []))

    def test_bad_variable(self) -> None:
        """A variable of libpq that makes no sense is named, and not quoted."""
        environment = {"PGPORT": "hunter22"}
        driver = PostgresDriver(parse("postgresql://db/app"), context(self.reactor, environment=environment))
        reason = self.trouble(driver.ask(()))
        self.assertEqual(
            reason, "PGHOST, PGHOSTADDR or PGPORT of the process: expected a port from 1 to 65535"
        )
        self.assertEqual(driver.target, "postgres db/app")


def _unknown(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
