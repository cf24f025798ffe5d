"""A RabbitMQ of its own, on free ports and in a temporary directory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.hosted import free_port
from tests.support.procfs import signal_group

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's rabbitmq-server without the wrapper that insists on the user rabbitmq and on /var."""
PATIENCE = 60.0
"""Seconds until a start counts as failed; it takes three to eight."""


class RabbitMq:
    """One broker with one port for AMQP and, given certificates, one for TLS; a context manager.

    Args:
        home: directory for everything it writes.
        users: names to passwords.
        vhosts: names to those users who may enter.
        tls: the files of the authority, the certificate and the key.
        plugins: names of plugins to enable.
    """

    def __init__(
        self,
        home: Path,
        users: Mapping[str, str],
        vhosts: Mapping[str, Sequence[str]],
        tls: tuple[Path, Path, Path] | None = None,
        plugins: Sequence[str] = (),
    ) -> None:
        require()
        self.home = home
        self.port, self.tls_port, self._epmd_port = free_port(), free_port(), free_port()
        (home / "definitions.json").write_text(json.dumps(definitions(users, vhosts)))
        (home / "rabbitmq.conf").write_text(self._settings(tls))
        (home / "plugins").write_text(f"[{','.join(plugins)}].")
        self._node = f"procwrap{self.port}@localhost"
        self._epmd: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RabbitMq:
        try:
            self._epmd = self._run("epmd", "-port", str(self._epmd_port))
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()

    @property
    def pid(self) -> int:
        """The pid of the broker."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self._process = self._run(str(SERVER))
        deadline = time.monotonic() + PATIENCE
        while not self._listens():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"RabbitMQ did not start: {(self.home / 'output').read_text()[-4000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it with SIGKILL, and all that it has started."""
        if self._process is not None and self._process.poll() is None:
            signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def pause(self) -> None:
        """Stop it with SIGSTOP: its ports still accept, and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def control(self, *words: str) -> str:
        """Run rabbitmqctl, which takes two seconds; return what it says."""
        command = [str(SERVER.with_name("rabbitmqctl")), "--quiet", "--node", self._node, *words]
        environ = self._environ()
        done = subprocess.run(command, env=environ, cwd=self.home, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.decode()

    def connections(self) -> int:
        """How many connections it has, of any kind, counted at its ports."""
        return connections_to({self.port, self.tls_port})

    def log(self) -> str:
        """What it has written to its log."""
        return "".join(path.read_text(errors="replace") for path in self.home.glob("log/*.log"))

    def _settings(self, tls: tuple[Path, Path, Path] | None) -> str:
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.port}",
            f"load_definitions = {self.home}/definitions.json",
            "log.file.level = info",
            # A broker in a test needs neither, and this machine's disk may be nearly full.
            "disk_free_limit.absolute = 1MB",
            "vm_memory_high_watermark.absolute = 1GB",
        ]
        if tls is not None:
            files = zip(("cacertfile", "certfile", "keyfile"), tls, strict=True)
            lines += [f"ssl_options.{name} = {path}" for name, path in files]
            lines += [
                f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}",
                "ssl_options.verify = verify_peer",
                "ssl_options.fail_if_no_peer_cert = false",
                "ssl_cert_login_from = common_name",
                "auth_mechanisms.1 = PLAIN",
                "auth_mechanisms.2 = EXTERNAL",
            ]
        return "\n".join([*lines, ""])

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")}
        return {
            **kept,
            "HOME": str(self.home),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.home / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.home / "data"),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            # One scheduler: a broker with nothing to do starts a second sooner.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
            "RABBITMQ_PID_FILE": str(self.home / "pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.home / "generated"),
            # The script becomes the broker itself, so that its pid is the one we know.
            "NOTIFY_SOCKET": str(self.home / "notify"),
        }

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        with open(self.home / "output", "ab") as output:
            return subprocess.Popen(
                command,
                env=self._environ(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True


def require() -> None:
    """Fail when there is no RabbitMQ to start: its tests are never skipped."""
    there = SERVER.exists() and shutil.which("epmd")
    assert there, "no RabbitMQ here: apt-get install rabbitmq-server"


def definitions(users: Mapping[str, str], vhosts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return what RabbitMQ loads at its start: everybody may do everything in the vhosts they may enter."""
    everything = dict.fromkeys(("configure", "write", "read"), ".*")
    return {
        "users": [{"name": name, "password": password, "tags": ""} for name, password in users.items()],
        "vhosts": [{"name": name} for name in vhosts],
        "permissions": [
            {"user": user, "vhost": vhost, **everything}
            for vhost, allowed in vhosts.items()
            for user in allowed
        ],
    }


def connections_to(ports: set[int]) -> int:
    """Count the connections that a server here has at some ports of IPv4, established or half closed."""
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        # ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK: not TIME_WAIT, which nobody holds.
        if int(words[1].partition(":")[2], 16) in ports and words[3] in ("01", "04", "05", "08", "09"):
            count += 1
    return count
