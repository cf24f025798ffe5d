"""The parameters of a connection string of MySQL: ``tls=true&charset=utf8mb4&…``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from procwrap.dsn.mysqlparts import MysqlOptions, Tls, unescaped
from procwrap.dsn.problem import DsnError

UNUSED = frozenset(
    (
        *("allowAllFiles", "allowOldPasswords", "checkConnLiveness", "clientFoundRows", "columnsWithAlias"),
        *("compress", "connectionAttributes", "interpolateParams", "loc", "maxAllowedPacket", "parseTime"),
        *("readTimeout", "rejectReadOnly", "serverPubKey", "strict", "timeTruncate", "timeout"),
        *("tinyInt1IsBool", "writeTimeout"),
    )
)
"""Parameters of Go's driver that mean nothing to a probe."""
USED = (
    *("tls", "charset", "collation", "allowCleartextPasswords", "allowNativePasswords", "multiStatements"),
    *("ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"),
)

# In the words of https://github.com/go-sql-driver/mysql#tls and of the option --ssl-mode of MySQL's clients.
_YES = ("1", "true", "TRUE", "True")
_NO = ("0", "false", "FALSE", "False")
_TLS = {
    "skip-verify": Tls.REQUIRED,
    "preferred": Tls.PREFERRED,
    **dict.fromkeys(_YES, Tls.VERIFY_FULL),
    **dict.fromkeys(_NO, Tls.OFF),
}
_SSL_MODES = {
    "disabled": Tls.OFF,
    "preferred": Tls.PREFERRED,
    "required": Tls.REQUIRED,
    "verify-ca": Tls.VERIFY_CA,
    "verify-identity": Tls.VERIFY_FULL,
}
_WORD = re.compile(r"[A-Za-z0-9_]+")
_VARIABLE = re.compile(r"(@@)?[A-Za-z_][A-Za-z0-9_.]*")

Given = dict[str, str]


def read_options(query: str, *, variables: bool) -> MysqlOptions:
    """Read what stands after the ``?``.

    Args:
        query: pairs of names and escaped values.
        variables: whether a name that is not known is a system variable, as Go's driver has it.

    Raises:
        DsnError: names the parameter when it is a known one, else only which one it is.
    """
    given: Given = {}
    session: Given = {}
    for place, name, value in _pairs(query):
        if name in UNUSED:
            continue
        if name in USED:
            given[name] = value
        elif not variables:
            raise DsnError(f"parameter {place} is not known: expected one of {', '.join(USED)}")
        elif not _VARIABLE.fullmatch(name):
            raise DsnError(f"parameter {place} is neither known nor the name of a system variable")
        else:
            # The last of two counts, and in the place of the last, as Go's driver has it.
            session.pop(name, None)
            session[name] = value
    return _options(given, tuple(session.items()))


def _pairs(query: str) -> Iterator[tuple[int, str, str]]:
    for place, parameter in enumerate(query.split("&"), start=1):
        if not parameter:
            continue
        name, equals, value = parameter.partition("=")
        if not equals:
            raise DsnError(f"parameter {place} has no value: expected name=value")
        if name.startswith("ssl_"):
            name = name.replace("_", "-")
        yield place, name, unescaped(value, f"value of parameter {place}", plus=True)


def _options(given: Given, variables: tuple[tuple[str, str], ...]) -> MysqlOptions:
    return MysqlOptions(
        tls=_tls(given),
        ca=given.get("ssl-ca"),
        certificate=_certificate(given),
        charsets=_charsets(given),
        collation=_collation(given),
        cleartext_passwords=_boolean(given, "allowCleartextPasswords", default=False),
        native_passwords=_boolean(given, "allowNativePasswords", default=True),
        multi_statements=_boolean(given, "multiStatements", default=False),
        variables=variables,
    )


def _tls(given: Given) -> Tls:
    asked = Tls.VERIFY_CA if "ssl-ca" in given else Tls.OFF
    if "tls" in given:
        asked = _one_of(_TLS, given["tls"], "tls", "true, false, skip-verify or preferred")
    if "ssl-mode" in given:
        word = given["ssl-mode"].lower().replace("_", "-")
        modes = ", ".join(_SSL_MODES).upper().replace("-", "_")
        asked = _one_of(_SSL_MODES, word, "ssl-mode", f"one of {modes}")
        if "tls" in given:
            raise DsnError("tls and ssl-mode say the same: expected one of them")
    if "ssl-ca" in given and asked not in (Tls.VERIFY_CA, Tls.VERIFY_FULL):
        raise DsnError("ssl-ca is given, but no certificate is verified: expected tls=true with it")
    return asked


def _one_of(meanings: dict[str, Tls], word: str, name: str, expected: str) -> Tls:
    if word not in meanings:
        raise DsnError(f"{name} has a value that is not known: expected {expected}")
    return meanings[word]


def _certificate(given: Given) -> tuple[str, str] | None:
    if "ssl-key" in given and "ssl-cert" not in given:
        raise DsnError("ssl-key is given without ssl-cert")
    if "ssl-cert" not in given:
        return None
    return given["ssl-cert"], given.get("ssl-key", given["ssl-cert"])


def _charsets(given: Given) -> tuple[str, ...]:
    charsets = tuple(given["charset"].split(",")) if "charset" in given else ()
    if not all(map(_WORD.fullmatch, charsets)):
        raise DsnError("charset is malformed: expected names such as utf8mb4, with commas between them")
    return charsets


def _collation(given: Given) -> str | None:
    collation = given.get("collation")
    if collation is not None and not _WORD.fullmatch(collation):
        raise DsnError("collation is malformed: expected a name such as utf8mb4_general_ci")
    return collation


def _boolean(given: Given, name: str, *, default: bool) -> bool:
    if name not in given:
        return default
    if given[name] not in _YES + _NO:
        raise DsnError(f"{name} is neither true nor false")
    return given[name] in _YES
