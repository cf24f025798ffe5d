from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes import mysql, postgres
from procwrap.probes.look import look_at_all
from procwrap.probes.sql import VARIABLES, Sql
from procwrap.probes.sqldriver import FirstColumn, SqlTrouble
from procwrap.spec.probe import SqlProbe
from tests.support.probes import FakeRunner, at_once, context

POSTGRES, MYSQL = "postgresql://u:hunter22@db/app", "u:hunter22@tcp(db)/app"


@define(eq=False)
class FakeDriver:
    """Answers when the test does."""

    dsn: Any
    context: Any
    target: str = "fake db:1/app"
    queries: Sequence[str] | None = None
    answer: Deferred[tuple[FirstColumn, ...]] = field(factory=Deferred)
    closed: int = 0

    def ask(self, queries: Sequence[str]) -> Deferred[tuple[FirstColumn, ...]]:
        """Wait."""
        self.queries = queries
        return self.answer

    def close(self) -> None:
        """Count."""
        self.closed += 1


class SqlTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.environment: dict[str, str] = {}
        self.drivers: list[FakeDriver] = []
        self.patch(postgres, "PostgresDriver", self.driver)
        self.patch(mysql, "MysqlDriver", self.driver)

    def driver(self, *given: Any) -> FakeDriver:
        """Build one and remember it."""
        self.drivers.append(FakeDriver(*given))
        return self.drivers[-1]

    def sql(self, *queries: str, contains: tuple[str, ...] = (), dsn: str | None = POSTGRES) -> Sql:
        return Sql(
            SqlProbe(queries, contains, dsn, 3.0),
            context(Clock(), environment=self.environment, asides=at_once()),
        )

    def reason(self, probe: Sql, *columns: FirstColumn) -> str:
        """Look, answer, and return why it failed; nothing when it did not."""
        checked = probe.check()
        if self.drivers and not self.drivers[-1].answer.called:
            self.drivers[-1].answer.callback(columns)
        told: list[object] = []
        checked.addCallbacks(told.append, lambda failure: told.append(failure.value))
        (result,) = told
        return "" if result is None else str(result)

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other."""
        verifyObject(IProbe, self.sql())
        self.assertEqual((self.sql().kind, self.sql().timeout, self.sql().target), ("sql", 3.0, "sql"))

    def test_success(self) -> None:
        """Every query is asked, and all of contains is in each first column."""
        probe = self.sql("a", "b", contains=("x", "y"))
        self.assertEqual(self.reason(probe, ("x", "y", "z"), ("y", "x")), "")
        self.assertEqual(self.drivers[0].queries, ("a", "b"))

    def test_without_contains(self) -> None:
        """Without contains any answer will do."""
        self.assertEqual(self.reason(self.sql("a", "b"), None, ()), "")

    def test_missing_string(self) -> None:
        """The first string that is missing is told, with the number of its query; a part is no match."""
        self.assertEqual(
            self.reason(self.sql("a", "b", contains=("x", "y")), ("x", "y"), ("x", "yy")),
            'fake db:1/app: query 2: "y" is not in the first column (2 values),'
            " expected every query to return all that contains asks for",
        )

    def test_no_columns(self) -> None:
        """A query without columns has nothing to look in."""
        reason = self.reason(self.sql("a", contains=("x",)), None)
        self.assertIn("query 1 returns no columns to look in: make it a select, expected", reason)

    def test_trouble(self) -> None:
        """What the driver says is told behind the target, with what was expected."""
        probe = self.sql()
        checked = probe.check()
        self.drivers[0].answer.errback(SqlTrouble("connection refused"))
        failed: ProbeError = self.failureResultOf(checked, ProbeError).value
        self.assertEqual(failed.reason, "fake db:1/app: connection refused, expected to connect")

    def test_which_variable(self) -> None:
        """The first variable that is set and not empty says where; dsn of the config comes before all."""
        self.environment.update(dict.fromkeys(VARIABLES, ""), MYSQL_DSN=MYSQL)
        kinds = []
        for dsn in (None, POSTGRES):
            self.sql(dsn=dsn).check()
            kinds.append(type(self.drivers[-1].dsn).__name__)
        self.environment["DATABASE_URL"] = POSTGRES
        self.sql(dsn=None).check()
        kinds.append(type(self.drivers[-1].dsn).__name__)
        self.assertEqual(kinds, ["MysqlDsn", "PostgresDsn", "PostgresDsn"])

    def test_no_variable(self) -> None:
        """When nothing says where, what to set is said."""
        self.assertEqual(
            self.reason(self.sql(dsn=None)),
            "sql: where to connect is not said: set dsn in the config,"
            " or POSTGRES_DSN, DATABASE_URL or MYSQL_DSN of the process",
        )

    def test_bad_variable(self) -> None:
        """A variable that makes no sense is named; its value is not shown."""
        for value in ("redis://:hunter22@db", "postgresql://u:hunter22@db:x/", "u:hunter22@tcp(db)x/app"):
            self.environment["DATABASE_URL"] = value
            reason = self.reason(self.sql(dsn=None))
            self.assertIn("sql: DATABASE_URL of the process: ", reason)
            self.assertNotIn("hunter", reason)

    def test_another_environment(self) -> None:
        """Another start may have another environment: the old connection is left."""
        self.environment["POSTGRES_DSN"] = POSTGRES
        probe = self.sql(dsn=None)
        self.reason(probe)
        self.reason(probe)
        self.environment["POSTGRES_DSN"] = POSTGRES + "2"
        probe.check()
        self.assertEqual([driver.closed for driver in self.drivers], [1, 0])

    def test_close(self) -> None:
        """close() closes the connection; the next round begins anew."""
        probe = self.sql()
        probe.close()
        self.reason(probe)
        probe.close()
        probe.close()
        probe.check()
        self.assertEqual([driver.closed for driver in self.drivers], [1, 0])

    def test_timeout(self) -> None:
        """At the timeout the driver is cancelled, and the target is told."""
        clock = Clock()
        round_ = look_at_all([self.sql()], clock)
        clock.advance(3.0)
        (result,) = self.successResultOf(round_)
        self.assertEqual(result.reason, "fake db:1/app: no answer within 3s, expected to connect")
        self.assertTrue(self.drivers[0].answer.called)

    def test_missing_packages(self) -> None:
        """A package that is missing is a failed round that says what to install."""
        for dsn, module, package, words in (
            (POSTGRES, "postgres", "psycopg2", "PostgreSQL needs txpostgres and psycopg2: pip install tx"),
            (MYSQL, "mysql", "pymysql", "MySQL needs PyMySQL: pip install 'procwrap[mysql]'"),
        ):
            read = (f"procwrap.probes.{module}", f"{package}.")
            with patch.dict(sys.modules, {package: None}):
                for name in [name for name in sys.modules if name.startswith(read)]:
                    del sys.modules[name]
                self.assertIn(f"cannot probe: {words}", self.reason(self.sql(dsn=dsn)))

    def test_no_secret_in_repr(self) -> None:
        """Neither the connection string nor the environment is in the repr."""
        self.environment["DATABASE_URL"] = POSTGRES
        probe = Sql(SqlProbe(dsn=None), context(Clock(), environment=self.environment, runner=FakeRunner()))
        probe.check()
        self.assertNotIn("hunter", repr(probe))
