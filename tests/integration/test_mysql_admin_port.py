"""The sql probe against what speaks MySQL's protocol only in part, or in bad faith."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from twisted.internet.defer import inlineCallbacks

from procwrap.interfaces import IProbe
from procwrap.spec.probe import SqlProbe
from tests.support.realprobes import RealProbes, Steps, sockets_open
from tests.support.servers.mysqlscript import (
    EOF,
    PING,
    QUERY,
    QUIT,
    SWITCH,
    MySqlScript,
    greeting,
    packet,
    rows,
)

pytestmark = pytest.mark.integration

ONLINE = "SELECT status FROM runtime_mysql_servers"
PASSWORD = "n0t-shown-ever"


class Scripted(RealProbes):
    def setUp(self) -> None:
        super().setUp()
        self.ignored: list[Any] = []
        self.patch(sys, "unraisablehook", self.ignored.append)
        self.before = sockets_open()

    def script(self, answers: Any = None, **settings: Any) -> MySqlScript:
        """A server that lives until the end of the test."""
        made = MySqlScript(answers or {}, **settings)
        self.addCleanup(made.stop)
        return made

    def sql(
        self, server: MySqlScript, *queries: str, contains: tuple[str, ...] = (), parameters: str = ""
    ) -> IProbe:
        dsn = f"admin:{PASSWORD}@tcp(127.0.0.1:{server.port})/{parameters}"
        made = self.build(SqlProbe(queries, contains, dsn, 1.0))
        self.addCleanup(made.close)
        return made

    @inlineCallbacks
    def reason(self, probe: IProbe) -> Any:
        """Look once; return why it failed, without the place."""
        (result,) = yield self.look(probe)
        self.assertNotIn(PASSWORD, result.reason)
        self.assertEqual(self.ignored, [])
        return result.reason.partition(f"{probe.target}: ")[2].rpartition(", expected ")[0]


class AdminPortTests(Scripted):
    @inlineCallbacks
    def test_nothing_but_text_queries(self) -> Steps:
        """The queries of the config, COM_PING and COM_QUIT: nothing else is ever said."""
        admin = self.script({ONLINE: rows("ONLINE", None, "SHUNNED"), "SELECT 1": rows("1")})
        probe = self.sql(admin, ONLINE, contains=("ONLINE",))
        for _ in range(2):
            self.assertEqual((yield self.reason(probe)), "")
        self.assertEqual(admin.commands, [(QUERY, ONLINE), (PING, ""), (QUERY, ONLINE)])
        probe.close()
        yield self.until(lambda: not admin.open)
        self.assertEqual(admin.commands[3:], [(QUIT, "")])

    @inlineCallbacks
    def test_without_queries(self) -> Steps:
        """It asks whether the server answers, which every admin port understands."""
        admin = self.script()
        self.assertEqual((yield self.reason(self.sql(admin))), "")
        self.assertEqual(admin.commands, [(PING, "")])

    @inlineCallbacks
    def test_refused_query(self) -> Steps:
        """What the admin port says against a query is shown."""
        refused = yield self.reason(self.sql(self.script(), "SHOW NOTHING"))
        self.assertEqual(refused, "query 1: ProxySQL Admin Error: syntax error (1045)")

    @inlineCallbacks
    def test_timeout(self) -> Steps:
        """A query without an answer fails at its timeout; the admin port need not understand KILL."""
        admin = self.script({"SELECT 1": _Never()})
        probe = self.sql(admin, "SELECT 1")
        (result,) = yield self.look(probe)
        self.assertIn("no answer within 1s", result.reason)
        yield self.until(lambda: not admin.open and not threads())
        self.assertNotIn("KILL", str(admin.commands))


class _Never(list[bytes]):
    """An answer of no packets that counts as one all the same."""

    def __bool__(self) -> bool:
        return True


def threads() -> int:
    """How many threads are at work for probes."""
    return sum(thread.name == "procwrap-aside" for thread in threading.enumerate())


class LiarTests(Scripted):
    @inlineCallbacks
    def test_passwords_are_not_given_away(self) -> Steps:
        """Who asks for the password in clear text does not get it, unless the DSN allows that."""
        for plugin in (b"mysql_clear_password", b"dialog"):
            thief = self.script(login=SWITCH + plugin + b"\0\x03Password: ")
            refused = yield self.reason(self.sql(thief))
            self.assertIn("allowCleartextPasswords=true allows it", refused)
            self.assertNotIn(PASSWORD.encode(), thief.heard)
        asking = self.script(login=SWITCH + b"mysql_clear_password\0")
        yield self.look(self.sql(asking, parameters="?allowCleartextPasswords=true"))
        self.assertIn(PASSWORD.encode() + b"\0", asking.heard)

    @inlineCallbacks
    def test_files_are_not_given_away(self) -> Steps:
        """Who answers a query by asking for a file does not get it."""
        thief = self.script({"SELECT 1": [b"\xfb/etc/passwd"]})
        self.assertIn("query 1: ", (yield self.reason(self.sql(thief, "SELECT 1"))))
        self.assertNotIn(b"root:", thief.heard)

    @inlineCallbacks
    def test_lies(self) -> Steps:
        """Whatever comes instead of an answer: a failed probe in one line, and nothing is left."""
        column = rows("x")[1]
        answers = {
            "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "hangs up": b"",
            "promises": packet(1, b"\x01")[:3],
            "huge packet": b"\xff\xff\xff\x01",
            "endless packets": (b"\xff\xff\xff\x01" + bytes(0xFFFFFF)),
            "endless columns": packet(1, b"\xfe" + b"\xff" * 8)
            + b"".join(packet(n, column) for n in range(2, 150_000)),
            "no end of columns": packet(1, b"\x01") + packet(2, column) + packet(3, column),
            "ends in a row": b"".join(map(packet, range(1, 5), rows("a", "b")))[:-1],
            "wrong numbers": packet(1, b"\x01") + packet(9, column),
            "no columns": packet(1, b""),
            "short column": packet(1, b"\x01") + packet(2, b"\x03def") + packet(3, EOF),
            "row of nothing": packet(1, b"\x01") + packet(2, column) + packet(3, EOF) + packet(4, b"\xfc"),
        }
        liar = self.script(answers)
        for query in answers:
            reason = yield self.reason(self.sql(liar, query, contains=("never",)))
            self.assertTrue(reason.startswith("query 1: "), f"{query}: {reason}")
        yield self.until(lambda: not liar.open and not threads())

    @inlineCallbacks
    def test_bad_greetings(self) -> Steps:
        """Something else than MySQL, or a broken one, is a failed probe."""
        for first in (b"", b"\x0a", b"\x0a8\0", greeting()[:20], b"\xff\x10\x04Too many", greeting(b"\xff")):
            liar = self.script(first=first)
            self.assertNotEqual((yield self.reason(self.sql(liar))), "", first)
        for says in (b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100):
            liar = self.script()
            liar.greeting = b""
            liar.buildProtocol = _saying(says)  # type: ignore[method-assign]
            self.assertNotEqual((yield self.reason(self.sql(liar))), "", says)


def _saying(says: bytes) -> Any:
    from twisted.internet.protocol import Protocol

    class Says(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(says)
            self.transport.loseConnection()

    return lambda _: Says()
