from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.dsn.mysql import parse
from procwrap.dsn.mysqlparts import MysqlDsn, MysqlOptions
from procwrap.dsn.problem import DsnError

SECRET = "s3cr3t-w0rd"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/", MysqlDsn()),
        ("/shop", MysqlDsn(database="shop")),
        ("app@/shop", MysqlDsn("app", database="shop")),
        ("app:pw@/", MysqlDsn("app", "pw")),
        ("app:pw@tcp/shop", MysqlDsn("app", "pw", database="shop")),
        ("app:pw@tcp(db)/shop", MysqlDsn("app", "pw", "db", database="shop")),
        ("app:pw@tcp(db:3307)/shop", MysqlDsn("app", "pw", "db", 3307, database="shop")),
        ("tcp(:3307)/", MysqlDsn(port=3307)),
        ("app@tcp([::1]:3307)/", MysqlDsn("app", host="::1", port=3307)),
        ("app@tcp([de:ad:be:ef::ca:fe])/", MysqlDsn("app", host="de:ad:be:ef::ca:fe")),
        ("app@tcp6(::1)/", MysqlDsn("app", host="::1")),
        ("app@unix/", MysqlDsn("app", socket="/tmp/mysql.sock")),
        ("app:a:b@unix(/run/my sql@d.sock)/", None),
        ("app:a:b@unix(/run/mysqld.sock)/x", MysqlDsn("app", "a:b", socket="/run/mysqld.sock", database="x")),
        ("app:a@b/c(d)?e@tcp(db:1)/x", MysqlDsn("app", "a@b/c(d)?e", "db", 1, database="x")),
        (":pw@tcp(db:1)/", MysqlDsn("", "pw", "db", 1)),
        ("/a%2Fb%20%3F?x=1", MysqlDsn(database="a/b ?", options=MysqlOptions(variables=(("x", "1"),)))),
    ],
)
def test_go_form(text: str, expected: MysqlDsn | None) -> None:
    """What Go's driver understands is understood the same way, even an @ in an address."""
    if expected is None:
        with pytest.raises(DsnError):
            parse(text)
    else:
        assert parse(text) == expected


@given(
    user=st.text(st.characters(exclude_characters=":\0", exclude_categories=["Cs"])),
    password=st.text(),
    place=st.sampled_from(["tcp(db:3306)", "unix(/run/mysqld.sock)"]),
)
def test_any_password(user: str, password: str, place: str) -> None:
    """A password may hold any character without being escaped."""
    made = parse(f"{user}:{password}@{place}/shop?tls=true")
    assert (made.user, made.password, made.database) == (user, password, "shop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: expected user:password@tcp"),
        (f"app:{SECRET}@tcp(db)", "has no /"),
        (f"app:{SECRET}@db:3306/shop", "neither tcp(host:port) nor unix(/path)"),
        (f"app:{SECRET}/shop", "neither tcp(host:port) nor unix(/path)"),
        (f"app:{SECRET}@udp(db:3306)/shop", "neither tcp(host:port) nor unix(/path)"),
        (f"app:{SECRET}@(db:3306)/shop", "neither tcp(host:port) nor unix(/path)"),
        (f"app:{SECRET}@tcp(db:3306/shop", "no ) at its end"),
        (f"app:{SECRET}@tcp(db:3306)/shop?loc=US/Pacific", "perhaps a / in a parameter is not written %2F"),
        (f"app:{SECRET}@/shop?loc=US/Pacific", "perhaps a / in a parameter is not written %2F"),
        (f"app:{SECRET}@tcp(db:mysql)/", "the port is not a number from 1 to 65535"),
        (f"app:{SECRET}@tcp(db:0)/", "the port is not a number from 1 to 65535"),
        (f"app:{SECRET}@tcp(db:65536)/", "the port is not a number from 1 to 65535"),
        (f"app:{SECRET}@tcp(db:٣٣)/", "the port is not a number from 1 to 65535"),
        (f"app:{SECRET}@tcp([::1)/", "the address is not closed"),
        (f"app:{SECRET}@tcp([::1]3306)/", "the address is not closed"),
        (f"app:{SECRET}@tcp(d b)/", "the address is malformed"),
        (f"app:{SECRET}@unix(run.sock)/", "the path of the socket does not begin with a /"),
        (f"app:{SECRET}@tcp(db)/100%", "the name of the database has a % without two hexadecimal digits"),
        (f"app:{SECRET}@tcp(db)/%ff", "the escaped characters of the name of the database are not UTF-8"),
        (f"app:{SECRET}@tcp(db)/a%00b", "the database holds a NUL character"),
        (f"a\0pp:{SECRET}@tcp(db)/", "the user holds a NUL character"),
    ],
)
def test_problems(text: str, said: str) -> None:
    """A malformed one is told by its part, without anything of it."""
    with pytest.raises(DsnError) as problem:
        parse(text)
    assert said in str(problem.value)
    assert SECRET not in str(problem.value)


@given(st.text())
def test_nothing_else_is_raised(text: str) -> None:
    """Whatever is given: it is understood, or it is a DsnError."""
    for form in (text, f"mysql://{text}", f"app:pw@tcp(db)/{text}", f"mysql://app:pw@db/{text}"):
        with suppress(DsnError):
            assert isinstance(parse(form), MysqlDsn)


def test_the_password_is_not_shown() -> None:
    """Neither it nor the values of variables are in the repr, which tracebacks and logs show."""
    shown = repr(parse(f"app:{SECRET}@tcp(db)/shop?x='{SECRET}'"))
    assert SECRET not in shown
    assert "'app'" in shown
