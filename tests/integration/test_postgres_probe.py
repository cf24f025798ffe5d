"""The sql probe against a real PostgreSQL."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
import yaml
from attrs import evolve
from twisted.internet.defer import inlineCallbacks

from procwrap.interfaces import IProbe
from tests.support.hosted import Hosted, free_port
from tests.support.peers import full_listener
from tests.support.realprobes import TOLERANCE, Steps, sockets_open
from tests.support.servers.postgres import ADMIN, ADMIN_PASSWORD, DATABASE, PASSWORD, USER, Postgres
from tests.support.sqlprobes import SqlProbes

pytestmark = pytest.mark.integration

ROUNDS = 20_000 if os.environ.get("PROCWRAP_LONG") else 1_000
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "probes" / "sql.yaml"
SAFE = quote(PASSWORD, safe="")


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    """One PostgreSQL for this module."""
    PostgresProbes.server = Postgres()
    try:
        yield
    finally:
        PostgresProbes.server.remove()


class PostgresProbes(SqlProbes):
    server: Postgres
    environment: dict[str, str]

    def setUp(self) -> None:
        super().setUp()
        self.environment = {}
        self.context = evolve(self.context, environment=lambda: self.environment)
        self.told: list[str] = []
        self.addCleanup(self.nothing_is_told)

    def nothing_is_told(self) -> None:
        """No password, however it is written, was in any reason."""
        for piece in (PASSWORD, SAFE, PASSWORD[:12], ADMIN_PASSWORD, "wr0ng-one"):
            self.assertNotIn(piece, "\n".join(self.told))

    def dsn(self, password: str = SAFE, database: str = DATABASE, host: str = "", **more: str) -> str:
        """A URI."""
        words = "&".join(f"{name}={value}" for name, value in {"sslmode": "disable", **more}.items())
        return f"postgresql://{USER}:{password}@{host or f'127.0.0.1:{self.server.port}'}/{database}?{words}"


class QueryTests(PostgresProbes):
    @inlineCallbacks
    def test_success(self) -> Steps:
        """It connects, every query works, and each string is in the first column of each."""
        probes = [
            self.sql(),
            self.sql("select 1", "create temp table if not exists t (a int)", "insert into t values (1)"),
            self.sql("select x, 'no' from (values ('ä'), (null), ('b')) _ (x)", contains=("b", "ä")),
            self.sql(
                "select '{1,NULL}'::int[]", "select null union select '{1,NULL}'", contains=("{1,NULL}",)
            ),
        ]
        for _ in range(3):
            results = yield self.look(*probes)
            self.assertEqual([result.reason for result in results], [""] * len(probes))
        self.assertEqual(self.server.connections(), len(probes))

    @inlineCallbacks
    def test_values_are_text_as_psql_shows_it(self) -> Steps:
        """What is compared is the server's own text, for every type."""
        values = {
            "true": "t",
            "1.50::numeric": "1.50",
            "'\\xdead'::bytea": "\\xdead",
            "timestamp '2024-02-29 12:00'": "2024-02-29 12:00:00",
            "1e10::float8": "10000000000",
            "'{\"a\": 1}'::jsonb": '{"a": 1}',
            "'(1,x)'::record_of_mine": "(1,x)",
        }
        self.server.tell("drop type if exists record_of_mine")
        yield self.reason(self.sql("create type record_of_mine as (a int, b text)", dsn=self.admin()))
        for expression, text in values.items():
            probe = self.sql(f"select {expression}", contains=(text,), dsn=self.admin())
            self.assertEqual((yield self.reason(probe)), "", expression)
            probe.close()

    def admin(self) -> str:
        """May create types."""
        login = f"user={ADMIN} password={ADMIN_PASSWORD} dbname={DATABASE}"
        return f"host={self.server.home} port={self.server.port} {login}"

    @inlineCallbacks
    def test_failures(self) -> Steps:
        """Which query, what the server says, and its SQLSTATE: on one line."""
        yield self.fails(
            {
                'query 1: column "nope" does not exist (SQLSTATE 42703)': self.sql("select nope"),
                'query 2: relation "jobs" does not exist (SQLSTATE 42P01)': self.sql(
                    "select 1", "table jobs"
                ),
                'query 2: "b" is not in the first column (1 value)': self.sql(
                    "select 'b' union select 'a'",
                    "select 'a', 'b' union select null, 'b'",
                    contains=("a", "b"),
                ),
                "query 1 returns no columns to look in: make it a select": self.sql(
                    "create temp table t (a int)", contains=("a",)
                ),
                "query 1: can't execute an empty query": self.sql(";"),
                "query 1: can't execute COPY TO": self.sql("copy (select 1) to stdout"),
                "query 1: a\nb".replace("\n", " ") + " (SQLSTATE P0001)": self.sql(
                    "do $$ begin raise exception E'a\\nb'; end $$"
                ),
            }
        )

    @inlineCallbacks
    def test_an_error_does_no_harm(self) -> Steps:
        """After an error, and after a transaction that was left open, the next round works on."""
        self.assertEqual((yield self.reason(self.sql("begin", "select 1"))), "")
        yield self.until(lambda: not self.server.connections(), seconds=1.0)
        broken = self.sql("select 1/(select count(*) from pg_stat_activity where usename = 'later')")
        self.assertIn("division by zero", (yield self.reason(broken)))
        self.assertIn("division by zero", (yield self.reason(broken)))
        self.assertEqual(self.server.connections(), 1)

    @inlineCallbacks
    def test_huge_answers(self) -> Steps:
        """Rows have a bound, bytes have a bound, and the reactor goes on meanwhile."""
        seen = self.sql("select * from generate_series(1, 20000)", contains=("10000",))
        unseen = self.sql("select * from generate_series(1, 20000)", contains=("10001",))
        endless = self.sql("select repeat('x', 1000) from generate_series(1, 200000)", timeout=20.0)
        lags = self.lags()
        self.assertEqual((yield self.reason(seen)), "")
        self.assertEqual(
            (yield self.reason(unseen)), 'query 1: "10001" is not in the first column (10000 values)'
        )
        self.assertEqual(
            (yield self.reason(endless)), "query 1: an answer of more than 16 MiB: ask for fewer rows"
        )
        yield self.until(lambda: not self.server.active("%repeat%"))
        self.assertLess(max(lags), 0.3)


class ConnectingTests(PostgresProbes):
    @inlineCallbacks
    def test_failures(self) -> Steps:
        """Why it could not connect, in a few words."""
        yield self.fails(
            {
                f'password authentication failed for user "{USER}"': self.sql(dsn=self.dsn("wr0ng-one")),
                'database "nowhere" does not exist': self.sql(dsn=self.dsn(database="nowhere")),
                "connection refused": self.sql(dsn=self.dsn(host=f"localhost:{free_port()}")),
                "no such file or directory": self.sql(dsn=self.dsn(host="%2Fno%2Fdirectory")),
                "name or service not known": self.sql(dsn=self.dsn(host="no-such-host.invalid")),
                'invalid sslmode value: "maybe"': self.sql(dsn=self.dsn(sslmode="maybe")),
                "session is not read-only": self.sql(dsn=self.dsn(target_session_attrs="read-only")),
            }
        )

    @inlineCallbacks
    def test_every_way_to_say_where(self) -> Steps:
        """URIs, keywords, Unix sockets, names, several hosts; in the config or in the environment."""
        home, port = self.server.home, self.server.port
        quoted = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
        words = f"port={port} user={USER} password='{quoted}' dbname={DATABASE}"
        for text in (
            self.dsn(),
            self.dsn(host=f"localhost:{port}").replace("postgresql:", "postgres+asyncpg:"),
            self.dsn(host=f"127.0.0.1:{free_port()},localhost:{port}"),
            f"host=127.0.0.1 {words}",
            f"host={home} {words}",
        ):
            self.assertEqual((yield self.reason(self.sql(dsn=text))), "", text.replace(PASSWORD, ""))
            for name in ("POSTGRES_DSN", "DATABASE_URL"):
                self.environment = {name: text}
                probe = self.sql(dsn=None)
                self.assertEqual((yield self.reason(probe)), "")
                probe.close()

    @inlineCallbacks
    def test_variables_of_the_process(self) -> Steps:
        """Libpq's variables of the process fill what is left open; procwrap's own do not, nor do they win."""
        self.environment = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGUSER": USER,
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": DATABASE,
        }
        ours = dict.fromkeys(("PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGPASSFILE"), "/wrong")
        ours |= dict.fromkeys(("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGOPTIONS"), "wr0ng-one")
        ours |= {
            "PGPORT": "1",
            "PGSSLMODE": "verify-full",
            "PGHOSTADDR": "192.0.2.1",
            "PGCLIENTENCODING": "EUC_JP",
        }
        ours |= {"PGTARGETSESSIONATTRS": "read-only", "PGREQUIREPEER": "x", "PGCONNECT_TIMEOUT": "x"}
        with patch.dict(os.environ, ours):
            filled = self.sql("select current_user", contains=(USER,), dsn="postgresql://")
            self.assertEqual((yield self.reason(filled)), "")
            self.environment = {}
            asked = "select current_user, 'ü'"
            self.assertEqual((yield self.reason(self.sql(asked, contains=(USER,)))), "")
            self.assertEqual(
                (yield self.reason(self.sql(dsn=f"host=127.0.0.1 port={self.server.port} user={USER}"))),
                "no password supplied",
            )

    @inlineCallbacks
    def test_tls(self) -> Steps:
        """``verify-full`` takes the right authority and name, and no other."""
        home, port = self.server.home, self.server.port
        used = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
        right, wrong = home / "authority.pem", home / "stranger.pem"

        def tls(host: str, **more: Any) -> IProbe:
            dsn = self.dsn(host=host, **{"sslmode": "verify-full", "sslrootcert": right, **more})
            return self.sql(used, contains=("t",), dsn=dsn)

        for good in (
            tls(f"localhost:{port}"),
            tls(f"127.0.0.1:{port}"),
            tls("", sslmode="require", sslrootcert=""),
        ):
            self.assertEqual((yield self.reason(good)), "")
        self.assertRegex(
            (yield self.reason(tls(f"localhost:{port}", sslrootcert=wrong))), "certificate verify failed"
        )
        other = tls(f"other.example:{port}", hostaddr="127.0.0.1")
        self.assertRegex((yield self.reason(other)), "certificate.* does not match host name")

    @inlineCallbacks
    def test_silence(self) -> Steps:
        """Whoever accepts, or not even that, and says nothing: failed at the timeout, and left."""
        peer = self.peer(b"")
        silent, sockets = full_listener()
        for port in (peer.port, silent):
            probe = self.sql(dsn=self.dsn(host=f"127.0.0.1:{port}"), timeout=0.4)
            (result,) = yield self.look(probe)
            self.assertIn("no answer within 0.4s", result.reason)
            self.assertLess(abs(result.took - 0.4), TOLERANCE)
        yield self.until(lambda: not peer.open)
        for each in sockets:
            each.close()

    @inlineCallbacks
    def test_other_languages(self) -> Steps:
        """Something else than PostgreSQL is a failed probe."""
        for says in (None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"N" * 100, b"R\0\0\0\x08\0\0\0\0" * 3):
            peer = self.peer(says, hangs_up=True)
            self.assertNotEqual(
                (yield self.reason(self.sql(dsn=self.dsn(host=f"127.0.0.1:{peer.port}")))), ""
            )


class TroubleTests(PostgresProbes):
    @inlineCallbacks
    def test_timeout_cancels_the_query(self) -> Steps:
        """At its timeout the query ends on the server too, and so does the connection."""
        (result,) = yield self.look(self.sql("select pg_sleep(60)", timeout=0.3))
        self.assertLess(abs(result.took - 0.3), TOLERANCE)
        yield self.until(lambda: not self.server.active("%pg_sleep%"), seconds=1.0)
        yield self.until(lambda: not self.server.connections(), seconds=1.0)

    @inlineCallbacks
    def test_restart_between_rounds(self) -> Steps:
        """A server that was restarted between two rounds is no failed round."""
        probe = self.sql("select 1", contains=("1",))
        self.assertEqual((yield self.reason(probe)), "")
        self.server.stop()
        self.server.start()
        self.assertEqual((yield self.reason(probe)), "")
        self.server.tell("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", USER)
        self.assertEqual((yield self.reason(probe)), "")
        self.assertEqual(self.server.connections(), 1)

    @inlineCallbacks
    def test_killed_in_the_middle(self) -> Steps:
        """SIGKILL within a query, the time it is away, and its return."""
        slow, quick = self.sql("select pg_sleep(60)"), self.sql("select 1")
        self.assertEqual((yield self.reason(quick)), "")
        looking = self.reason(slow)
        yield self.until(lambda: self.server.active("%pg_sleep%"))
        self.server.kill()
        self.assertEqual((yield looking), "query 1: server closed the connection unexpectedly")
        self.assertEqual((yield self.reason(quick)), "connection refused")
        self.server.start()
        self.assertEqual((yield self.reason(quick)), "")

    @inlineCallbacks
    def test_stopped(self) -> Steps:
        """SIGSTOP, within a query and before one: failed at the timeout, and the reactor goes on."""
        slow, kept, new = (
            self.sql(query, timeout=0.4) for query in ("select pg_sleep(60)", "select 1", "select 2")
        )
        self.assertEqual((yield self.reason(kept)), "")
        looking = self.look(slow)
        yield self.until(lambda: self.server.active("%pg_sleep%"), seconds=0.3)
        self.server.freeze()
        try:
            lags = QueryTests.lags(self)
            results = [*(yield looking), *(yield self.look(kept, new))]
            for result in results:
                self.assertIn("no answer within 0.4s", result.reason)
                self.assertLess(abs(result.took - 0.4), TOLERANCE)
            self.assertLess(max(lags), 0.1)
        finally:
            self.server.thaw()
        yield self.until(lambda: not self.server.active("%pg_sleep%"))
        for probe in (kept, new):
            self.assertEqual((yield self.reason(probe)), "")

    @inlineCallbacks
    def test_rounds_without_end(self) -> Steps:
        """A thousand rounds have one connection; after close() there is none."""
        probe = self.sql("select 1", "select 'x'")
        yield self.look(probe)
        before = sockets_open()
        for _ in range(ROUNDS):
            (result,) = yield self.look(probe)
            self.assertEqual(result.reason, "")
        self.assertEqual((self.server.connections(), sockets_open()), (1, before))
        probe.close()
        yield self.until(lambda: not self.server.connections())

    @inlineCallbacks
    def test_cancelled_at_any_moment(self) -> Steps:
        """Wherever it is cut off, nothing is left: no descriptor, no connection, no late error."""
        before = sockets_open()
        chance = random.Random(4711)
        for turn in range(100):
            probe = self.sql(
                "select 1", "select pg_sleep(0.01)", dsn=self.dsn(sslmode="prefer" if turn % 3 else "disable")
            )
            if turn % 2:
                yield self.look(probe)
            looking = probe.check()
            looking.addErrback(lambda _: None)
            yield self.wait(chance.random() * 0.03)
            looking.cancel()
            if turn % 5:
                probe.close()
            else:
                self.assertEqual((yield self.reason(probe)), "")
                probe.close()
        yield self.until(lambda: not self.server.connections())
        yield self.until(lambda: sockets_open() == before)

    @inlineCallbacks
    def test_closed_in_the_middle(self) -> Steps:
        """close() while asking ends it, and nothing is tried again."""
        probe = self.sql("select pg_sleep(60)")
        looking = self.reason(probe)
        yield self.until(lambda: self.server.active("%pg_sleep%"))
        probe.close()
        yield looking
        yield self.until(lambda: not self.server.connections())
        self.assertFalse(self.server.active("%pg_sleep%"))


def test_the_example(tmp_path: Path) -> None:
    """The example of the documentation works, and tells no password when the server goes."""
    server = PostgresProbes.server
    server.tell(f"alter role {USER} password 'n0secret'")
    text = EXAMPLE.read_text().replace("secret", "n0secret").replace("5432", str(server.port))
    plan: Any = yaml.safe_load(text)
    for check in ("readiness", "liveness"):
        plan["processes"][0][check].update(delay="0s", period="100ms", failureThreshold=1000)
    server.tell(
        "create table migrations (name text); grant select on migrations to public", database=DATABASE
    )
    try:
        with Hosted(tmp_path, plan) as hosted:
            hosted.until(lambda: hosted.said('"0042_invoices" is not in the first column'))
            server.tell("insert into migrations values ('0042_invoices')", database=DATABASE)
            hosted.up()
            server.kill()
            hosted.until(lambda: hosted.said(f"postgres localhost:{server.port}/shop: .*connection refused"))
            assert "n0secret" not in hosted.told()
            assert hosted.end() == 0
    finally:
        server.start()
        server.tell(f"alter role {USER} password %s", PASSWORD)
