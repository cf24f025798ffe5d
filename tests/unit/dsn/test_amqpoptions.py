"""The parameters of AMQP URIs: honoured, accepted or refused by name."""

from __future__ import annotations

import pytest

from procwrap.dsn.amqp import parse
from procwrap.dsn.amqpoptions import DEFAULTS, Options
from procwrap.dsn.problem import DsnError


def options(query: str, scheme: str = "amqps") -> Options:
    return parse(f"{scheme}://host/?{query}").options


def test_defaults() -> None:
    """Without parameters: PLAIN, the broker's own limits, verified by the system's authorities."""
    assert options("") == DEFAULTS
    assert (DEFAULTS.mechanism, DEFAULTS.heartbeat, DEFAULTS.verify) == ("PLAIN", None, True)
    assert (DEFAULTS.channel_max, DEFAULTS.frame_max) == (0, 131072)


def test_limits() -> None:
    """heartbeat, channel_max and frame_max are honoured; a frame is never larger than RabbitMQ's own."""
    found = options("heartbeat=0&channel_max=12&frame_max=4096", "amqp")
    assert (found.heartbeat, found.channel_max, found.frame_max) == (0, 12, 4096)
    assert options("frame_max=0").frame_max == options("frame_max=999999").frame_max == 131072


def test_tls() -> None:
    """The files, the name and the verification are what the parameters say."""
    found = options(
        "cacertfile=/ca&certfile=/crt&keyfile=/key&password=a%26b&verify=verify_none&server_name_indication=mq"
    )
    assert (found.ca_file, found.certificate_file, found.key_file) == ("/ca", "/crt", "/key")
    assert (found.key_password, found.verify, found.server_name) == ("a&b", False, "mq")
    assert options("verify=verify_peer").verify


@pytest.mark.parametrize(
    ("query", "mechanism"),
    [
        ("auth_mechanism=plain", "PLAIN"),
        ("auth_mechanism=PLAIN", "PLAIN"),
        ("auth_mechanism=external&certfile=/c", "EXTERNAL"),
        ("auth_mechanism=amqplain&auth_mechanism=external&auth_mechanism=plain&certfile=/c", "EXTERNAL"),
    ],
)
def test_mechanism(query: str, mechanism: str) -> None:
    """The first mechanism that we speak is taken."""
    assert options(query).mechanism == mechanism


def test_accepted_without_effect() -> None:
    """What RabbitMQ's own client knows and a probe has no use for is no error."""
    assert options("connection_timeout=5000&depth=2&fail_if_no_peer_cert=true") == DEFAULTS


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("heartbeat=x7y", "the parameter heartbeat: expected a whole number from 0 to 65535"),
        ("heartbeat=70000", "the parameter heartbeat: expected a whole number from 0 to 65535"),
        ("heartbeat=", "the parameter heartbeat: expected a whole number"),
        ("heartbeat=1&heartbeat=2", "expected the parameter heartbeat only once"),
        ("channel_max=-1", "the parameter channel_max: expected a whole number"),
        ("frame_max=4095", "the parameter frame_max: expected 0 or at least 4096"),
        ("connection_timeout=5s", "the parameter connection_timeout: expected a whole number"),
        ("verify=x7y", "the parameter verify: expected verify_peer or verify_none"),
        ("fail_if_no_peer_cert=1", "the parameter fail_if_no_peer_cert: expected true or false"),
        ("cacertfile=", "the parameter cacertfile: expected the path of a file"),
        ("server_name_indication=disable", "verify=verify_none checks none"),
        ("auth_mechanism=x7y", "the parameter auth_mechanism: expected plain or external"),
        ("auth_mechanism=external", "expected certfile too"),
        ("keyfile=/k", "expected certfile too"),
        ("hartbeat=5", "unknown parameter hartbeat: expected one of auth_mechanism, heartbeat,"),
        ("x7y!=5", "unknown parameter of some other kind"),
    ],
)
def test_problems(query: str, expected: str) -> None:
    """A wrong parameter is named, its value is not."""
    with pytest.raises(DsnError) as raised:
        options(query)
    assert expected in str(raised.value)
    assert "x7y" not in str(raised.value)


def test_tls_needs_amqps() -> None:
    """Who names an authority means TLS, and is not left without."""
    with pytest.raises(DsnError, match="the parameter cacertfile is for amqps:// only"):
        options("cacertfile=/ca", "amqp")
