"""The sql probe against a real MariaDB."""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from attrs import evolve
from twisted.internet.defer import inlineCallbacks
from twisted.protocols.portforward import ProxyFactory

from procwrap.interfaces import IProbe
from tests.support.certificates import Authority
from tests.support.hosted import Hosted, free_port
from tests.support.peers import full_listener, reactor
from tests.support.realprobes import TOLERANCE, Steps, sockets_open
from tests.support.servers.mariadb import DATABASE, PASSWORD, USER, MariaDb
from tests.support.sqlprobes import SqlProbes

pytestmark = pytest.mark.integration

ROUNDS = 20_000 if os.environ.get("PROCWRAP_LONG") else 1_000
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "probes" / "sql-mysql.yaml"
SAFE = quote(PASSWORD, safe="")
ENDLESS = "SELECT benchmark(2000000000, md5(1))"
"""Goes on for many minutes, and never looks whether its client is still there."""


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    """One MariaDB for this module."""
    made = MySqlProbes.server = MariaDb()
    try:
        made.start()
        made.do("INSTALL SONAME 'auth_ed25519'")
        made.create_user()
        made.create_user("modern", how="VIA ed25519 USING PASSWORD('n0t-shown')")
        yield
    finally:
        made.remove()


class MySqlProbes(SqlProbes):
    server: MariaDb

    def setUp(self) -> None:
        super().setUp()
        self.environment: dict[str, str] = {}
        self.context = evolve(self.context, environment=lambda: self.environment)
        self.told: list[str] = []
        self.ignored: list[Any] = []
        self.patch(sys, "unraisablehook", self.ignored.append)
        self.addCleanup(self.nothing_is_left)

    def nothing_is_left(self) -> None:
        """No password was in any reason, and nothing went wrong when objects were deleted."""
        for piece in (PASSWORD, SAFE, PASSWORD[:10], "wr0ng-one", "n0t-shown"):
            self.assertNotIn(piece, "\n".join(self.told))
        self.assertEqual(self.ignored, [])

    def dsn(self, password: str = PASSWORD, place: str = "", database: str = DATABASE, **more: object) -> str:
        """In the form of Go's driver."""
        words = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in more.items())
        return f"{USER}:{password}@{place or f'tcp(127.0.0.1:{self.server.port})'}/{database}?{words}"

    @inlineCallbacks
    def alone(self) -> Steps:
        """Wait until no probe is connected any more; not for long."""
        yield self.until(lambda: not self.server.running(), seconds=4.0)

    def on_time(self, took: float, timeout: float, lags: list[float]) -> None:
        """It failed at its timeout, to within what the machine itself was late."""
        self.assertLess(abs(took - timeout), TOLERANCE + max(lags))


class QueryTests(MySqlProbes):
    @inlineCallbacks
    def test_success(self) -> Steps:
        """It connects, every query works, and each string is in the first column of each."""
        probes = [
            self.sql(),
            self.sql("SELECT 1", "CREATE TEMPORARY TABLE IF NOT EXISTS t (a INT)", "DO 1"),
            self.sql("SELECT 'ä', 'no' UNION SELECT NULL, 'x' UNION SELECT 'b', 'x'", contains=("b", "ä")),
        ]
        for _ in range(3):
            results = yield self.look(*probes)
            self.assertEqual([result.reason for result in results], [""] * len(probes))
        self.assertEqual([row[1:] for row in self.server.running()], [("Sleep", None)] * len(probes))

    @inlineCallbacks
    def test_values_are_text_as_the_server_writes_it(self) -> Steps:
        """What is compared is the server's own text, for every type."""
        values = {
            "1 = 1": "1",
            "1.50": "1.50",
            "1e10": "10000000000",
            "TIMESTAMP '2024-02-29 12:00:00'": "2024-02-29 12:00:00",
            "JSON_OBJECT('a', 1)": '{"a": 1}',
            "CAST('x' AS BINARY)": "x",
            "_utf8mb4'🔑'": "🔑",
        }
        for expression, text in values.items():
            probe = self.sql(f"SELECT {expression}", contains=(text,))
            self.assertEqual((yield self.reason(probe)), "", expression)
            probe.close()

    @inlineCallbacks
    def test_failures(self) -> Steps:
        """Which query, what the server says, and its number: on one line."""
        yield self.fails(
            {
                "query 1: Unknown column 'nope' in 'SELECT' (1054)": self.sql("SELECT nope"),
                "query 2: Table 'shop.jobs' doesn't exist (1146)": self.sql("SELECT 1", "SELECT * FROM jobs"),
                'query 1: "b" is not in the first column (1 value)': self.sql("SELECT 'a'", contains=("b",)),
                "query 1 returns no columns to look in: make it a select": self.sql("DO 1", contains=("a",)),
                "query 1: Query was empty (1065)": self.sql(" "),
                "query 1: a b (1644)": self.sql("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a\nb'"),
            }
        )

    @inlineCallbacks
    def test_an_error_does_no_harm(self) -> Steps:
        """After a query that did not work, the same connection is used for the next round."""
        probe = self.sql("SELECT * FROM jobs")
        yield self.reason(probe)
        (before,) = self.server.running()
        self.assertIn("jobs", (yield self.reason(probe)))
        self.assertEqual(self.server.running(), [before])

    @inlineCallbacks
    def test_transactions(self) -> Steps:
        """A transaction that is left open ends with the round; the next one sees what is new."""
        self.assertEqual((yield self.reason(self.sql("BEGIN", "SELECT 1"))), "")
        yield self.alone()
        self.server.do(f"CREATE OR REPLACE TABLE {DATABASE}.news (name TEXT)")
        probe = self.sql("SELECT name FROM news", contains=("new",), dsn=self.dsn(autocommit=0))
        self.assertIn("is not in the first column", (yield self.reason(probe)))
        self.server.do(f"INSERT INTO {DATABASE}.news VALUES ('new')", "COMMIT")
        self.assertEqual((yield self.reason(probe)), "")

    @inlineCallbacks
    def test_procedures_and_several_statements(self) -> Steps:
        """All answers of one query count as one; an error in the second is seen."""
        self.server.do(
            f"CREATE OR REPLACE PROCEDURE {DATABASE}.three() BEGIN SELECT 'a'; DO 1; SELECT 'b'; END"
        )
        several = self.dsn(multiStatements="true")
        for probe in (
            self.sql("CALL three()", contains=("a", "b")),
            self.sql("SELECT 'a'; SELECT 'b'", contains=("a", "b"), dsn=several),
        ):
            self.assertEqual((yield self.reason(probe)), "")
            self.assertEqual((yield self.reason(probe)), "")
        failing = self.sql("SELECT 1; SELECT nope", dsn=several)
        for _ in range(2):
            self.assertIn("query 1: Unknown column 'nope'", (yield self.reason(failing)))
        self.assertIn("(1064)", (yield self.reason(self.sql("SELECT 1; SELECT 2"))))

    @inlineCallbacks
    def test_huge_answers(self) -> Steps:
        """Rows have a bound, bytes have a bound, and the server is not left working for nobody."""
        many = "SELECT seq, 'x' FROM seq_1_to_100000000"
        wide = "SELECT repeat('x', 1000), repeat('y', 1000) FROM seq_1_to_100000000"
        lags = self.lags()
        self.assertEqual((yield self.reason(self.sql(many, many, contains=("1", "10000")))), "")
        unseen = yield self.reason(self.sql(many, contains=("10001",)))
        self.assertEqual(unseen, 'query 1: "10001" is not in the first column (10000 values)')
        long = yield self.reason(self.sql(wide, contains=("x",)))
        self.assertEqual(long, 'query 1: "x" is not in the first column (1048 values)')
        value = yield self.reason(self.sql("SELECT 1", "SELECT 1, repeat('x', 10000000)"))
        self.assertEqual(value, "query 2: the answer is too large: ask for less")
        yield self.until(lambda: all(row[1] == "Sleep" for row in self.server.running()), seconds=2.0)
        self.assertLess(max(lags), 0.3)


class ConnectingTests(MySqlProbes):
    @inlineCallbacks
    def test_failures(self) -> Steps:
        """Why it could not connect, in a few words."""
        local = f"tcp(127.0.0.1:{self.server.port})"
        refused = f"Access denied for user '{USER}'@'127.0.0.1' (using password: YES) (1045)"
        yield self.fails(
            {
                refused: self.sql(dsn=self.dsn("wr0ng-one")),
                "Access denied for user 'app'@'%' to database 'nowhere' (1044)": self.sql(
                    dsn=self.dsn(database="nowhere")
                ),
                "connection refused": self.sql(dsn=self.dsn(place=f"tcp(localhost:{free_port()})")),
                "no such file or directory": self.sql(dsn=self.dsn(place="unix(/no/such.sock)")),
                "name or service not known": self.sql(dsn=self.dsn(place="tcp(no-such-host.invalid)")),
                "Unknown system variable 'nope' (1193)": self.sql(dsn=self.dsn(nope="1")),
                "PyMySQL does not know the character set klingon": self.sql(dsn=self.dsn(charset="klingon")),
                "the server wants mysql_native_password, which allowNativePasswords forbids": self.sql(
                    dsn=self.dsn(allowNativePasswords="false")
                ),
                "this login needs pynacl: pip install 'PyMySQL[ed25519]'": self.sql(
                    dsn=f"modern:n0t-shown@{local}/"
                ),
            }
        )
        yield self.alone()

    @inlineCallbacks
    def test_every_way_to_say_where(self) -> Steps:
        """Go's form and URLs, TCP over both kinds of IP, names, Unix sockets; from config or environment."""
        port, socket = self.server.port, str(self.server.socket)
        escaped = quote(socket, safe="")
        for text in (
            self.dsn(),
            self.dsn(place=f"tcp(localhost:{port})"),
            self.dsn(place=f"tcp([::1]:{port})"),
            self.dsn(place=f"unix({socket})"),
            f"mysql://{USER}:{SAFE}@127.0.0.1:{port}/{DATABASE}",
            f"mariadb://{USER}:{SAFE}@[::1]:{port}/{DATABASE}?charset=utf8mb4",
            f"mysql+pymysql://{USER}:{SAFE}@localhost/{DATABASE}?socket={socket}",
            f"mysql://{USER}:{SAFE}@{escaped}/{DATABASE}",
        ):
            asked = ("SELECT user()", "SELECT database()")
            self.assertEqual((yield self.reason(self.sql(*asked, dsn=text))), "", text.partition(":")[0])
            self.environment = {"MYSQL_DSN": text}
            probe = self.sql("SELECT database()", contains=(DATABASE,), dsn=None)
            self.assertEqual((yield self.reason(probe)), "")
            probe.close()

    @inlineCallbacks
    def test_parameters(self) -> Steps:
        """Character set, collation and variables are set; what means nothing to a probe is let pass."""
        dsn = self.dsn(
            charset="nonsense,latin1",
            time_zone="'+03:00'",
            sql_mode="'ANSI'",
            timeout="5s",
            parseTime="true",
            loc="US/Pacific",
        )
        probe = self.sql("SELECT @@time_zone UNION SELECT 'ü'", contains=("+03:00", "ü"), dsn=dsn)
        self.assertEqual((yield self.reason(probe)), "")
        probe = self.sql(
            "SELECT @@collation_connection",
            contains=("utf8mb4_bin",),
            dsn=self.dsn(collation="utf8mb4_bin"),
        )
        self.assertEqual((yield self.reason(probe)), "")

    @inlineCallbacks
    def test_tls(self) -> Steps:
        """With the right authority and name, with none when asked so, and not with another."""
        stranger = Authority(self.server.home, "stranger").file
        ours, port = self.server.authority.file, self.server.port

        def used(place: str = "", **more: object) -> IProbe:
            status = "FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"
            return self.sql(
                f"SELECT variable_value <> '' {status}", contains=("1",), dsn=self.dsn(place=place, **more)
            )

        for good in (
            used(tls="true", ssl_ca=ours),
            used(f"tcp(localhost:{port})", tls="true", ssl_ca=ours),
            used(f"tcp([::1]:{port})", ssl_ca=ours),
            used(f"unix({self.server.socket})", tls="true", ssl_ca=ours),
            used(tls="skip-verify"),
            used(tls="preferred"),
        ):
            self.assertEqual((yield self.reason(good)), "")
        for bad, said in (
            (used(tls="true"), "its certificate is not trusted, "),
            (used(tls="true", ssl_ca=stranger), "its certificate is not trusted, .*ssl-ca=…"),
            (used(f"tcp([::1]:{port})", tls="true", ssl_ca=ours), "IP address mismatch"),
            (used(tls="true", ssl_ca="/no/ca.pem"), "^ssl-ca /no/ca.pem: no such file or directory$"),
            (used(), '"1" is not in the first column'),
        ):
            self.assertRegex((yield self.reason(bad)), said)

    @inlineCallbacks
    def test_silence(self) -> Steps:
        """Whoever accepts, or not even that, and says nothing: failed at the timeout, and left."""
        peer = self.peer(b"")
        silent, sockets = full_listener()
        for each in sockets:
            self.addCleanup(each.close)
        lags = self.lags()
        for port in (peer.port, silent):
            probe = self.sql(dsn=self.dsn(place=f"tcp(127.0.0.1:{port})"), timeout=0.4)
            (result,) = yield self.look(probe)
            self.assertIn("no answer within 0.4s", result.reason)
            self.on_time(result.took, 0.4, lags)
        yield self.until(lambda: not peer.open and threads() == 0)


def threads() -> int:
    """How many threads are at work for probes."""
    return sum(thread.name == "procwrap-aside" for thread in threading.enumerate())


class TroubleTests(MySqlProbes):
    @inlineCallbacks
    def test_timeout_kills_the_query(self) -> Steps:
        """At its timeout the query ends on the server too, whatever it does, and the thread with it."""
        places = ["", f"unix({self.server.socket})", f"tcp([::1]:{self.server.port})"]
        lags = self.lags()
        for place, query in zip(places, ("SELECT sleep(60)", ENDLESS, ENDLESS), strict=True):
            probe = self.sql("SELECT 1", query, dsn=self.dsn(place=place), timeout=0.3)
            (result,) = yield self.look(probe)
            self.on_time(result.took, 0.3, lags)
            yield self.alone()
            yield self.until(lambda: threads() == 0, seconds=2.0)

    @inlineCallbacks
    def test_only_its_own_query_is_killed(self) -> Steps:
        """Behind something that shares connections out an id may be another's: nothing is killed there."""
        relay = reactor.listenTCP(0, ProxyFactory("127.0.0.1", self.server.port), interface="127.0.0.1")
        self.addCleanup(relay.stopListening)
        through = self.dsn(place=f"tcp(127.0.0.1:{relay.getHost().port})")
        yield self.look(self.sql("SELECT sleep(60)", dsn=through, timeout=0.3))
        yield self.until(lambda: threads() == 0, seconds=3.0)
        ((number, _, query),) = self.server.running()
        self.assertEqual(query, "SELECT sleep(60)")
        self.server.do(f"KILL {number}")
        yield self.alone()

    @inlineCallbacks
    def test_restart_between_rounds(self) -> Steps:
        """A connection that has ended between two rounds is no failed round."""
        probe = self.sql("SELECT 1", contains=("1",))
        self.assertEqual((yield self.reason(probe)), "")
        self.server.stop()
        self.server.start()
        self.assertEqual((yield self.reason(probe)), "")
        for how in ("KILL", "KILL CONNECTION"):
            self.server.do(f"{how} {self.server.running()[0][0]}")
            yield self.until(lambda: not self.server.running())
            self.assertEqual((yield self.reason(probe)), "")
        self.assertEqual(len(self.server.running()), 1)

    @inlineCallbacks
    def test_killed_in_the_middle(self) -> Steps:
        """SIGKILL within a query and within an answer, the time it is away, and its return."""
        slow, quick = self.sql("SELECT sleep(60)"), self.sql("SELECT 1")
        self.assertEqual((yield self.reason(quick)), "")
        looking = self.reason(slow)
        yield self.until(lambda: "SELECT sleep(60)" in [row[2] for row in self.server.running()])
        self.server.kill()
        self.assertEqual((yield looking), "query 1: Lost connection to MySQL server during query (2013)")
        self.assertEqual((yield self.reason(quick)), "connection refused")
        self.server.start()
        self.assertEqual((yield self.reason(quick)), "")
        self.assertEqual((yield self.reason(self.sql())), "")

    @inlineCallbacks
    def test_stopped(self) -> Steps:
        """SIGSTOP, within a query and before one: failed at the timeout, and the reactor goes on."""
        queries = (ENDLESS, "SELECT 1", "SELECT 2")
        slow, kept, new = (self.sql(query, timeout=1.0) for query in queries)
        self.assertEqual((yield self.reason(kept)), "")
        lags = self.lags()
        looking = self.look(slow)
        yield self.until(lambda: len(self.server.running()) == 2, seconds=0.8)
        self.server.freeze()
        try:
            results = [*(yield looking), *(yield self.look(kept, new))]
            for result in results:
                self.assertIn("no answer within 1s", result.reason)
                self.on_time(result.took, 1.0, lags)
            self.assertLess(max(lags), 0.3)
            yield self.until(lambda: threads() == 0, seconds=3.0)
        finally:
            self.server.thaw()
        # What could not be killed while nobody answered is killed by the next round.
        for probe in (kept, new):
            self.assertEqual((yield self.reason(probe)), "")
        yield self.look(slow)
        yield self.until(lambda: not [row for row in self.server.running() if row[1] == "Query"], seconds=2.0)

    @inlineCallbacks
    def test_rounds_without_end(self) -> Steps:
        """A thousand rounds have one connection and a thread at a time; after close() there is neither."""
        yield self.alone()
        aborted = self.server.said("Aborted connection")
        probe = self.sql("SELECT 1", "SELECT 'x'")
        yield self.look(probe)
        before, running = sockets_open(), self.server.running()
        most = 0
        for _ in range(ROUNDS):
            (result,) = yield self.look(probe)
            self.assertEqual(result.reason, "")
            most = max(most, threads())
        # One that has given its answer may take a moment to end.
        self.assertLessEqual(most, 2)
        self.assertEqual((self.server.running(), sockets_open()), (running, before))
        probe.close()
        yield self.alone()
        yield self.until(lambda: sockets_open() == before - 2 and not threads())
        self.assertEqual(self.server.said("Aborted connection"), aborted)

    @pytest.mark.alone
    @inlineCallbacks
    def test_cancelled_at_any_moment(self) -> Steps:
        """Wherever it is cut off, nothing is left: no descriptor, no thread, no connection, no late error."""
        before = sockets_open()
        chance = random.Random(4711)
        for turn in range(100):
            tls = "skip-verify" if turn % 3 else "false"
            probe = self.sql("SELECT 1", "SELECT sleep(0.01)", dsn=self.dsn(tls=tls))
            if turn % 2:
                yield self.look(probe)
            looking = probe.check()
            looking.addErrback(lambda _: None)
            yield self.wait(chance.random() * 0.03)
            looking.cancel()
            if turn % 5 == 0:
                self.assertEqual((yield self.reason(probe)), "")
            probe.close()
        yield self.until(lambda: not threads())
        yield self.alone()
        yield self.until(lambda: sockets_open() == before)

    @inlineCallbacks
    def test_closed_in_the_middle(self) -> Steps:
        """close() while asking ends it, and nothing is tried again."""
        probe = self.sql(ENDLESS)
        looking = self.reason(probe)
        yield self.until(lambda: ENDLESS in [row[2] for row in self.server.running()])
        probe.close()
        yield looking
        yield self.alone()
        yield self.until(lambda: not threads())


def test_the_example(tmp_path: Path) -> None:
    """The example of the documentation works, and tells no password when the server goes."""
    server = MySqlProbes.server
    server.create_user("prober", "n0secret")
    server.do(f"CREATE OR REPLACE TABLE {DATABASE}.migrations (name TEXT)")
    text = EXAMPLE.read_text().replace("secret", "n0secret").replace("3306", str(server.port))
    plan: Any = yaml.safe_load(text.replace("/run/mysqld/mysqld.sock", str(server.socket)))
    for check in ("readiness", "liveness"):
        plan["processes"][0][check].update(delay="0s", period="100ms", failureThreshold=1000)
    try:
        with Hosted(tmp_path, plan) as hosted:
            hosted.until(lambda: hosted.said('"0042_invoices" is not in the first column'))
            server.do(f"INSERT INTO {DATABASE}.migrations VALUES ('0042_invoices')", "COMMIT")
            hosted.up()
            server.kill()
            hosted.until(lambda: hosted.said(f"mysql localhost:{server.port}/shop: .*connection refused"))
            assert "n0secret" not in hosted.told()
            assert hosted.end() == 0
    finally:
        server.start()
