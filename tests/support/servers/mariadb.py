"""A real MariaDB with its own directory, port and socket, for sql probes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pymysql

from tests.support.certificates import Authority
from tests.support.hosted import PATIENCE, free_port

DATABASE = "shop"
USER = "app"
PASSWORD = "n0/One:May@See(This)?#%2F&=+;' \"\\ü"
"""Every character that one of the two forms of a connection string could stumble over."""


class MariaDb:
    """A server that runs from ``start()`` to ``stop()``; it and all it has written go with ``remove()``."""

    def __init__(self) -> None:
        # Not below pytest's directories: its user may not enter them, and they are too long for a socket.
        self.home = Path(tempfile.mkdtemp(prefix="procwrap-mariadb-"))
        self.socket = self.home / "server.sock"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.authority = Authority(self.home)
        self.cert, self.key = self.authority.issue("server", ("localhost", "127.0.0.1"))
        self._credentials = _credentials()
        for path in (self.home, *self.home.iterdir()):
            shutil.chown(path, *self._credentials.values())
        self._install()

    def _install(self) -> None:
        command = [
            *(program("mariadb-install-db"), *self._settings()),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ]
        done = self._run(command)
        assert done.wait(PATIENCE) == 0, self.log()

    def _settings(self) -> list[str]:
        return [
            *("--no-defaults", f"--datadir={self.home}/data", "--skip-name-resolve"),
            *("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M"),
        ]

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        names = {"user": None, "group": None, **self._credentials} if os.getuid() == 0 else {}
        with open(self.home / "log", "ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                extra_groups=[] if names else None,
                cwd=self.home,
                **names,
            )

    def start(self) -> None:
        """Start it, again if need be, and wait until it answers."""
        self._process = self._run(
            [
                *(program("mariadbd"), *self._settings()),
                *(f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1,::1"),
                *(f"--pid-file={self.home}/pid", "--innodb-flush-log-at-trx-commit=0"),
                *(f"--ssl-ca={self.authority.file}", f"--ssl-cert={self.cert}", f"--ssl-key={self.key}"),
            ]
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as listening:
            return listening.connect_ex(str(self.socket)) == 0

    def do(self, *queries: str) -> list[tuple[Any, ...]]:
        """Ask as root; return the rows of the last query."""
        root = pymysql.connect(unix_socket=str(self.socket), user="root", ssl_disabled=True)
        with root, root.cursor() as cursor:
            for query in queries:
                cursor.execute(query)
            return list(cursor.fetchall())

    def create_user(self, name: str = USER, password: str = PASSWORD, how: str = "") -> None:
        """Let somebody who logs in with a password, or as ``how`` says, do everything with DATABASE."""
        quoted = password.replace("\\", "\\\\").replace("'", "\\'")
        self.do(
            f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
            f"CREATE USER {name} IDENTIFIED " + (how or f"BY '{quoted}'"),
            f"GRANT ALL ON {DATABASE}.* TO {name}",
        )

    def running(self) -> list[tuple[int, str, str | None]]:
        """Who is connected but root: id, command and query of each."""
        return [
            (row[0], row[1], row[2])
            for row in self.do(
                "SELECT id, command, info FROM information_schema.processlist "
                "WHERE user NOT IN ('root', 'system user') ORDER BY id"
            )
        ]

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: its sockets stay open and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def remove(self) -> None:
        """End it and delete its directory."""
        self.stop()
        shutil.rmtree(self.home)

    def said(self, text: str) -> int:
        """How often this is in its log."""
        return (self.home / "log").read_text(errors="replace").count(text)

    def log(self) -> str:
        """What it has said."""
        return (self.home / "log").read_text(errors="replace")[-4000:]


def program(name: str) -> str:
    """The path of one of its programs; fails with what to install."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed: apt-get install mariadb-server"
    return found


def _credentials() -> dict[str, str]:
    """Whom it runs as: it refuses to be root."""
    return {"user": "mysql", "group": "mysql"}
