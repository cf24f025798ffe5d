"""How ``HEALTH_SOCKET`` is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.errors import UsageError
from procwrap.web.address import Described, Tcp, Unix, parse_address

PORTS = st.integers(0, 65535)


def understood(text: str) -> Tcp | Unix | Described | str:
    """Return the address, or what is wrong."""
    try:
        return parse_address(text)
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":8111", Tcp("", 8111)),
        ("127.0.0.1:80", Tcp("127.0.0.1", 80)),
        ("localhost:0", Tcp("localhost", 0)),
        ("my-host.example.:65535", Tcp("my-host.example.", 65535)),
        ("[::1]:8111", Tcp("::1", 8111)),
        ("[fe80::1%eth0]:80", Tcp("fe80::1%eth0", 80)),
        ("unix:/run/procwrap.sock", Unix("/run/procwrap.sock", 0o666)),
        ("unix:/run/procwrap.sock:mode=660", Unix("/run/procwrap.sock", 0o660)),
        ("unix:/run/procwrap.sock:0600:50:lockfile=0", Unix("/run/procwrap.sock", 0o600)),
        ("unix:address=/run/a:backlog=5", Unix("/run/a", 0o666)),
        (r"unix:/run/a\:b\\c", Unix("/run/a:b\\c", 0o666)),
        ("tcp:8111", Described("tcp:8111")),
        ("tcp:8111:interface=127.0.0.1", Described("tcp:8111:interface=127.0.0.1")),
        ("ssl:8443:privateKey=k.pem:certKey=c.pem", Described("ssl:8443:privateKey=k.pem:certKey=c.pem")),
        ("systemd:domain=INET:index=0", Described("systemd:domain=INET:index=0")),
    ],
)
def test_what_is_understood(text: str, address: object) -> None:
    """Ports, hosts with ports, and endpoint descriptions are each taken for what they are."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "8111", "localhost", "localhost:", "::1:8111", ":70000", ":-1", ":80 ", " :80", ":8O",
        "*:80", "[::1]", "[]:80", "a b:80", "unix:", "unix::mode=660", "unix:/a:mode=999", "unix:/a:mode=",
        "unix:/a:mode=-660", "unix:/a:color=red", "unix:/a\0", ":\N{ARABIC-INDIC DIGIT EIGHT}",
        "\n:80", ":80\n",
    ],
)  # fmt: skip
def test_what_is_not(text: str) -> None:
    """Everything else is a usage error of one line that names it."""
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    message = str(caught.value)
    assert message.startswith(f"HEALTH_SOCKET {text!r}: ")
    assert message.isprintable()


@given(PORTS)
def test_every_port(port: int) -> None:
    """Every port there is can be had, on all interfaces or one."""
    assert parse_address(f":{port}") == Tcp("", port)
    assert parse_address(f"[::1]:{port}") == Tcp("::1", port)


@given(st.integers(65536, 10**30))
def test_no_other_port(port: int) -> None:
    """What is no port is refused."""
    with pytest.raises(UsageError):
        parse_address(f":{port}")


@given(st.from_regex(r"/[a-z:\\ ]{1,20}", fullmatch=True), st.integers(0, 0o777))
def test_every_path(path: str, mode: int) -> None:
    """Every path can be written, with colons and backslashes escaped as Twisted's endpoints have it."""
    escaped = path.replace("\\", "\\\\").replace(":", "\\:")
    assert parse_address(f"unix:{escaped}:mode={mode:03o}") == Unix(path, mode)


@given(st.one_of(st.text(), st.from_regex(r"[a-z0-9:\[\].=\\/-]{0,12}", fullmatch=True)))
def test_any_text(text: str) -> None:
    """Any text is an address or a usage error of one printable line, never anything else."""
    found = understood(text)
    if isinstance(found, str):
        assert found.isprintable()
        assert len(found) < 1000
    else:
        assert isinstance(found, Tcp | Unix | Described)
