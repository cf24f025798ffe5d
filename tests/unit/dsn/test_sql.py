from __future__ import annotations

import pytest

from procwrap.dsn.mysql import MysqlDsn
from procwrap.dsn.postgres import PostgresDsn
from procwrap.dsn.problem import DsnError
from procwrap.dsn.sql import parse


@pytest.mark.parametrize(
    "text",
    [
        "postgres://db/app",
        "postgresql://u:p@tcp@db/app",
        "PostgreSQL://db",
        "postgresql+asyncpg://u:p@db:1/app",
        "host=db user=u",
        " dbname = app ",
        "host=db password=a@tcp(b)/c",
    ],
)
def test_postgres(text: str) -> None:
    """URIs and keywords are PostgreSQL's."""
    assert isinstance(parse(text), PostgresDsn)


@pytest.mark.parametrize(
    "text",
    [
        "mysql://u:p@db:3306/app",
        "mariadb://u:p@db/app",
        "mysql+pymysql://u:p@db/app",
        "u:p@tcp(db:3306)/app",
        "u:p@tcp(db:3306)/app?charset=utf8mb4",
        "u:host=x@tcp(db:3306)/app",
        "u@unix(/run/mysqld/mysqld.sock)/app",
        "u:p@/app",
        "u:p@ss/w:rd@tcp([::1]:3306)/",
        "tcp(db:3306)/app",
        "tcp4(db:3306)/app",
        "u:p@tcp/app",
        "u:p@unix/app",
    ],
)
def test_mysql(text: str) -> None:
    """URIs and what Go's driver takes are MySQL's."""
    assert isinstance(parse(text), MysqlDsn)


@pytest.mark.parametrize(
    "text",
    ["", "db.example:5432", "redis://u:hunter22@db", "sqlite:///hunter22", "jdbc:postgresql://h/d", "x=1"],
)
def test_neither(text: str) -> None:
    """Anything else is told what is expected, and not quoted."""
    with pytest.raises(DsnError, match=r"expected postgresql://.*mysql://") as caught:
        parse(text)
    assert "hunter22" not in str(caught.value)
