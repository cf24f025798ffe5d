from __future__ import annotations

from pathlib import Path

import pytest

from procwrap.client.commands import COMMANDS
from procwrap.client.target import Target, Tls, find
from procwrap.client.words import parse
from procwrap.config.controlpath import default_socket
from procwrap.errors import UsageError


def found(line: str = "", **environ: str) -> Target:
    """Find out where procwrap is."""
    return find(parse(COMMANDS["status"], line.split()), environ)


def refused(line: str = "", **environ: str) -> str:
    """Return why it cannot be found out."""
    with pytest.raises(UsageError) as caught:
        found(line, **environ)
    return str(caught.value)


@pytest.mark.parametrize("directory", [None, "", "/run/user/7", "/run/user/7/", "relative"])
def test_the_default_is_where_procwrap_puts_it(directory: str | None) -> None:
    """Client and host agree without a word."""
    environ = {} if directory is None else {"XDG_RUNTIME_DIR": directory}
    assert found(**environ).socket == default_socket(directory)


def test_the_option_goes_before_the_variable() -> None:
    """As everywhere."""
    assert found("--socket /a", PROCWRAP_CONTROL_SOCKET="/b").socket == "/a"
    assert found(PROCWRAP_CONTROL_SOCKET="/b").socket == "/b"
    assert found("--url http://h", PROCWRAP_CONTROL_SOCKET="off").socket is None


def test_no_control_socket_here() -> None:
    """The variable that takes it from procwrap takes it from the client."""
    assert "PROCWRAP_CONTROL_SOCKET is off" in refused(PROCWRAP_CONTROL_SOCKET="off")


def test_a_path_that_no_socket_can_have() -> None:
    """It says how long one may be."""
    assert "at most 107 bytes" in refused(f"--socket /{'é' * 54}")
    assert found(f"--socket /{'é' * 53}").socket


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://web-1:8111", ("web-1", 8111, "", None)),
        ("http://web-1/", ("web-1", 80, "", None)),
        ("https://[::1]:8443", ("::1", 8443, "", Tls())),
        ("https://h/pods/web-1/", ("h", 443, "/pods/web-1", Tls())),
    ],
)
def test_a_url(url: str, where: tuple[str, int, str, Tls | None]) -> None:
    """Scheme, host, port, and a path that stands before all others."""
    target = found(f"--url {url}")
    assert (target.host, target.port, target.prefix, target.tls) == where
    assert target.socket is None


@pytest.mark.parametrize(
    "url",
    [
        "web:8111",
        "ftp://web",
        "http://",
        "http://web:99999",
        "http://web:0",
        "http://web:x",
        "http://w?a=b",
        "http://[w",
        "http://ü",
    ],
)
def test_what_is_no_url(url: str) -> None:
    """One line shows what was expected."""
    assert "expected http://host:port or https://host:port" in refused(f"--url {url}")


def test_a_password_in_a_url_is_not_shown() -> None:
    """It is refused, for procwrap knows tokens alone."""
    assert "sesame" not in refused("--url http://me:sesame@web:8111")


def test_how_a_certificate_is_checked() -> None:
    """By the system's authorities, by a file's, or not at all."""
    assert found("--url https://h --cacert ca.pem").tls == Tls("ca.pem", True)
    assert found("--url https://h --insecure").tls == Tls(None, False)


def test_the_token_of_the_environment_is_for_tcp_alone() -> None:
    """Through the control socket nothing secret has to travel."""
    assert found(PROCWRAP_API_TOKEN="sesame").token is None
    assert found("--url http://h", PROCWRAP_API_TOKEN="sesame").token == "sesame"
    assert found("--url http://h", PROCWRAP_API_TOKEN="").token is None


def test_a_token_in_a_file(tmp_path: Path) -> None:
    """The blanks at its ends are no part; it goes before the variable, and an option before both."""
    file = tmp_path / "token"
    file.write_text(" of-file\n")
    environ = {"PROCWRAP_API_TOKEN": "of-variable", "PROCWRAP_API_TOKEN_FILE": str(file)}
    assert found("--url http://h", **environ).token == "of-file"
    assert found(f"--url http://h --token-file {file}").token == "of-file"
    assert found("--url http://h --token of-option", **environ).token == "of-option"


@pytest.mark.parametrize("content", ["", "two words", "two\nlines", "sesame\x00", "sesamé", "x" * 4097])
def test_a_file_that_holds_no_token(tmp_path: Path, content: str) -> None:
    """It could end the header or begin another one; the message does not show it."""
    file = tmp_path / "token"
    file.write_text(content)
    why = refused(f"--url http://h --token-file {file}")
    assert "holds no token" in why
    assert not content or content[:6] not in why


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    """The message names it."""
    assert f"cannot read the token in {tmp_path / name}: " in refused(
        f"--url http://h --token-file {tmp_path / name}"
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--socket /a --url http://h", "exclude each other"),
        ("--token a --token-file b --url http://h", "exclude each other"),
        ("--token a", "--token needs --url"),
        ("--insecure", "--insecure needs --url"),
        ("--url http://h --cacert ca.pem", "https://"),
    ],
)
def test_what_makes_no_sense_together(line: str, why: str) -> None:
    """It is said, and not silently left alone."""
    assert why in refused(line)


@pytest.mark.parametrize(
    ("line", "tells"),
    [
        ("--url http://web:8111 --token t", True),
        ("--url http://10.0.0.7 --token t", True),
        ("--url http://127.0.0.1:8111 --token t", False),
        ("--url http://[::1]:8111 --token t", False),
        ("--url http://localhost --token t", False),
        ("--url https://web --token t", False),
        ("--url http://web", False),
    ],
)
def test_a_token_that_others_could_read(line: str, tells: bool) -> None:
    """Over plain HTTP, to another machine."""
    assert found(line).tells_the_token is tells


def test_a_target_does_not_show_its_token() -> None:
    """Neither in a traceback nor in a message."""
    assert "sesame" not in repr(found("--url http://h --token sesame"))
