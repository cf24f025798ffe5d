"""TLS of connections to MySQL, in the words of PyMySQL."""

from __future__ import annotations

import ssl
from typing import Any

from procwrap.dsn.mysqlparts import MysqlOptions, Tls
from procwrap.probes.sqldriver import SqlTrouble
from procwrap.probes.wording import trouble


def tls_settings(options: MysqlOptions) -> dict[str, Any]:
    """Return what PyMySQL's Connection takes; reads files.

    Raises:
        SqlTrouble: a file cannot be used.
    """
    if options.tls is Tls.OFF:
        return {"ssl_disabled": True}
    if options.tls is Tls.PREFERRED:
        # Given nothing it encrypts if the server can, and verifies nothing.
        return {}
    return {"ssl": _context(options)}


def _context(options: MysqlOptions) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = options.tls is Tls.VERIFY_FULL
    if options.tls is Tls.REQUIRED:
        made.verify_mode = ssl.CERT_NONE
    elif options.ca is None:
        made.load_default_certs()
    else:
        _read(f"ssl-ca {options.ca}", made.load_verify_locations, options.ca)
    if options.certificate is not None:
        certificate, key = options.certificate
        # With a password of its own, a key that is encrypted is an error, not a question on the terminal.
        _read(f"ssl-cert {certificate}, ssl-key {key}", made.load_cert_chain, certificate, key, "")
    return made


def _read(files: str, load: Any, *arguments: str) -> None:
    try:
        load(*arguments)
    except OSError as error:
        raise SqlTrouble(f"{files}: {trouble(error)}") from None
