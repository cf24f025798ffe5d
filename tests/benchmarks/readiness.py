"""Waiting until a program's own readiness endpoint says yes."""

from __future__ import annotations

import http.client
import time

from tests.benchmarks.stamps import MeasureError

PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.05


def await_ready(port: int) -> None:
    """Ask ``GET /readiness`` until it answers 200.

    Raises:
        MeasureError: It did not, with what came instead.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := _ask(port)) != "200":
        if time.monotonic() > deadline:
            raise MeasureError(f"GET /readiness on port {port} gave {answer} for {PATIENCE_SECONDS:g} s")
        time.sleep(PAUSE_SECONDS)


def _ask(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readiness")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
