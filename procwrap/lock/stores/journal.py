"""What an embedded store has to remember over a restart: an SQLite file, written in batches by one thread.

Grants are in the file before anybody hears of them; that a lease ended may get there late, or never: then a
restarted server takes it for alive for one TTL. Keepalives are not written at all, since a restarted server
lets every TTL begin anew.

WAL with ``synchronous=FULL``: a commit survives the loss of power. The exclusive lock keeps a second server
from the same file; it goes with its process.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from procwrap.errors import CannotStartError
from procwrap.lock.lease import StoreError
from procwrap.lock.stores.table import Entry
from procwrap.lock.wanted import Wanted

MEMORY = ":memory:"
MOST_AT_ONCE = 500
_VERSION = 1

_SETUP = f"""
CREATE TABLE IF NOT EXISTS lease (
    key TEXT PRIMARY KEY, lease INTEGER NOT NULL, ttl REAL NOT NULL, token INTEGER NOT NULL,
    value TEXT NOT NULL, labels TEXT NOT NULL, timestamp TEXT NOT NULL, request TEXT NOT NULL,
    since REAL NOT NULL);
CREATE TABLE IF NOT EXISTS token (
    one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, begun INTEGER NOT NULL);
PRAGMA user_version = {_VERSION};
"""
_PUT = "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM lease WHERE lease = ?"
_TOKEN = "INSERT OR REPLACE INTO token VALUES (1, ?, ?)"
_TOUCH = "UPDATE token SET last = last"
_NOTHING = ("", 0, 0.0, 0, "", "{}", "", "", 0.0)

Statement = tuple[str, tuple[object, ...]]


@define(eq=False)
class Journal:
    """One file, or memory.

    Args:
        in_thread: calls a function in a thread, never two at a time.
    """

    path: str
    _in_thread: Callable[[Callable[[], None]], Deferred[None]]
    _connection: sqlite3.Connection = field(init=False)
    _waiting: list[tuple[tuple[Statement, ...], Deferred[None] | None]] = field(init=False, factory=list)
    _busy: Deferred[None] | None = field(init=False, default=None)

    def open(self, first_token: int) -> tuple[int, Sequence[Entry]] | None:
        """Open or create the file; blocks.

        Args:
            first_token: fencing tokens of a new file begin above it.

        Returns:
            The last fencing token and the leases; None while nothing was ever granted from this file.

        Raises:
            CannotStartError: it cannot be used.
        """
        try:
            self._connection = sqlite3.connect(
                self.path, timeout=0, isolation_level=None, check_same_thread=False
            )
            try:
                return self._begin(first_token)
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, ValueError) as error:
            busy = "locked" in str(error)
            why = "another lock server uses it" if busy else str(error)
            raise CannotStartError(
                f"cannot keep leases in {self.path}: {why}; set --shared-lock-store to another file"
            ) from None

    def _begin(self, first_token: int) -> tuple[int, Sequence[Entry]] | None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA journal_size_limit = 4194304")
        (version,) = run("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise ValueError(f"it has version {version}, expected {_VERSION}")
        self._connection.executescript(f"BEGIN EXCLUSIVE; {_SETUP} COMMIT;")
        found = run("SELECT last FROM token WHERE begun").fetchone()
        if found is None:
            run(_TOKEN, (first_token, False))
            return None
        rows = run("SELECT * FROM lease").fetchall()
        return found[0], [_entry(row) for row in rows]

    def put(self, entry: Entry) -> Deferred[None]:
        """Write a lease, in the place of what its key had; fires when it is on the disk."""
        done: Deferred[None] = Deferred()
        self._add(((_PUT, _row(entry)), (_TOKEN, (entry.token, True))), done)
        return done

    def delete(self, entry: Entry) -> None:
        """Remove a lease, some time."""
        self._add(((_DELETE, (entry.lease,)),), None)

    def check(self) -> Deferred[None]:
        """Write as much as a lease takes, and take it back; fires when that is done."""
        done: Deferred[None] = Deferred()
        self._add(((_PUT, _NOTHING), (_TOUCH, ()), (_DELETE, (0,))), done)
        return done

    def close(self) -> Deferred[Any]:
        """Close the file when everything is written."""
        if self._busy is None:
            return self._in_thread(self._connection.close)
        return self._busy.addBoth(lambda _: self.close())

    def _add(self, statements: tuple[Statement, ...], done: Deferred[None] | None) -> None:
        self._waiting.append((statements, done))
        if self._busy is None:
            self._write()

    def _write(self) -> None:
        batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
        statements = [statement for each, _ in batch for statement in each]
        self._busy = self._in_thread(lambda: self._commit(statements))
        self._busy.addBoth(self._written, [done for _, done in batch if done is not None])

    def _commit(self, statements: Sequence[Statement]) -> None:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            for sql, values in statements:
                run(sql, values)
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise

    def _written(self, result: object, waiting: Sequence[Deferred[None]]) -> None:
        self._busy = None
        if self._waiting:
            self._write()
        for done in waiting:
            if isinstance(result, Failure):
                done.errback(StoreError(f"cannot write to {self.path}: {result.value}"))
            else:
                done.callback(None)


def _row(entry: Entry) -> tuple[object, ...]:
    wanted = entry.wanted
    labels = json.dumps(dict(wanted.labels))
    numbers = (entry.lease, entry.ttl, entry.token)
    return (wanted.key, *numbers, wanted.value, labels, wanted.timestamp, wanted.request, entry.since)


def _entry(row: Any) -> Entry:
    key, lease, ttl, token, value, labels, timestamp, request, since = row
    wanted = Wanted(key, value, tuple(json.loads(labels).items()), timestamp, ttl, request)
    return Entry(wanted, lease, ttl, token, since)
