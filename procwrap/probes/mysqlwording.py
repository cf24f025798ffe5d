"""What went wrong with MySQL, in one line without the password, with advice where there is any."""

from __future__ import annotations

import ssl
from urllib.parse import quote, quote_plus

from pymysql.constants import ER
from pymysql.err import MySQLError

from procwrap.dsn.mysqlparts import MysqlDsn
from procwrap.probes.mysqlsession import QueryError
from procwrap.probes.mysqlwire import TooLargeError
from procwrap.probes.secrets import masked
from procwrap.probes.sqldriver import SqlTrouble
from procwrap.probes.wording import one_line, trouble

_INSECURE = 3159
"""ER_SECURE_TRANSPORT_REQUIRED of MySQL; MariaDB 10.11 says 1045 instead."""
_ADVICE = {
    ER.CON_COUNT_ERROR: "raise max_connections, or find who holds them",
    ER.HOST_IS_BLOCKED: "unblock it with FLUSH HOSTS",
    _INSECURE: "add tls=true or tls=skip-verify to the DSN",
}
_MISSING = {"cryptography": "rsa", "pynacl": "ed25519"}
"""What PyMySQL needs for some logins, and its extra that brings it."""


def reason_of(error: Exception, dsn: MysqlDsn) -> str:
    """Put an error in one line."""
    password = dsn.password
    return one_line(masked(_said(error), [password, quote(password, safe=""), quote_plus(password)]))


def _said(error: Exception) -> str:
    if isinstance(error, QueryError):
        return f"query {error.number}: {_said(error.error)}"
    if isinstance(error, SqlTrouble):
        return error.reason
    if isinstance(error, TooLargeError):
        return "the answer is too large: ask for less"
    cause = getattr(error, "original_exception", error)
    if isinstance(cause, ssl.SSLError):
        return _said_by_tls(cause)
    if isinstance(cause, OSError):
        return trouble(cause)
    for package, extra in _MISSING.items():
        if f"'{package}'" in str(error):
            return f"this login needs {package}: pip install 'PyMySQL[{extra}]'"
    if isinstance(error, MySQLError) and len(error.args) > 1:
        code, message = error.args[:2]
        numbered = f"{message} ({code})" if code else f"{message}"
        return f"{numbered}: {_ADVICE[code]}" if code in _ADVICE else numbered
    return f"it does not speak MySQL's protocol as expected ({type(error).__name__}: {error})"


def _said_by_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted, {error.verify_message}: name the file of its authority with "
            "ssl-ca=…, or do without with tls=skip-verify"
        )
    return f"TLS: {getattr(error, 'reason', None) or error}"
