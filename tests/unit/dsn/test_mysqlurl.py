from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.dsn.mysql import parse
from procwrap.dsn.mysqlparts import MysqlDsn, Tls
from procwrap.dsn.problem import DsnError

SECRET = "s3cr3t-w0rd"
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mysql://", MysqlDsn()),
        ("MySQL://db", MysqlDsn(host="db")),
        ("mariadb://app@db:3307/", MysqlDsn("app", host="db", port=3307)),
        ("mysql://app:p%40ss@db/shop", MysqlDsn("app", "p@ss", "db", database="shop")),
        ("mysql://app:p@ss@db/shop", MysqlDsn("app", "p@ss", "db", database="shop")),
        ("mysql://app:a+b@[::1]:3307/a%2Fb", MysqlDsn("app", "a+b", "::1", 3307, database="a/b")),
        ("mysql://app@/shop?socket=%2Frun%2Fm.sock", MysqlDsn("app", socket="/run/m.sock", database="shop")),
        ("mysql://app@db/?unix_socket=/run/m.sock", MysqlDsn("app", host="db", socket="/run/m.sock")),
        ("mysql://app@%2Frun%2Fm.sock/shop", MysqlDsn("app", socket="/run/m.sock", database="shop")),
    ],
)  # fmt: skip
def test_urls(text: str, expected: MysqlDsn) -> None:
    """Everything in a URL is escaped; what is left out is as in Go's form."""
    assert parse(text) == expected


@given(user=TEXT, password=TEXT, database=TEXT)
def test_whatever_is_escaped(user: str, password: str, database: str) -> None:
    """User, password and database may be anything."""
    made = parse(f"mysql://{quote(user, '')}:{quote(password, '')}@db/{quote(database, '')}?tls=true")
    assert (made.user, made.password, made.database) == (user, password, database)
    assert made.options.tls is Tls.VERIFY_FULL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"mysql://app:{SECRET}#x@db/shop", "has a # (in a user or password, / ? # @ : % are written"),
        (f"mysql://app:{SECRET}/x@db/shop", "has a / after the name of the database (in a user or"),
        (f"mysql://app:{SECRET}?x@db/shop", "the port is not a number from 1 to 65535 (in a user or"),
        (f"mysql://app:{SECRET}%@db/shop", "the password has a % without two hexadecimal digits"),
        (f"mysql://app:{SECRET}%ff@db/shop", "the escaped characters of the password are not UTF-8"),
        (f"mysql://app:{SECRET}@d b/shop", "the address is malformed"),
        (f"mysql://app:{SECRET}@db/a/b", "has a / after the name of the database"),
        (f"mysql://app:{SECRET}@db/shop?tls=true&pool={SECRET}", "parameter 2 is not known: expected one of"),
        (f"mysql://app:{SECRET}@db/shop?socket=x&{SECRET}=1", "the path of the socket does not begin"),
        (f"mysql://app:{SECRET}@db/shop?socket=/x&{SECRET}=1", "parameter 2 is not known"),
    ],
)  # fmt: skip
def test_problems(text: str, said: str) -> None:
    """A malformed one is told by its part, without anything of it."""
    with pytest.raises(DsnError) as problem:
        parse(text)
    assert said in str(problem.value)
    assert SECRET not in str(problem.value)
