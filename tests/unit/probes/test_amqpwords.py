"""Why a connection over TLS is over, for a person at 3 a.m."""

from __future__ import annotations

import pytest
from OpenSSL import SSL
from pika.connection import Connection
from pika.exceptions import AMQPHeartbeatTimeout, ProtocolVersionMismatch
from twisted.internet.error import ConnectionLost

from procwrap.dsn.amqp import AmqpDsn, parse
from procwrap.probes.amqpwords import lost_words

DSN = parse("amqps://app:hunter2@localhost?cacertfile=/tls/ca.pem")


class VerificationError(Exception):
    """As service_identity's."""

    __module__ = "service_identity.exceptions"


def tls(reason: str) -> SSL.Error:
    """An error of OpenSSL: a list of (library, function, reason)."""
    return SSL.Error([("SSL routines", "", reason)])


def words(said: Exception | None, error: Exception | None = None, dsn: AmqpDsn = DSN) -> str:
    return lost_words(dsn, Connection.CONNECTION_PROTOCOL, said, error)


def test_authority() -> None:
    """A certificate that is not trusted: whose authorities were asked, and how to name another."""
    error = tls("certificate verify failed")
    assert words(None, error) == (
        "TLS failed: the certificate is expired, or not signed by an authority of cacertfile"
    )
    assert words(None, error, parse("amqps://localhost")).endswith(
        "of this system (name the authority with cacertfile)"
    )


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("wrong version number", "TLS failed: wrong version number (does this port speak plain amqp://?)"),
        ("tlsv1 alert unknown ca", "TLS failed: the broker says tlsv1 alert unknown ca"),
        ("unexpected eof", "TLS failed: unexpected eof"),
    ],
)
def test_reasons(reason: str, expected: str) -> None:
    """OpenSSL's reason is shown, with advice where there is some."""
    assert words(None, tls(reason)) == expected


def test_no_reason() -> None:
    """OpenSSL does not always have one."""
    assert words(None, SSL.Error()) == "TLS failed"


def test_name() -> None:
    """A certificate for another host: the name that was asked for."""
    assert words(None, VerificationError()) == "TLS failed: the certificate is not for localhost"
    named = parse("amqps://localhost?server_name_indication=mq.example")
    assert words(None, VerificationError(), named) == "TLS failed: the certificate is not for mq.example"


def test_other_ends() -> None:
    """What else may happen has words of its own, or at least a name."""
    assert words(AMQPHeartbeatTimeout()) == "no heartbeat from the broker"
    assert words(ProtocolVersionMismatch()) == "the server speaks another version of AMQP than 0-9-1"
    assert words(KeyError("hunter2")) == "not proper AMQP (KeyError)"
    assert words(None, OSError(113, "No route to host")) == "no route to host"
    assert words(None, ConnectionLost()) == "connection closed without an answer"
    assert words(None, RuntimeError("hunter2")) == "connection lost (RuntimeError)"


def test_certificate_login() -> None:
    """A refused login by certificate is not said to be one by password."""
    from pika.exceptions import ConnectionClosedByBroker

    dsn = parse("amqps://localhost?certfile=/tls/app.pem&auth_mechanism=external")
    refused = ConnectionClosedByBroker(403, "ACCESS_REFUSED - Login was refused using EXTERNAL")
    assert lost_words(dsn, Connection.CONNECTION_START, refused, None) == (
        "ACCESS_REFUSED: the broker knows no user for our certificate"
    )
