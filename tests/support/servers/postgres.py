"""A real PostgreSQL with its own directory and port, for sql probes."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.hosted import PATIENCE, alive, free_port
from tests.support.procfs import children_of, eventually

USER, PASSWORD, DATABASE = "prober", "n0-One%May/See:This@pg?#&'\" \\x=ü🔑", "shop"
"""Who probes; the password has every kind of character that a connection string could trip over."""
ADMIN, ADMIN_PASSWORD = "keeper", "keeper-of-the-house"


def programs() -> Path:
    """Return the directory of PostgreSQL's programs; fail with what to install when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    assert found or on_path, "PostgreSQL is not installed: apt-get install postgresql"
    return found[-1].parent if found else Path(str(on_path)).parent


class Postgres:
    """A PostgreSQL that runs from ``start()`` to ``stop()``; ``remove()`` leaves nothing of it.

    It listens on 127.0.0.1 and in ``home`` and asks for passwords everywhere. Its certificate is for
    ``localhost`` and 127.0.0.1; the authority is in ``authority``.
    """

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="procwrap-pg-", dir="/tmp"))
        self.port = free_port()
        self.authority = self.home / "authority.pem"
        self._data = self.home / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._user = "nobody" if os.geteuid() == 0 else None
        write_certificates(self.home)
        pwfile = self.home / "password"
        pwfile.write_text(ADMIN_PASSWORD)
        self._own(self.home)
        words = [f"--pgdata={self._data}", f"--username={ADMIN}", f"--pwfile={pwfile}", "--no-sync"]
        words += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
        subprocess.run([programs() / "initdb", *words], **self._as_user(), check=True, cwd="/", timeout=60)
        self.start()
        self.tell(f'create database "{DATABASE}"')
        self.tell(f'create role "{USER}" login')
        self.tell(f'alter role "{USER}" password %s', PASSWORD)

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.home,
            "fsync": "off",
            "max_connections": 50,
            "max_wal_senders": 0,
            "shared_buffers": "16MB",
            "ssl": "on",
            "ssl_cert_file": self.home / "server.pem",
            "ssl_key_file": self.home / "server.key",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.home / "log", "ab") as log:
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", self._data, *words],
                **{**self._as_user(), "stdout": log},
                cwd="/",
                start_new_session=True,
            )
        eventually(self._answers)

    def stop(self) -> None:
        """Stop it at once, whatever it does, even if it was frozen."""
        if self._process is None:
            return
        self.thaw()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL to every process of it."""
        pids = self._pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(PATIENCE)
        self._process = None
        eventually(lambda: not any(map(alive, pids)))

    def freeze(self) -> None:
        """SIGSTOP to every process of it, each by its own pid."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        """Stop it and delete everything."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def tell(self, query: str, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Ask as the administrator over the Unix socket; return the rows."""
        with contextlib.closing(self._connected(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(query, values or None)
                return cursor.fetchall() if cursor.description else []

    def connections(self) -> int:
        """How many connections procwrap has to it."""
        asked = "select count(*) from pg_stat_activity where application_name = 'procwrap'"
        return int(self.tell(asked)[0][0])

    def active(self, pattern: str) -> int:
        """How many queries like this run."""
        asked = "select count(*) from pg_stat_activity where state = 'active' and query like %s"
        return int(self.tell(asked + " and pid <> pg_backend_pid()", pattern)[0][0])

    def _connected(self, database: str = "postgres") -> Any:
        import psycopg2

        return psycopg2.connect(
            host=str(self.home), port=self.port, user=ADMIN, password=ADMIN_PASSWORD, dbname=database
        )

    def _answers(self) -> bool:
        import psycopg2

        assert self._process is not None
        assert self._process.poll() is None, (self.home / "log").read_text()[-2000:]
        try:
            self._connected().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _pids(self) -> list[int]:
        if self._process is None or self._process.poll() is not None:
            return []
        return [self._process.pid, *children_of(self._process.pid)]

    def _as_user(self) -> dict[str, Any]:
        # PostgreSQL refuses to run as root.
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        return {**quiet, **({"user": self._user, "extra_groups": []} if self._user else {})}

    def _own(self, path: Path) -> None:
        if self._user is not None:
            for each in (path, *path.iterdir()):
                shutil.chown(each, self._user)


def write_certificates(home: Path) -> None:
    """Write an authority, a certificate of it for localhost, and the authority of somebody else."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("a", "b", "server")]
    now = datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(days=1)
    start = now - datetime.timedelta(days=1)
    for file, key, name in (("authority.pem", keys[0], names[0]), ("stranger.pem", keys[1], names[1])):
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, until)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        (home / file).write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(pem))
    places = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder(names[0], names[2], keys[2].public_key(), 2, start, until)
    builder = builder.add_extension(x509.SubjectAlternativeName(places), critical=False)
    (home / "server.pem").write_bytes(builder.sign(keys[0], hashes.SHA256()).public_bytes(pem))
    (home / "server.key").write_bytes(keys[2].private_bytes(pem, *plain))
    (home / "server.key").chmod(0o600)
