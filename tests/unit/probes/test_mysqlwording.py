from __future__ import annotations

import ssl

import pytest
from pymysql.err import InternalError, OperationalError

from procwrap.dsn.mysqlparts import MysqlDsn
from procwrap.probes.mysqlsession import QueryError
from procwrap.probes.mysqlwire import TooLargeError
from procwrap.probes.mysqlwording import reason_of
from procwrap.probes.sqldriver import SqlTrouble

DSN = MysqlDsn("app", "p@ss/w0rd with  spaces")
STRANGE = "it does not speak MySQL's protocol as expected"
ADVICE = "name the file of its authority with ssl-ca=…, or do without with tls=skip-verify"
UNTRUSTED = ssl.SSLCertVerificationError(1, "x")
UNTRUSTED.verify_message = "unable to get local issuer certificate"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SqlTrouble("no thread for it"), "no thread for it"),
        (OperationalError(1045, "Access denied\nfor 'app'"), "Access denied for 'app' (1045)"),
        (OperationalError(0, "it wants too much"), "it wants too much"),
        (OperationalError(3159, "Insecure"), "Insecure (3159): add tls=true or tls=skip-verify to the DSN"),
        (QueryError(2, OperationalError(1146, "no table")), "query 2: no table (1146)"),
        (QueryError(1, TooLargeError()), "query 1: the answer is too large: ask for less"),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (
            RuntimeError("'cryptography' package is required for sha256_password"),
            "this login needs cryptography: pip install 'PyMySQL[rsa]'",
        ),
        (
            InternalError("Packet sequence number wrong - got 45 expected 0"),
            f"{STRANGE} (InternalError: Packet sequence number wrong - got 45 expected 0)",
        ),
        (
            UNTRUSTED,
            f"its certificate is not trusted, unable to get local issuer certificate: {ADVICE}",
        ),
        (ssl.SSLError(1, "wrong version number"), "TLS: wrong version number"),
    ],
)
def test_reasons(error: Exception, reason: str) -> None:
    """Every error is one line for a person, with its number and with advice where there is any."""
    assert reason_of(error, DSN) == reason


def test_cause() -> None:
    """What the system said counts, not how PyMySQL wraps it."""
    wrapped = OperationalError(2003, "Can't connect")
    wrapped.original_exception = ConnectionResetError(104, "Connection reset by peer")
    assert reason_of(wrapped, DSN) == "connection reset by peer"


@pytest.mark.parametrize(
    "quoted", [DSN.password, "p%40ss%2Fw0rd%20with%20%20spaces", "p%40ss%2Fw0rd+with++spaces"]
)
def test_masked(quoted: str) -> None:
    """The password is hidden, however it is written."""
    assert reason_of(OperationalError(1, f"bad {quoted}!"), DSN) == "bad ***! (1)"
