from __future__ import annotations

import pytest

from procwrap.spec.probe import SqlProbe
from tests.support.configs import messages_of, process_of


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("sql: ", SqlProbe()),
        ("sql: {}", SqlProbe()),
        ("sql: {queries: [select 1], contains: [1, no]}", SqlProbe(("select 1",), ("1", "no"))),
        ("sql: {dsn: 'host=db user=u', timeout: 1s}", SqlProbe(dsn="host=db user=u", timeout=1.0)),
        ("sql: {dsn: 'postgresql://u:p@db/app'}", SqlProbe(dsn="postgresql://u:p@db/app")),
        ("sql: {dsn: 'u:p@tcp(db)/app'}", SqlProbe(dsn="u:p@tcp(db)/app")),
    ],
)
def test_sql(keys: str, expected: SqlProbe) -> None:
    """Everything may be left out; a connection string is kept as it was written."""
    readiness = process_of(f"readiness: {{{keys}}}").readiness
    assert readiness is not None
    assert readiness.probes == (expected,)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("contains: [a]", "sql.contains: expected queries too, in whose rows it is looked for"),
        ("queries: ['']", "sql.queries[0]: expected text, got an empty one"),
        ("querys: [a]", "sql.querys: unknown key"),
        ("dsn: ''", "sql.dsn: expected postgresql://"),
        ("dsn: 'redis://u:hunter22@db'", "sql.dsn: expected postgresql://"),
        ("dsn: 'postgresql://u:hunter22@db/a?pool=9'", "sql.dsn: parameter 'pool' is not one"),
        ("dsn: 'postgresql://u:hunter22/3@db/a'", "sql.dsn: expected no @ behind the host; write special"),
        ("dsn: 'u:hunter22@tcp(db/a'", "sql.dsn: "),
    ],
)
def test_sql_problems(keys: str, message: str) -> None:
    """A connection string that cannot be used is a mistake in the config, told without quoting it."""
    [line] = messages_of(f"readiness: {{sql: {{{keys}}}}}")
    assert line.startswith(f"readiness.{message}")
    assert "hunter" not in line
