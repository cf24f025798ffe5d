"""A real nginx with its own directory and ports, for http probes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

from tests.support.hosted import PATIENCE, alive, free_port
from tests.support.peers import self_signed
from tests.support.procfs import children_of, eventually

USER, PASSWORD = "prober", "n0-One+May/See:This"
BIG = 100 * 1024 * 1024
"""Bytes of ``/big``; the file has a hole for most of them."""

STATUSES = (204, 304, 400, 401, 404, 418, 429, 500, 502, 503)
"""Each has a page, such as ``/status/503``."""

_CONFIG = """
daemon off;
worker_processes 1;
{user}
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 200; }}
http {{
  client_body_temp_path {home}/temp-body;
  proxy_temp_path {home}/temp-proxy;
  fastcgi_temp_path {home}/temp-fastcgi;
  uwsgi_temp_path {home}/temp-uwsgi;
  scgi_temp_path {home}/temp-scgi;
  log_format plain "$request_method $uri $status $bytes_sent $connection $http_host";
  access_log {home}/access.log plain;
  types {{ text/plain txt; }}
  default_type text/plain;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {cert};
    ssl_certificate_key {key};
    root {home}/pages;
    if_modified_since before;
    location = /redirect {{ return 302 /ok; }}
    location = /redirect-to-tls {{ return 301 https://127.0.0.1:{tls_port}/ok; }}
    location = /redirect-to-failure {{ return 307 /status/503; }}
    location = /redirect-away {{ return 302 http://example.invalid/status/503; }}
    location = /redirect-for-ever {{ return 302 /redirect-for-ever; }}
    # The first bytes go out at once, then so many a second: 20 a second make slow headers of any answer.
    location = /slow-headers {{ limit_rate 20; alias {home}/pages/ok; }}
    location = /slow-body {{ limit_rate 1000; alias {home}/pages/long; }}
    location = /gzip {{ gzip_static always; }}
    location = /chunked {{ ssi on; ssi_types *; alias {home}/pages/long; }}
    location = /not-kept {{ keepalive_timeout 0; alias {home}/pages/ok; }}
    location = /secret {{
      auth_basic "probes";
      auth_basic_user_file {home}/passwords;
      alias {home}/pages/ok;
    }}
{statuses}
    location = /connections {{ stub_status; access_log off; }}
    # Hangs up without a word.
    location = /hang-up {{ return 444; }}
  }}
}}
"""


class Nginx:
    """An nginx that runs from ``start()`` to ``stop()``.

    Args:
        home: an empty directory of its own.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.tls_port = free_port(), free_port()
        self._log = home / "access.log"
        self._process: subprocess.Popen[bytes] | None = None
        pages = home / "pages"
        pages.mkdir(parents=True)
        (pages / "ok").write_text("ok\n")
        (pages / "long").write_text("x" * 20_000)
        with (pages / "big").open("wb") as big:
            big.truncate(BIG)
        # A bomb of a kind, for whoever unpacks it.
        with (pages / "gzip.gz").open("wb") as bomb:
            subprocess.run(["gzip", "-1c", pages / "big"], stdout=bomb, check=True)
        # As a digest, since nginx takes what follows a second colon for a comment.
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        (home / "passwords").write_text(f"{USER}:{{SHA}}{digest}\n")
        cert, key = self_signed(home)
        self._config = home / "nginx.conf"
        self._config.write_text(
            _CONFIG.format(
                home=home,
                port=self.port,
                tls_port=self.tls_port,
                cert=cert,
                key=key,
                # Else the workers of root become somebody who may not enter our directory.
                statuses="".join(
                    f"    location = /status/{code} {{ return {code}; }}\n" for code in STATUSES
                ),
                user="user root;" if os.getuid() == 0 else "",
            )
        )

    def url(self, path: str = "/ok", *, scheme: str = "http", login: str = "") -> str:
        """Where a page is."""
        port = self.tls_port if scheme == "https" else self.port
        return f"{scheme}://{login}127.0.0.1:{port}{path}"

    def start(self) -> None:
        """Start it, again if need be, and wait until it answers."""
        # An absolute prefix: without it nginx opens its compiled-in error log first.
        command = [
            program(),
            "-p",
            str(self.home),
            "-e",
            str(self.home / "error.log"),
            "-c",
            str(self._config),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.home / "error.log").read_text()
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.connections() > 0
        return False

    def pids(self) -> list[int]:
        """Its master and its workers."""
        assert self._process is not None
        return [self._process.pid, *children_of(self._process.pid)]

    def kill(self) -> None:
        """SIGKILL to all of it, and wait until it is gone."""
        assert self._process is not None
        pids = self.pids()
        # The master first, or it would start new workers.
        self._signal(signal.SIGKILL)
        self._process.wait()
        eventually(lambda: not any(map(alive, pids)))

    def freeze(self) -> None:
        """SIGSTOP: its sockets stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def connections(self) -> int:
        """How many connections it has, the one that asks included.

        Raises:
            OSError: it does not answer.
        """
        with urlopen(self.url("/connections"), timeout=5) as answer:
            return int(answer.readline().split()[-1])

    def served(self, uri: str) -> list[Served]:
        """What it has logged about requests of a path, in order."""
        lines = self._log.read_text().splitlines()
        return [entry for entry in map(Served, lines) if entry.uri == uri]

    def forget(self) -> None:
        """Empty the log."""
        os.truncate(self._log, 0)


class Served:
    """One line of the access log, which nginx writes when a request is over."""

    def __init__(self, line: str) -> None:
        self.method, self.uri, status, sent, self.connection, self.host = line.split(" ")
        self.status, self.bytes_sent = int(status), int(sent)


def program() -> str:
    """The path of nginx, which is in no user's PATH; fails with what to install."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, "nginx is not installed: apt-get install nginx-light"
    return found
