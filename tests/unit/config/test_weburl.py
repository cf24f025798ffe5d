from __future__ import annotations

import pytest

from procwrap.config.problem import WrongValueError
from procwrap.config.weburl import server_url, without_login

EXAMPLE = "http://server:1"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://es", "http://es"),
        ("https://es:9200/", "https://es:9200"),
        ("https://u:p%40@es:9200/behind/a/proxy/", "https://u:p%40@es:9200/behind/a/proxy"),
        ("http://[::1]:9200", "http://[::1]:9200"),
        ("http://u:größe@es", "http://u:größe@es"),
        ("http://:9200", "http://localhost:9200"),
        ("http://u:p@:9200", "http://u:p@localhost:9200"),
    ],
)
def test_servers(text: str, url: str) -> None:
    """Paths can be added to what comes out; a port alone is this host's."""
    assert server_url(text, EXAMPLE) == url


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("es:9200", "does not begin with http:// or https://"),
        ("ftp://u:hunter2@es", "does not begin with http:// or https://"),
        ("http://u:hunter2@", "has no host, or white space in it"),
        ("http://u:hunter2@e s", "has no host, or white space in it"),
        ("http://u:hunter2@es:0", "has no host, or white space in it"),
        ("http://u:hunter2@es:port", "'s host or port is malformed"),
        ("http://[u:hunter2", "'s host or port is malformed"),
        ("http://es/?password=hunter2", "has something behind its path"),
        ("http://u:hunter2@größe", "has letters that no URL can hold"),
        ("http://es/#hunter2", "has something behind its path"),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    """The message says what is wrong, and shows nothing of what may be a password."""
    with pytest.raises(WrongValueError) as caught:
        server_url(text, EXAMPLE)
    said = str(caught.value)
    assert said.startswith(f"expected a URL such as {EXAMPLE}; this one")
    assert said.endswith(message)
    assert "hunter2" not in said


def test_without_user_and_password() -> None:
    """Everything else stays."""
    assert without_login("http://u:p@es:1/x") == "http://es:1/x"
    assert without_login("http://es:1/x") == "http://es:1/x"
