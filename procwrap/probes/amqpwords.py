"""Why an AMQP connection could not be opened or did not stay open, for a person at 3 a.m."""

from __future__ import annotations

from typing import Any

from pika.connection import Connection
from pika.exceptions import (
    AMQPHeartbeatTimeout,
    AuthenticationError,
    ConnectionClosedByBroker,
    ProtocolVersionMismatch,
)
from twisted.internet.error import ConnectionClosed

from procwrap.dsn.amqp import GUEST, AmqpDsn
from procwrap.probes.secrets import masked
from procwrap.probes.wording import one_line, trouble

QUOTED = 40
"""Characters of a stranger's first line that are shown."""
HEADER = b"AMQP"
ACCESS_REFUSED = 403
"""Reply codes of Connection.Close (AMQP 0-9-1, 1.2)."""

_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


def first_words(data: bytes, transport: Any) -> str:
    """Say who speaks when it is no AMQP 0-9-1.

    Args:
        data: what came first.
        transport: where it came from.
    """
    if transport.getHost() == transport.getPeer():
        # The kernel may connect a port that nobody listens on to itself (RFC 9293, 3.5).
        return "nobody listens"
    if data.startswith(HEADER):
        return f"the server speaks AMQP {_version(data[4:8])} only, not 0-9-1"
    if data.startswith(_TLS_RECORDS):
        return "the server speaks TLS: write amqps://"
    said = one_line(data[: 4 * QUOTED].split(b"\n")[0].decode("latin-1"), QUOTED)
    return f"not an AMQP server, it says {said!r}" if said else "not an AMQP server"


def lost_words(dsn: AmqpDsn, state: int, said: BaseException | None, error: BaseException | None) -> str:
    """Say why a connection is over.

    Args:
        dsn: what it was to.
        state: how far pika had come with it.
        said: why pika has closed it, if it has.
        error: why the transport was closed, if it is.
    """
    if isinstance(said, ConnectionClosedByBroker):
        return _refused(dsn, state, said.reply_code, said.reply_text)
    if isinstance(said, AMQPHeartbeatTimeout):
        return "no heartbeat from the broker"
    if isinstance(said, AuthenticationError):
        return f"the broker does not offer to log in by {dsn.options.mechanism}"
    if isinstance(said, ProtocolVersionMismatch):
        return "the server speaks another version of AMQP than 0-9-1"
    if said is not None:
        return f"not proper AMQP ({type(said).__name__})"
    if error is not None and (words := _tls_words(dsn, error)):
        return words
    if isinstance(error, OSError):
        return trouble(error)
    return (
        _closed(state) if isinstance(error, ConnectionClosed) else f"connection lost ({type(error).__name__})"
    )


def _refused(dsn: AmqpDsn, state: int, code: int, text: str) -> str:
    if code == ACCESS_REFUSED and state == Connection.CONNECTION_START:
        if dsn.options.mechanism != "PLAIN":
            return "ACCESS_REFUSED: the broker knows no user for our certificate"
        only = " (or it is from elsewhere: guest may log in from localhost only)" if dsn.user == GUEST else ""
        return f"ACCESS_REFUSED: user or password is wrong{only}"
    # RabbitMQ says NAME - explanation.
    secrets = [dsn.password] if dsn.password != GUEST else []
    shown = one_line(masked(str(text), secrets)).replace(" - ", ": ", 1)
    return shown or f"closed by the broker with code {code}"


def _closed(state: int) -> str:
    """Say what is known when the broker just hung up, as old ones do instead of refusing."""
    if state == Connection.CONNECTION_PROTOCOL:
        return "connection closed without an answer"
    if state == Connection.CONNECTION_START:
        return "connection closed while logging in: are user and password right?"
    if state == Connection.CONNECTION_TUNE:
        return "connection closed while entering the virtual host: does it exist, may the user enter it?"
    return "connection closed"


def _tls_words(dsn: AmqpDsn, error: BaseException) -> str:
    """Return what went wrong with TLS, or nothing; known by their modules, which need not be imported."""
    module = type(error).__module__
    if module.startswith("service_identity"):
        return f"TLS failed: the certificate is not for {dsn.options.server_name or dsn.host}"
    if not module.startswith("OpenSSL"):
        return ""
    try:
        reason = str(error.args[0][-1][-1])
    except (IndexError, TypeError):
        return "TLS failed"
    if "certificate verify failed" in reason:
        trusted = "cacertfile" if dsn.options.ca_file else "this system (name the authority with cacertfile)"
        return f"TLS failed: the certificate is expired, or not signed by an authority of {trusted}"
    if "alert" in reason:
        return f"TLS failed: the broker says {reason}"
    if "wrong version" in reason or "record layer" in reason or "packet length" in reason:
        return f"TLS failed: {reason} (does this port speak plain amqp://?)"
    return f"TLS failed: {reason}"


def _version(numbers: bytes) -> str:
    """Write the version of a protocol header: id, major, minor, revision (AMQP 0-9-1, 4.2.2; 1.0, 2.2)."""
    if len(numbers) < 4:
        return "of another version"
    _, major, minor, revision = numbers
    return f"{major}.{minor}" if major else f"{major}-{minor}-{revision}"
