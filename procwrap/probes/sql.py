"""The ``sql`` probe: connect to a database, ask queries, look at the first column of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.dsn.mysql import MysqlDsn
from procwrap.dsn.postgres import PostgresDsn
from procwrap.dsn.problem import DsnError
from procwrap.dsn.sql import parse
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.sqldriver import FirstColumn, SqlDriver, SqlTrouble
from procwrap.probes.wording import missed, one_line, unexpected
from procwrap.spec.probe import SqlProbe

VARIABLES = ("POSTGRES_DSN", "DATABASE_URL", "MYSQL_DSN")
"""Where the connection string is looked for; an empty variable is one that is not set."""


@implementer(IProbe)
@define(eq=False)
class Sql:
    """Succeeds when every query works and finds what it should."""

    _spec: SqlProbe
    _context: ProbeContext
    _dsn: PostgresDsn | MysqlDsn | None = field(default=None, init=False)
    _driver: SqlDriver | None = field(default=None, init=False)
    _environment: Mapping[str, str] = field(factory=dict, init=False, repr=False)

    kind = "sql"

    @property
    def timeout(self) -> float:
        """As configured; connecting and all queries together."""
        return self._spec.timeout

    @property
    def target(self) -> str:
        """The database, once it is known which."""
        return "sql" if self._driver is None else self._driver.target

    @property
    def expected(self) -> str:
        """What the config asks for."""
        if self._spec.contains:
            return "every query to return all that contains asks for"
        return "every query to work" if self._spec.queries else "to connect"

    def check(self) -> Deferred[None]:
        """Ask."""
        try:
            dsn = self._current_dsn()
        except ProbeError as error:
            return fail(error)
        loaded = self._context.asides.load(_DRIVERS[type(dsn)].module)
        return loaded.addCallback(lambda _: self._ask(dsn)).addCallbacks(self._answered, self._failed)

    def close(self) -> None:
        """Close the connection."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def _current_dsn(self) -> PostgresDsn | MysqlDsn:
        """Return where to connect by the process's environment, which another start may have changed."""
        environment = self._context.environment()
        if self._dsn is None or environment != self._environment:
            self.close()
            self._environment, self._dsn = dict(environment), self._parsed(environment)
        return self._dsn

    def _ask(self, dsn: PostgresDsn | MysqlDsn) -> Deferred[tuple[FirstColumn, ...]]:
        if self._driver is None:
            self._driver = _DRIVERS[type(dsn)].build(dsn, self._context)
        return self._driver.ask(self._spec.queries)

    def _parsed(self, environment: Mapping[str, str]) -> PostgresDsn | MysqlDsn:
        if self._spec.dsn is not None:
            return parse(self._spec.dsn)
        name = next((name for name in VARIABLES if environment.get(name)), None)
        if name is None:
            raise ProbeError(
                f"sql: where to connect is not said: set dsn in the config, or {_EITHER} of the process"
            )
        try:
            return parse(environment[name])
        except DsnError as error:
            raise ProbeError(one_line(f"sql: {name} of the process: {error}")) from None

    def _answered(self, columns: tuple[FirstColumn, ...]) -> None:
        if not self._spec.contains:
            return
        for number, column in enumerate(columns, 1):
            if column is None:
                raise missed(self, f"query {number} returns no columns to look in: make it a select")
            values = set(column)
            for text in self._spec.contains:
                if text not in values:
                    seen = f"{len(column)} value{'' if len(column) == 1 else 's'}"
                    raise missed(self, f'query {number}: "{text}" is not in the first column ({seen})')

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, SqlTrouble):
            raise missed(self, failure.value.reason) from None
        raise unexpected(self, failure.value) from None


_EITHER = f"{', '.join(VARIABLES[:-1])} or {VARIABLES[-1]}"


@frozen
class _Driver:
    """Where a driver is, and what to install when it cannot be imported."""

    database: str
    module: str
    name: str
    packages: str
    install: str

    def build(self, dsn: PostgresDsn | MysqlDsn, context: ProbeContext) -> SqlDriver:
        try:
            driver: SqlDriver = getattr(import_module(self.module), self.name)(dsn, context)
        except ImportError as error:
            # If it is none of these, they are installed and broken: then what is missing is something else.
            needs = (
                self.packages if (error.name or "").partition(".")[0] in _FOREIGN else one_line(str(error))
            )
            raise ProbeError(
                f"cannot probe: {self.database} needs {needs}: pip install {self.install}"
            ) from None
        return driver


_FOREIGN = ("psycopg2", "txpostgres", "pymysql")
_DRIVERS = {
    PostgresDsn: _Driver(
        "PostgreSQL",
        "procwrap.probes.postgres",
        "PostgresDriver",
        "txpostgres and psycopg2",
        "txpostgres psycopg2-binary",
    ),
    MysqlDsn: _Driver("MySQL", "procwrap.probes.mysql", "MysqlDriver", "PyMySQL", "'procwrap[mysql]'"),
}
