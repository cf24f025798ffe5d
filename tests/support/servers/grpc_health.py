"""A real gRPC server with grpc.health.v1, written with grpcio; this file is the launcher and the program.

Run as a program: ``python -P grpc_health.py PORT [bare]``. It writes ``ready`` once it listens. SIGUSR1 makes
the whole server NOT_SERVING, SIGUSR2 SERVING again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

SERVING, NOT_SERVING, UNKNOWN = 1, 2, 0
SERVICES = {"": SERVING, "shop.Orders": SERVING, "shop.Stock": NOT_SERVING, "shop.Mail": UNKNOWN}
MISSING = "grpcio is missing, which the tests need as a real server: pip install grpcio-health-checking"


def available() -> bool:
    """Tell whether grpcio is installed; where CI is set it has to be."""
    found = find_spec("grpc_health") is not None
    assert found or not os.environ.get("CI"), MISSING
    return found


class GrpcServer:
    """The server in a process of its own; a context manager that leaves nothing running.

    Args:
        port: where it listens on 127.0.0.1.
        bare: without the health service.
    """

    def __init__(self, port: int, *, bare: bool = False) -> None:
        self.port = port
        # Without -P this file would be the grpc_health that it imports.
        self._words = [sys.executable, "-P", __file__, str(port), *(["bare"] if bare else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> GrpcServer:
        """Start it, and wait until it listens."""
        self._process = process = subprocess.Popen(
            self._words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise AssertionError(f"the gRPC server ended with {process.wait()}")
        return self

    def signal(self, number: int) -> None:
        """Send a signal to this very process."""
        assert self._process is not None
        self._process.send_signal(number)

    def sockets(self) -> int:
        """How many sockets it has open."""
        assert self._process is not None
        found = Path(f"/proc/{self._process.pid}/fd")
        return sum(
            os.path.islink(link) and os.readlink(link).startswith("socket:") for link in found.iterdir()
        )

    def stop(self) -> None:
        """Kill it, stopped or not."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def __enter__(self) -> GrpcServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(port: int, *, bare: bool) -> None:
    """Be the program."""
    import grpc
    from grpc_health.v1 import health, health_pb2_grpc

    server = grpc.server(ThreadPoolExecutor(4))
    servicer = health.HealthServicer()
    if not bare:
        for service, status in SERVICES.items():
            servicer.set(service, status)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    if server.add_insecure_port(f"127.0.0.1:{port}") != port:
        raise SystemExit(f"port {port} is taken")
    server.start()

    def switch(to: int) -> Any:
        return lambda *_: servicer.set("", to)

    signal.signal(signal.SIGUSR1, switch(NOT_SERVING))
    signal.signal(signal.SIGUSR2, switch(SERVING))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]), bare="bare" in sys.argv[2:])
