from __future__ import annotations

import pytest

from procwrap.core.secrets import without_passwords
from procwrap.probes.secrets import looks_secret, masked, secret_values, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:8080/ready", "http://localhost:8080/ready"),
        ("http://user:pass@host/x", "http://host/x"),
        ("http://user:p@ss@host:81/", "http://host:81/"),
        ("http://host/?a=1&api_key=abc&token=t", "http://host/?a=1&api_key=***&token=***"),
        ("http://host/?PASSWORD=x;y&b", "http://host/?PASSWORD=***&b"),
        ("http://[::1]:80/#secret", "http://[::1]:80/"),
    ],
)
def test_shown_url(url: str, shown: str) -> None:
    """A URL is shown without anything that opens a door."""
    assert shown_url(url) == shown


def test_without_passwords() -> None:
    """Passwords of URLs inside a text are hidden, each of them; addresses stay."""
    text = "tried mysql://root:x@db/ and http://a@b/c?mail=me@example.org then http://plain/"
    hidden = "tried mysql://***@db/ and http://***@b/c?mail=me@example.org then http://plain/"
    assert without_passwords(text) == hidden


def test_looks_secret() -> None:
    """Names that usually hold secrets are known in any case; ordinary ones stay readable."""
    assert all(map(looks_secret, ["DB_PASSWORD", "apiKey", "X-Auth-Token", "MYSQL_DSN", "pwd"]))
    assert not any(map(looks_secret, ["PORT", "verbose", "HOME", "LANG"]))


def test_masked() -> None:
    """Secrets are hidden wherever they stand, the longer first; short ones would hide every word."""
    assert masked("login hunter22 / hunter2 ok 1", ["hunter2", "hunter22", "1", ""]) == "login *** / *** ok 1"


def test_secret_values() -> None:
    """Only variables whose names look secret are hidden."""
    assert secret_values({"API_TOKEN": "t0ken", "PORT": "8080"}) == ["t0ken"]
