"""AMQP URIs: what they mean, and that what is wrong with one never quotes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.dsn.amqp import parse, with_login
from procwrap.dsn.problem import DsnError


def parts(text: str) -> tuple[str, str, str, int, str]:
    """User, password, host, port and virtual host."""
    dsn = parse(text)
    return dsn.user, dsn.password, dsn.host, dsn.port, dsn.vhost


@pytest.mark.parametrize(
    ("text", "user", "password", "host", "port", "vhost"),
    [
        # The table of Go's amqp091-go, which configs with an AMQP probe come from.
        ("amqp://user:pass@host:10000/vhost", "user", "pass", "host", 10000, "vhost"),
        ("amqp://", "guest", "guest", "localhost", 5672, "/"),
        ("amqp://:@/", "", "", "localhost", 5672, "/"),
        ("amqp://user@", "user", "guest", "localhost", 5672, "/"),
        ("amqp://user:pass@", "user", "pass", "localhost", 5672, "/"),
        ("amqp://host", "guest", "guest", "host", 5672, "/"),
        ("amqp://:10000", "guest", "guest", "localhost", 10000, "/"),
        ("amqp:///vhost", "guest", "guest", "localhost", 5672, "vhost"),
        ("amqp://host/", "guest", "guest", "host", 5672, "/"),
        ("amqp://host/%2F", "guest", "guest", "host", 5672, "/"),
        ("amqp://host/%2F%2F", "guest", "guest", "host", 5672, "//"),
        ("amqp://host/%2Fslash%2F", "guest", "guest", "host", 5672, "/slash/"),
        ("amqp://192.168.1.1:1000/", "guest", "guest", "192.168.1.1", 1000, "/"),
        ("amqp://[::1]", "guest", "guest", "::1", 5672, "/"),
        ("amqp://[::1]:1000", "guest", "guest", "::1", 1000, "/"),
        ("amqp://[fe80::1%25en0]", "guest", "guest", "fe80::1%en0", 5672, "/"),
        ("amqps:///", "guest", "guest", "localhost", 5671, "/"),
        ("amqps://host:1000/", "guest", "guest", "host", 1000, "/"),
        # The specification's own example, and more.
        ("amqp://user%61:%61pass@ho%61st:10000/v%2fhost", "usera", "apass", "hoast", 10000, "v/host"),
        ("AMQP://host/a/b", "guest", "guest", "host", 5672, "a/b"),
        ("amqp://us%C3%A9r:p%40%3A%2F@host/caf%C3%A9", "usér", "p@:/", "host", 5672, "café"),
        ("amqp://user:p@ss:word@host", "user", "p@ss:word", "host", 5672, "/"),
        ("amqp://host:/v", "guest", "guest", "host", 5672, "v"),
    ],
)
def test_parts(text: str, user: str, password: str, host: str, port: int, vhost: str) -> None:
    """Each part is found, percent-decoded, or has its default."""
    assert parts(text) == (user, password, host, port, vhost)


def test_tls() -> None:
    """The scheme amqps is TLS, and verified unless told otherwise."""
    assert not parse("amqp://host").secure
    dsn = parse("amqps://host?cacertfile=/tls/ca%20file.pem&heartbeat=5")
    assert dsn.secure
    assert dsn.options.verify
    assert (dsn.options.ca_file, dsn.options.heartbeat) == ("/tls/ca file.pem", 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected amqp://user:password@host"),
        ("localhost:5672", "expected amqp://user:password@host"),
        ("http://app:hunter2@host/", "expected amqp://user:password@host"),
        ("amqp:/app:hunter2@host", "expected amqp://user:password@host"),
        ("amqp://app:hunter2@host/ -port=1", "a space is written %20"),
        ("amqp://app:hunter2@host\n", "no control characters"),
        ("amqp://app:hunter2/x@host", "behind the host; is any of @ : / ? # in the user or password"),
        ("amqp://app:hunter2/v", "a port from 1 to 65535; is any of @ : / ? # in the user or password"),
        ("amqp://app:hunter2?x@host", "expected no @ behind the host"),
        ("amqp://app:hunter@2/x@host", "expected no @ behind the host"),
        ("amqp://app:hunter2#x@host", "expected no #"),
        ("amqp://app:hunter2@host:0", "a port from 1 to 65535"),
        ("amqp://app:hunter2@host:65536", "a port from 1 to 65535"),
        ("amqp://app:hunter2@host:²", "a port from 1 to 65535"),
        ("amqp://app:hunter2@::1:5672", "an IPv6 address in brackets"),
        ("amqp://app:hunter2@[::1", "an IPv6 address in brackets"),
        ("amqp://app:hunter2@[::1]5672", "an IPv6 address in brackets"),
        ("amqp://app:hunter2@[host]", "an IPv6 address in brackets"),
        ("amqp://%v:hunter2@host", "two hexadecimal digits behind each %"),
        ("amqp://app:hunter2%@host", "a % itself is written %25"),
        ("amqp://app:hunter2@host/%ff", "expected UTF-8"),
        ("amqp://app:hunter2%00@host", "no NUL"),
        ("amqp://app:hunter2@host/" + "v" * 256, "at most 255 bytes"),
        ("amqp://app:12?hunter2&a=1@host", "expected no @ behind the host"),
    ],
)
def test_problems(text: str, expected: str) -> None:
    """What is wrong is told with what is right, and without the password."""
    with pytest.raises(DsnError) as raised:
        parse(text)
    assert expected in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_login_is_taken_as_it_is() -> None:
    """A login from elsewhere needs no encoding, whatever it is made of."""
    dsn = with_login(parse("amqp://host/v"), "us@er", "p:/?#%41 ")
    assert (dsn.user, dsn.password, dsn.vhost) == ("us@er", "p:/?#%41 ", "v")
    with pytest.raises(DsnError, match="NUL"):
        with_login(dsn, "a\0b", "c")


def test_password_is_not_shown() -> None:
    """Neither the password nor that of the key is in the record's repr."""
    dsn = parse("amqps://app:hunter2@host?certfile=/c&password=sesame")
    assert dsn.options.key_password == "sesame"
    assert "hunter2" not in repr(dsn)
    assert "sesame" not in repr(dsn)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Whatever somebody writes is a DSN or a DsnError of one line."""
    for given_text in (text, f"amqp://{text}", f"amqps://host/?{text}"):
        assert result(given_text).isprintable()


@given(st.text(alphabet="@:/?#%&=[]. aZ", min_size=1).map(lambda text: f"S3cr{text}eT9"))
def test_no_part_of_a_password_is_quoted(password: str) -> None:
    """A password that was not encoded breaks the URI, and is still not shown."""
    shown = result(f"amqp://app:{password}@localhost:5672/v?heartbeat=5")
    assert "S3cr" not in shown
    assert "eT9" not in shown


def result(text: str) -> str:
    """What can be seen of a DSN, or of its problem."""
    try:
        return repr(parse(text))
    except DsnError as error:
        return str(error)
