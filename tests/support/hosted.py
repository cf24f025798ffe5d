"""A real procwrap in a process of its own, with everything a test asks about it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from shutil import rmtree
from signal import SIGTERM
from tempfile import mkdtemp
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from weakref import finalize

from tests.support.gologfmt import decode

ROOT = Path(__file__).parents[2]
LONGEST_HOME = 90
"""Characters; the path of a unix socket has room for 107."""
PATIENCE = 30.0
"""Seconds until a test gives up waiting; what it waits for takes far less."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def process(name: str, script: str, **settings: Any) -> dict[str, Any]:
    """Return the config of a process that runs a shell script, never restarted unless asked for."""
    return {
        "name": name,
        "entrypoint": "/bin/sh",
        "args": ["-c", script],
        "restartPolicy": "never",
        **settings,
    }


def python(name: str, code: str, **settings: Any) -> dict[str, Any]:
    """Return the config of a process that runs a few lines of Python."""
    return {**process(name, "", **settings), "entrypoint": sys.executable, "args": ["-c", code]}


class Hosted:
    """procwrap with its stdout and stderr in files; a context manager that leaves nothing running.

    Args:
        home: directory for everything.
        plan: the config, or the list of its processes; None for a wrapped command.
        options: further words of the command line.
        environment: added to ours.
        prefix: words before the command, such as ``unshare …``.
        stdout: where stdout goes instead of a file.
        http: serve HTTP on a port of its own.

    Attributes:
        control: the path of the control socket; there is one where HTTP is served.
    """

    def __init__(
        self,
        home: Path,
        plan: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        stdout: Any = None,
        stdin: Any = subprocess.DEVNULL,
        http: bool = False,
        program: Sequence[str] = (sys.executable, "-m", "procwrap"),
    ) -> None:
        self.home = home
        self.out = home / "stdout"
        self.err = home / "stderr"
        self.ready_file = home / "ready"
        self.port = free_port() if http else 0
        words = [*prefix, *program]
        if plan is not None:
            config = home / "config.json"
            config.write_text(json.dumps(plan))
            words += ["--config", str(config), "--readiness-file", str(self.ready_file)]
            words += ["--http", "on" if http else "off"]
        runtime = home if len(str(home)) < LONGEST_HOME else Path(mkdtemp(prefix="pw"))
        if runtime is not home:
            finalize(self, rmtree, runtime, ignore_errors=True)
        self.control = runtime / "procwrap.sock"
        environ = {"XDG_RUNTIME_DIR": str(runtime), **(environment or {})}
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
        if http:
            environ["HEALTH_SOCKET"] = f"127.0.0.1:{self.port}"
            environ.setdefault("PROCWRAP_CONTROL_SOCKET", str(self.control))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [*words, *options],
                stdin=stdin,
                stdout=out if stdout is None else stdout,
                stderr=err,
                env=environ,
                cwd=home,
            )

    def __enter__(self) -> Hosted:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for the end; return the exit code, negative for a signal."""
        return self.process.wait(seconds)

    def signal(self, number: int) -> None:
        """Send a signal to procwrap."""
        self.process.send_signal(number)

    def end(self, number: int = SIGTERM, seconds: float = PATIENCE) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.signal(number)
        return self.wait(seconds)

    def records(self) -> list[dict[str, str]]:
        """Return the records on stdout so far, decoded as Loki does; every complete line must decode."""
        lines = self.out.read_bytes().split(b"\n")[:-1]
        return [dict(decode(line)) for line in lines]

    def lines(self, name: str) -> list[str]:
        """Return what a process has printed so far, line by line; ``procwrap`` is procwrap itself."""
        return [record["msg"] for record in self.records() if record.get("name") == name]

    def said(self, pattern: str, name: str = "procwrap") -> list[str]:
        """Return the messages in which a pattern is found."""
        return [line for line in self.lines(name) if re.search(pattern, line)]

    def until(self, seen: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait until something is true, and return it; fail with the log when it does not come."""
        deadline = time.monotonic() + seconds
        while not (found := seen()):
            assert time.monotonic() < deadline, f"not seen:\n{self.told()}"
            ended = self.process.poll()
            if ended is not None and not (found := seen()):
                raise AssertionError(f"procwrap ended with {ended}:\n{self.told()}")
            time.sleep(0.02)
        return found

    def told(self) -> str:
        """Return both outputs, for a failure."""
        return self.out.read_text(errors="replace")[-4000:] + self.err.read_text(errors="replace")[-4000:]

    def operate(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, seconds: float = PATIENCE
    ) -> tuple[int, Any]:
        """Ask through the control socket; return the status and the body, decoded if it is JSON."""
        with closing(ControlConnection(self.control, seconds)) as connection:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, _decoded(answer.read())

    def get(
        self,
        path: str,
        method: str = "GET",
        seconds: float = PATIENCE,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Ask over HTTP; return the status and the body, decoded if it is JSON."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = Request(url, method=method, headers=dict(headers or {}))
        try:
            with urlopen(request, timeout=seconds) as answer:
                return answer.status, _decoded(answer.read())
        except HTTPError as error:
            with error:
                return error.code, _decoded(error.read())

    def up(self) -> Hosted:
        """Wait until everything is healthy."""
        self.until(self.ready_file.exists)
        return self

    def pid_of(self, name: str) -> int:
        """Return the pid in the last message about the start of a process, which may be on its way still."""
        return int(self.until(lambda: self.pids_of(name))[-1])

    def pids_of(self, name: str) -> list[int]:
        """Return the pids of all starts of a process."""
        return [
            int(record["child"])
            for record in self.records()
            if record["name"] == "procwrap" and record["msg"] == "started" and record["process"] == name
        ]


class ControlConnection(HTTPConnection):
    """An HTTP connection to a control socket; it waits for the socket to be there."""

    def __init__(self, path: Path, seconds: float = PATIENCE) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.sock.connect(str(self._path))
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


def alive(pid: int) -> bool:
    """Return whether there is a process of this id that is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
