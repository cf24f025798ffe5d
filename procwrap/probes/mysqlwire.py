"""PyMySQL's connection, which says nothing unasked here and reads no more than is wanted."""

from __future__ import annotations

import codecs
import contextlib
from typing import TYPE_CHECKING, Any

from pymysql.charset import charset_by_name
from pymysql.connections import Connection
from pymysql.constants import CLIENT, SERVER_STATUS
from pymysql.err import Error, OperationalError

from procwrap.dsn.mysqlparts import MysqlDsn
from procwrap.probes.mysqlcolumn import Column
from procwrap.probes.mysqltls import tls_settings
from procwrap.probes.sqldriver import MOST_ROWS, MOST_TEXT, FirstColumn

MOST_BYTES = 4 * MOST_TEXT
"""Bytes that are read of one answer, all its columns included."""

MOST_READS = 5 * MOST_ROWS
"""How often something is read of one answer; each packet, and so each row, takes two reads."""

_NATIVE = "mysql_native_password"

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

    _Connection = Connection[Cursor]
else:
    # Generic in its type stubs only.
    _Connection = Connection


class TooLargeError(Exception):
    """An answer has more than MOST_BYTES or MOST_READS; the rest of it is still to come."""


class Wire(_Connection):
    """Speaks the text protocol only: COM_QUERY, COM_PING, COM_QUIT.

    Attributes:
        is_spent: the rest of an answer is still to come, so that nothing more can be asked.
    """

    is_spent = False
    server_thread_id: tuple[int]
    server_status: int
    _auth_plugin_name: str

    def __init__(self, dsn: MysqlDsn) -> None:
        options = dsn.options
        super().__init__(
            password=_bytes(dsn.password),
            # Of a Unix socket too: a certificate is verified against it.
            host="localhost" if dsn.socket else dsn.host,
            port=dsn.port,
            database=_bytes(dsn.database) or None,
            # Every value is wanted as the server writes it.
            conv={},
            use_unicode=False,
            # Else it sends SET AUTOCOMMIT.
            autocommit=None,
            defer_connect=True,
            program_name="procwrap",
            client_flag=CLIENT.MULTI_STATEMENTS if options.multi_statements else 0,
            auth_plugin_map=dict.fromkeys(_refused(dsn), _Refusal),
            **tls_settings(options),
        )
        # PyMySQL takes the user who runs procwrap instead of an empty one.
        self.user = _bytes(dsn.user)
        self._native = options.native_passwords
        self._allow_an_answer()

    @property
    def number(self) -> int:
        """The id that the server gave this connection."""
        number: int = self.server_thread_id[0]
        return number

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open; PyMySQL reads that from OK packets only, such as a ping's."""
        return bool(self.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """Send nothing: connect() calls it whether a character set was asked for or not.

        It has been told with the login already, and an admin port need not know SET NAMES.
        """

    def set_names(self, charset: str, collation: str | None) -> None:
        """Send SET NAMES."""
        try:
            codecs.lookup(charset_by_name(charset).encoding)
        except (AttributeError, LookupError):
            raise OperationalError(0, f"PyMySQL does not know the character set {charset}") from None
        super().set_character_set(charset, collation)

    def first_column(self, query: str) -> FirstColumn:
        """Ask a query; after an answer that was not read to its end the connection is spent.

        Returns:
            What comes before more than MOST_ROWS rows or MOST_TEXT characters; the rest is not read.

        Raises:
            TooLargeError: it is too large all the same.
            MySQLError: the server has something against it, or has gone.
        """
        self._allow_an_answer()
        column = Column(self.encoding)
        try:
            self.query(query.encode(self.encoding), unbuffered=True)
            while self._take_rows(column) and self._answer.has_next:
                self.next_result(unbuffered=True)
        except TooLargeError:
            self.is_spent = True
            raise
        finally:
            self._forget_answer()
        return column.seen

    def leave(self) -> None:
        """Say goodbye, if there is anybody, and close the connection."""
        with contextlib.suppress(Error):
            self.close()

    def _allow_an_answer(self) -> None:
        self._bytes_left, self._reads_left = MOST_BYTES, MOST_READS

    @property
    def _answer(self) -> Any:
        return vars(self)["_result"]

    def _take_rows(self, column: Column) -> bool:
        if self._answer.description is None:
            return True
        column.begin()
        while (row := self._answer._read_rowdata_packet_unbuffered()) is not None:
            if not column.take(row[0] if row else None):
                self.is_spent = True
                return False
        return True

    def _forget_answer(self) -> None:
        """Keep PyMySQL from reading the rest of an answer when it is garbage: it may be endless, or gone."""
        if self._answer is not None and self._answer.unbuffered_active:
            self._answer.unbuffered_active = False
            self.is_spent = True

    def ping(self, reconnect: Any = False) -> None:
        """Ask whether the server still answers."""
        self._allow_an_answer()
        super().ping()

    def _request_authentication(self) -> None:
        if not self._native and self._auth_plugin_name in ("", _NATIVE):
            raise OperationalError(0, f"the server wants {_NATIVE}, which allowNativePasswords forbids")
        super()._request_authentication()  # type: ignore[misc]

    def _read_bytes(self, num_bytes: int) -> bytes:
        # The one door through which PyMySQL reads; the length of what follows is the server's word.
        self._bytes_left -= num_bytes
        self._reads_left -= 1
        if self._bytes_left < 0 or self._reads_left < 0:
            raise TooLargeError
        read: bytes = super()._read_bytes(num_bytes)  # type: ignore[misc]
        return read


class _Refusal:
    """Takes the place of a way to log in that the connection string does not allow."""

    def __init__(self, connection: object) -> None:
        """PyMySQL shows the connection to each."""

    def authenticate(self, packet: object) -> None:
        """Refuse, before anything was sent."""
        raise OperationalError(
            0,
            "the server asks for a login that the DSN forbids: the password in clear text "
            "(allowCleartextPasswords=true allows it) or by mysql_native_password",
        )


def _refused(dsn: MysqlDsn) -> list[str]:
    refused = [] if dsn.options.cleartext_passwords else ["mysql_clear_password", "dialog"]
    return refused if dsn.options.native_passwords else [*refused, _NATIVE]


def _bytes(text: str) -> bytes:
    # What came through the environment may hold bytes that are no UTF-8.
    return text.encode(errors="surrogateescape")
