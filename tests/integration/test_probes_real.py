"""Probes against real sockets, threads and processes, in real time."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import evolve
from twisted.internet import ssl
from twisted.internet.defer import inlineCallbacks

from procwrap.interfaces import IProbe
from procwrap.probes.httpwire import LINGER
from procwrap.probes.kinds import build
from procwrap.probes.watch import Watch
from procwrap.spec.probe import Check, ExecProbe, FileProbe, HttpProbe, TcpProbe
from tests.support.hosted import free_port
from tests.support.peers import OK, full_listener, reactor, self_signed
from tests.support.realprobes import RealProbes, Steps, command_runner, sockets_open

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


class SocketTests(RealProbes):
    @inlineCallbacks
    def test_tcp(self) -> Steps:
        """A port is open, closed, or (its queue being full) silent."""
        silent, sockets = full_listener()
        ports = [self.peer(OK).port, free_port(), silent]
        results = yield self.look(*(self.build(TcpProbe("127.0.0.1", port, timeout=0.3)) for port in ports))
        for each in sockets:
            each.close()
        self.assertEqual(
            [result.reason.partition(": ")[2] for result in results],
            ["", "connection refused, expected to connect", "no answer within 0.3s, expected to connect"],
        )

    @inlineCallbacks
    def test_names(self) -> Steps:
        """``localhost`` needs no resolver; a name that does not exist is a failed probe, soon."""
        port = self.peer(OK).port
        probes = [
            self.build(TcpProbe(host, port, timeout=2.0)) for host in ("localhost", "no-such-host.invalid")
        ]
        good, bad = yield self.look(*probes)
        self.assertEqual((good.succeeded, bad.succeeded), (True, False))
        self.assertLess(bad.took, 2.2)

    @inlineCallbacks
    def test_http(self) -> Steps:
        """Good, bad, silent, hanging up, breaking off and babbling servers, all in one round."""
        peers = [
            self.peer(OK),
            self.peer(OK.replace(b"200 OK", b"503 No")),
            self.peer(b""),
            self.peer(None),
            self.peer(b"HTTP/1.1 200 OK\r\nX-Half", hangs_up=True),
            self.peer(b"+PONG\r\n"),
        ]
        results = yield self.look(*(self.http(peer.port, timeout=0.3) for peer in peers))
        self.assertEqual(
            [result.reason.partition("/ready: ")[2].partition(", ")[0] for result in results],
            [
                "",
                "503",
                "no answer within 0.3s",
                "connection closed without an answer",
                "connection closed within the answer",
                "not an HTTP answer",
            ],
        )
        yield self.until(lambda: not any(peer.open for peer in peers))

    @pytest.mark.alone
    @inlineCallbacks
    def test_silent_listener_disturbs_nobody(self) -> Steps:
        """A silent listener fails at its timeout; a neighbour's probe keeps its period meanwhile."""
        silent = self.watch(HttpProbe(f"http://127.0.0.1:{self.peer(b'').port}/", timeout=0.5), 0.2)
        neighbour = self.watch(TcpProbe("127.0.0.1", self.peer(OK).port), 0.1)
        yield self.until(lambda: len(silent) >= 3)
        for _, result in silent:
            self.assertIn("no answer within 0.5s", result.reason)
            self.assertLess(abs(result.took - 0.5), 0.1)
        self.assertGreaterEqual(len(neighbour), 12)
        times = [at for at, _ in neighbour]
        gaps = sorted(after - before for before, after in pairwise(times))
        self.assertLess(abs(gaps[len(gaps) // 2] - 0.1), 0.03)
        self.assertTrue(all(result.succeeded for _, result in neighbour))

    @inlineCallbacks
    def test_no_descriptor_is_left(self) -> Steps:
        """Three hundred rounds of all kinds of ends leave no descriptor behind."""
        silent, sockets = full_listener()
        endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000
        ports = [self.peer(says).port for says in (OK, b"", b"garbage\r\n", None, endless)]
        probes = [self.http(port, timeout=0.01) for port in (*ports, free_port())]
        probes += [
            self.build(TcpProbe("127.0.0.1", port, timeout=0.01)) for port in (ports[0], free_port(), silent)
        ]
        yield self.look(*probes)
        yield self.wait(1.5)
        before = sockets_open()
        for _ in range(300):
            yield self.look(*probes)
        yield self.wait(1.5)
        self.assertLessEqual(sockets_open(), before)
        for each in sockets:
            each.close()

    @inlineCallbacks
    def test_stop_within_rounds(self) -> Steps:
        """Stopping leaves no connection, while connecting and while waiting for an answer."""
        silent, sockets = full_listener()
        waiting = self.peer(b"")
        before = sockets_open()
        check = Check((TcpProbe("127.0.0.1", silent), HttpProbe(f"http://127.0.0.1:{waiting.port}/")))
        watch = Watch(check, self.build, reactor, self.fail)
        watch.start(0.0)
        yield self.until(lambda: waiting.heard)
        watch.stop()
        yield self.until(lambda: not waiting.open)
        yield self.wait(0.05)
        self.assertEqual(sockets_open(), before)
        for each in sockets:
            each.close()


class TlsTests(RealProbes):
    def setUp(self) -> None:
        super().setUp()
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.cert, self.key = self_signed(Path(directory.name))
        self.tls = ssl.DefaultOpenSSLContextFactory(str(self.key), str(self.cert), ssl.SSL.TLS_METHOD)

    @inlineCallbacks
    def test_certificate_is_not_verified(self) -> Steps:
        """A self-signed certificate that has long expired, of another host, is no reason to fail."""
        peer = self.peer(OK, tls=self.tls)
        (result,) = yield self.look(self.http(peer.port, scheme="https"))
        self.assertEqual(result.reason, "")
        yield self.until(lambda: not peer.open)

    @inlineCallbacks
    def test_wrong_protocol(self) -> Steps:
        """TLS where none is spoken, and none where TLS is spoken, are failed probes that say so."""
        plain, secret = self.peer(b"HTTP/1.1 400 Bad\r\n\r\n"), self.peer(OK, tls=self.tls)
        first, second = yield self.look(self.http(plain.port, scheme="https"), self.http(secret.port))
        self.assertRegex(first.reason, r"ready: TLS failed: .*, expected 200-399")
        self.assertRegex(second.reason, "ready: (not an HTTP answer|connection closed)")

    @inlineCallbacks
    def test_silent_peer(self) -> Steps:
        """A peer that never shakes hands fails at the timeout, and is left."""
        peer = self.peer(b"")
        (result,) = yield self.look(self.http(peer.port, scheme="https", timeout=0.3))
        self.assertIn("no answer within 0.3s", result.reason)
        yield self.until(lambda: not peer.open)

    @inlineCallbacks
    def test_goodbye_without_answer(self) -> Steps:
        """A TLS peer that never says goodbye keeps no connection of ours."""
        script = (
            "import socket, ssl, sys, time\n"
            "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
            "context.load_cert_chain(*sys.argv[1:])\n"
            "listener = socket.create_server(('127.0.0.1', 0))\n"
            "print(listener.getsockname()[1], flush=True)\n"
            "connection = context.wrap_socket(listener.accept()[0], server_side=True)\n"
            "connection.recv(1000)\n"
            "connection.send(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')\n"
            "time.sleep(60)\n"
        )
        command = [sys.executable, "-c", script, str(self.cert), str(self.key)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        port = int(server.stdout.readline() if server.stdout else "")
        before = sockets_open()
        (result,) = yield self.look(self.http(port, scheme="https"))
        self.assertEqual(result.reason, "")
        yield self.until(lambda: sockets_open() == before, seconds=2 * LINGER)

    def test_pyopenssl_may_come_late(self) -> None:
        """Https works when the reactor was installed without pyOpenSSL, which is found only later."""
        script = """
import sys
sys.modules["OpenSSL"] = None
from twisted.internet import reactor, task
from procwrap.probes.http import make_client
from procwrap.probes.httpwire import LINGER
from procwrap.probes.kinds import build
from procwrap.probes.look import look_at_all
from procwrap.spec.probe import HttpProbe
from tests.support.peers import OK, Peer
from tests.support.probes import context
del sys.modules["OpenSSL"]
from twisted.internet import ssl
tls = ssl.DefaultOpenSSLContextFactory(*sys.argv[1:], ssl.SSL.TLS_METHOD)
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.internet.interfaces import IReactorSSL
listen = reactor.listenTCP
reactor.listenSSL = lambda port, factory, tls, interface: listen(
    port, TLSMemoryBIOFactory(tls, False, factory), interface=interface)
peer = Peer(OK, tls=tls)
client = make_client(reactor)
probe = build(HttpProbe(f"https://127.0.0.1:{peer.port}/"), context(reactor, http=lambda: client))
look_at_all([probe], reactor).addCallback(print).addBoth(lambda _: reactor.stop())
reactor.run()
"""
        done = subprocess.run(
            [sys.executable, "-c", script, str(self.key), str(self.cert)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
        )
        self.assertIn("succeeded=True", done.stdout, done.stderr)


class SystemTests(RealProbes):
    @inlineCallbacks
    def test_file(self) -> Steps:
        """A file is looked at in a thread, and its coming and going are seen."""
        with TemporaryDirectory() as directory:
            path = Path(directory, "ready")
            probe = self.build(FileProbe(str(path)))
            (missing,) = yield self.look(probe)
            path.touch()
            (there,) = yield self.look(probe)
        self.assertIn("no such file or directory", missing.reason)
        self.assertTrue(there.succeeded)

    def exec(self, *scripts: str, timeout: float = 10.0) -> list[IProbe]:
        """A probe for each script, all of one process."""
        lent = evolve(self.context, runner=command_runner(reactor, self.addCleanup))
        secret = (("DB_PASSWORD", "hunter2"),)
        return [build(ExecProbe("sh", ("-c", script), secret, timeout), lent) for script in scripts]

    @inlineCallbacks
    def test_exec(self) -> Steps:
        """A command's end and output are seen; its secrets are not shown."""
        probes = self.exec("exit 0", "echo no $DB_PASSWORD; exit 3", "kill -9 $$")
        results = yield self.look(*probes)
        self.assertEqual(
            [result.reason for result in results],
            [
                "",
                "exec sh: exit code 3 (no ***), expected exit code 0",
                "exec sh: ended by SIGKILL, expected exit code 0",
            ],
        )

    @inlineCallbacks
    def test_exec_timeout_kills_the_group(self) -> Steps:
        """At its timeout a command is killed with all it has started."""
        with TemporaryDirectory() as directory:
            pids = Path(directory, "pids")
            probes = self.exec(f"sleep 60 & echo $! $$ > {pids}; wait", timeout=0.5)
            (result,) = yield self.look(*probes)
            self.assertIn("no answer within 0.5s", result.reason)
            for pid in map(int, pids.read_text().split()):
                yield self.until(lambda pid=pid: not alive(pid))


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
