from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.config import units
from procwrap.config.problem import WrongValueError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10.0),
        ("2m0s", 120.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("+3s", 3.0),
        ("-0s", 0.0),
        ("0", 0.0),
        ("+0", 0.0),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    """A duration is read as Go's ParseDuration reads it."""
    assert units.duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250us", 0.00025), ("250\u00b5s", 0.00025), ("250\u03bcs", 0.00025), ("7ns", 7e-9), ("1m30s", 90.0)],
)
def test_small_duration(text: str, seconds: float) -> None:
    """Both letters that look like µ are known."""
    assert units.duration(text) == pytest.approx(seconds)


DURATION = "expected a duration such as 10s or 1m30s, got "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10", "10: a bare number has no unit"),
        ("-1.5", "-1.5: a bare number has no unit"),
        ("", '""'),
        ("s", '"s"'),
        ("10 s", '"10 s"'),
        ("10sec", '"10sec"'),
        ("1d", '"1d"'),
        ("-5s", '"-5s": it is less than nothing'),
        ("2600000h", '"2600000h": it is longer than 292 years'),
        ("٣s", '"٣s"'),
        ("10s\n", '"10s\\n"'),
        ("1s" * 51, f'"{"1s" * 30}…"'),
    ],
)
def test_wrong_duration(text: str, message: str) -> None:
    """A wrong duration is named as it was written, and a bare number is called one."""
    with pytest.raises(WrongValueError) as caught:
        units.duration(text)
    assert str(caught.value) == DURATION + message


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4096", 4096),
        ("0", 0),
        ("256Ki", 262144),
        ("10Mi", 10485760),
        ("1Gi", 2**30),
        ("1Ti", 2**40),
        ("10M", 10_000_000),
        ("2k", 2000),
        ("2K", 2000),
        ("2ki", 2048),
    ],
)
def test_size(text: str, number: int) -> None:
    """Sizes are written as in Kubernetes."""
    assert units.size(text) == number


@pytest.mark.parametrize("text", ["10MB", "1.5Gi", "-1", "", "Ki", "1e3"])
def test_wrong_size(text: str) -> None:
    """A wrong size is named with what would be right."""
    with pytest.raises(
        WrongValueError, match=r"^expected a size such as 10Mi, 256Ki or 4096 \(bytes\), got "
    ):
        units.size(text)


def test_size_that_no_computer_has() -> None:
    """A size fits into 63 bits, as setrlimit(2) wants it."""
    with pytest.raises(WrongValueError) as caught:
        units.size("99999999Ti")
    assert str(caught.value) == 'expected at most 9223372036854775807 bytes, got "99999999Ti"'


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("-3", -3),
        ("1_000", 1000),
        ("0x10", 16),
        ("0o17", 15),
        ("1e+02", 100),
        ("3.0", 3),
        ("-0", 0),
    ],
)
def test_whole_number(text: str, number: int) -> None:
    """Whole numbers may be written in any way that is not ambiguous, that of Helm included."""
    assert units.whole_number(text, -10, 1000) == number


@pytest.mark.parametrize("text", ["1.5", "010", "1001", "-11", "1e400", "ten", "", ".inf", "9" * 5000])
def test_wrong_whole_number(text: str) -> None:
    """A fraction, a leading zero (octal, or not?) and a number out of bounds are refused."""
    with pytest.raises(WrongValueError, match=r"^expected a whole number from -10 to 1000, got "):
        units.whole_number(text, -10, 1000)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SIGTERM", 15),
        ("TERM", 15),
        ("term", 15),
        ("15", 15),
        ("SIGRTMIN+3", 37),
        ("RTMAX-1", 63),
        ("SIGHUP", 1),
    ],
)
def test_signal(text: str, number: int) -> None:
    """A signal goes by its name, with or without SIG, or by its number."""
    assert units.signal_number(text) == number


@pytest.mark.parametrize("text", ["SIGFOO", "0", "65", "-15", "", "SIG", "SIGRTMIN+40", "1000", "SIG_DFL"])
def test_wrong_signal(text: str) -> None:
    """What is no signal of this system is refused."""
    with pytest.raises(WrongValueError, match=r"^expected a signal such as SIGTERM or 15, got "):
        units.signal_number(text)


@pytest.mark.parametrize(("text", "bits"), [("027", 0o27), ("0o27", 0o27), ("0", 0), ("0777", 0o777)])
def test_umask(text: str, bits: int) -> None:
    """A umask is octal, and says so with its leading zero."""
    assert units.umask(text) == bits


@pytest.mark.parametrize("text", ["27", "0888", "01777", "", "0x1f"])
def test_wrong_umask(text: str) -> None:
    """A umask that could be decimal is refused rather than guessed."""
    with pytest.raises(WrongValueError, match=r'^expected octal digits such as "027", got '):
        units.umask(text)


@pytest.mark.parametrize(
    ("text", "who"), [("0", 0), ("1000", 1000), ("www-data", "www-data"), ("host$", "host$")]
)
def test_account(text: str, who: int | str) -> None:
    """A user is a number or a name."""
    assert units.account(text) == who


@pytest.mark.parametrize("text", ["-1", "4294967295", "a b", "", "a:b", "007", "²"])
def test_wrong_account(text: str) -> None:
    """-1, which setuid(2) takes for "leave it", is no user; nor is a name with a colon."""
    with pytest.raises(WrongValueError, match=r"^expected a "):
        units.account(text)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        (":80", ("localhost", 80)),
        ("[::1]:80", ("::1", 80)),
        ("db.svc:5432", ("db.svc", 5432)),
    ],
)
def test_host_port(text: str, pair: tuple[str, int]) -> None:
    """A port alone is one of this host; IPv6 addresses stand in brackets."""
    assert units.host_port(text) == pair


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("5673", "5673"),
        ("host", '"host"'),
        ("host:0", '"host:0"'),
        ("host:65536", '"host:65536"'),
        ("http://host:80", '"http://host:80"'),
        ("::1:80", '"::1:80"; an IPv6 address stands in brackets'),
        ("", '""'),
    ],
)
def test_wrong_host_port(text: str, got: str) -> None:
    """A wrong address is shown, and an IPv6 address without brackets explained."""
    with pytest.raises(WrongValueError) as caught:
        units.host_port(text)
    assert str(caught.value) == f'expected "host:port", got {got}'


@pytest.mark.parametrize(
    "text", [":8111", ":0", "127.0.0.1:8111", "unix:/run/p.sock", "ssl:8443:privateKey=k"]
)
def test_listen_address(text: str) -> None:
    """Ports, addresses and endpoint strings pass; the web floor knows the rest."""
    assert units.listen_address(text) == text


@pytest.mark.parametrize("text", ["8111", "", ":70000", "localhost"])
def test_wrong_listen_address(text: str) -> None:
    """A bare port, the likeliest slip, is refused with what is right."""
    with pytest.raises(WrongValueError, match=r'^expected ":port", "host:port" or an endpoint such as '):
        units.listen_address(text)


@pytest.mark.parametrize("text", ["1", "true", "True", "YES", "on", "enabled"])
def test_on(text: str) -> None:
    """All the usual words switch on."""
    assert units.switch(text) is True


@pytest.mark.parametrize("text", ["0", "false", "False", "NO", "off", "disabled"])
def test_off(text: str) -> None:
    """All the usual words switch off."""
    assert units.switch(text) is False


def test_neither_on_nor_off() -> None:
    """Any other word is an error, not a silent off."""
    with pytest.raises(WrongValueError) as caught:
        units.switch("maybe")
    assert str(caught.value) == 'expected on or off (or true, false, 1, 0, yes, no), got "maybe"'


@given(st.text(max_size=30))
def test_any_text(text: str) -> None:
    """Whatever the text, a unit is a value or a WrongValueError of one line."""
    parsers = (
        units.duration,
        units.size,
        units.signal_number,
        units.umask,
        units.account,
        units.host_port,
        units.listen_address,
        units.switch,
        lambda given: units.whole_number(given, 0, 9),
    )
    for parse in parsers:
        message = ""
        try:
            parse(text)
        except WrongValueError as error:
            message = str(error)
        assert message.isprintable()
