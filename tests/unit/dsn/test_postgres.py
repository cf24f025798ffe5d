from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from procwrap.dsn.libpq import DEFAULTS, KEYWORDS, VARIABLES
from procwrap.dsn.postgres import Host, PostgresDsn, filled, hosts, parse
from procwrap.dsn.problem import DsnError

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://", PostgresDsn()),
        ("postgres://db", PostgresDsn(host="db")),
        ("POSTGRES://u:p@db:5433/app", PostgresDsn("db", None, "5433", "u", "p", "app")),
        ("postgresql://u%40x:p%2F%25@[::1]:1/a%20b", PostgresDsn("::1", None, "1", "u@x", "p/%", "a b")),
        ("postgresql://u:p@ss@db/app", PostgresDsn("db", None, None, "u", "p@ss", "app")),
        ("postgresql://%2Frun%2Fpg:5/app", PostgresDsn("/run/pg", None, "5", dbname="app")),
        ("postgresql:///app?host=/run/pg&user=u", PostgresDsn("/run/pg", user="u", dbname="app")),
        ("postgresql://a,b:2/app", PostgresDsn("a,b", port=",2", dbname="app")),
        ("postgresql://db?ssl=true", PostgresDsn("db", others={"sslmode": "require"})),
        ("postgresql://db/?sslmode=disable&", PostgresDsn("db", others={"sslmode": "disable"})),
        ("host=db", PostgresDsn("db")),
        ("host = db user='x y'\tpassword='it\\'s \\\\'", PostgresDsn("db", user="x y", password="it's \\")),
        ("host=db password=a\\ b\\'c", PostgresDsn("db", password="a b'c")),
        ("host=db password=''", PostgresDsn("db")),
        (" ", PostgresDsn()),
    ],
)
def test_parse(text: str, expected: PostgresDsn) -> None:
    """URIs and keywords mean what they mean to libpq."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("postgresql://h/d?pool_size=3", "parameter 'pool_size' is not one"),
        ("postgresql://h/d?service=x", "parameter 'service' is not one"),
        ("postgresql://h/d?sslmode", "parameter 'sslmode' is not one"),
        ("postgresql://h:70000/d", "expected a port from 1 to 65535"),
        ("postgresql://h:0/d", "expected a port from 1 to 65535"),
        ("postgresql://u:70000/d", "expected a port from 1 to 65535; write special characters"),
        ("postgresql://u:12/ss@h/d", "expected no @ behind the host; write special characters"),
        ("postgresql://u:1?w=1@h/d", "expected no @ behind the host"),
        ("postgresql://u:100%@h/d", "write % itself as %25"),
        ("postgresql://u:%00@h/d", "write % itself as %25"),
        ("postgresql://u:%ff@h/d", "write % itself as %25"),
        ("postgresql://u:p@[::1/d", "an IPv6 address in brackets"),
        ("postgresql://u:p@::1/d", "an IPv6 address in brackets"),
        ("host=db pass=x", "a keyword is not one"),
        ("host=db password=hunter 22", "expected keyword=value"),
        ("host=db password='hunter22", "expected keyword=value"),
        ("host=db port=abc", "expected a port"),
        ("host=a,b,c port=1,2", "as many ports and addresses as hosts"),
        ("host=" + ",".join("abcdefghi"), "expected at most 8 hosts, got 9"),
    ],
)
def test_problems(text: str, words: str) -> None:
    """What is wrong is said, and what is right instead."""
    with pytest.raises(DsnError, match=words):
        parse(text)


@given(ANY_TEXT)
def test_every_password(password: str) -> None:
    """Any password arrives as it is, percent-encoded in a URI and quoted among keywords."""
    escaped = password.replace("\\", "\\\\").replace("'", "\\'")
    assert parse(f"postgresql://u:{quote(password, safe='')}@h/d").password == password
    assert parse(f"host=h password='{escaped}' user=u").password == password


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8))
def test_a_careless_password_is_never_shown(rest: str) -> None:
    """A password that nobody encoded is read or refused, and no message has a piece of it."""
    for text in (f"postgresql://u:77{rest}Zz9@h/d", f"host=h user=u password=77{rest}Zz9"):
        try:
            said = repr(parse(text))
        except DsnError as error:
            said = str(error)
        assert not {"77", "Zz9"} & set(re.findall("77|Zz9", said)), text


def test_repr_has_no_secret() -> None:
    """The password and parameters such as sslpassword are not in the repr."""
    assert "s3cret" not in repr(parse("postgresql://u:s3cret1@h/d?sslpassword=s3cret2"))
    assert [a.name for a in fields(PostgresDsn) if a.metadata.get("secret")] == ["password", "others"]


def test_hosts() -> None:
    """Several hosts share one port, or have one each; an address may stand beside a name."""
    assert hosts(PostgresDsn()) == (Host("", 5432),)
    assert hosts(parse("postgresql://a:1,b")) == (Host("a", 1), Host("b", 5432))
    assert hosts(parse("host=a,b port=7")) == (Host("a", 7), Host("b", 7))
    assert hosts(parse("host=a hostaddr=192.0.2.1")) == (Host("a", 5432, "192.0.2.1"),)


@pytest.mark.parametrize(
    ("host", "is_local", "shown"),
    [
        (Host("db", 1), False, "db:1"),
        (Host("::1", 1), False, "[::1]:1"),
        (Host("", 1), True, "local:1"),
        (Host("/run/pg", 1), True, "/run/pg:1"),
        (Host("@pg", 1), True, "@pg:1"),
        (Host("", 1, "192.0.2.1"), False, "192.0.2.1:1"),
    ],
)
def test_host(host: Host, is_local: bool, shown: str) -> None:
    """A directory is a Unix socket, and so is no host at all."""
    assert (host.is_local, str(host)) == (is_local, shown)


def test_variables_fill_what_is_open() -> None:
    """Variables of libpq count where the connection string says nothing; empty ones do not."""
    environment = {"PGUSER": "env", "PGPASSWORD": "pw", "PGPORT": "7", "PGSSLMODE": "require", "PGHOST": ""}
    dsn = filled(parse("postgresql://own@db/app?sslrootcert=x"), environment)
    assert (dsn.user, dsn.password, dsn.host, dsn.port, dsn.dbname) == ("own", "pw", "db", "7", "app")
    assert dsn.others == {**DEFAULTS, "sslmode": "require", "sslrootcert": "x"}


def test_the_connection_string_wins() -> None:
    """What the connection string says is not changed by a variable."""
    everything = dict.fromkeys(VARIABLES.values(), "9")
    said = dict.fromkeys(VARIABLES, "1")
    dsn = filled(parse(" ".join(f"{word}={text}" for word, text in said.items())), everything)
    own = {word: getattr(dsn, word) for word in ("host", "hostaddr", "port", "user", "password", "dbname")}
    assert {**own, **dsn.others} == said


def test_tables_agree() -> None:
    """Every default and every variable belongs to a known setting."""
    assert DEFAULTS.keys() <= VARIABLES.keys() <= KEYWORDS
