"""What the processes of the picture do: ``python actor.py ROLE …``. Each plays its part by the clock."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

BEGAN = float(os.environ["SCENE_BEGAN"])
"""Seconds since the epoch; all pods know the same."""


def since() -> float:
    """Seconds since the curtain rose."""
    return time.time() - BEGAN


def wave(period: float, shift: float = 0.0) -> float:
    """Something between 0 and 1 that comes and goes."""
    return 0.5 + 0.5 * math.sin(2 * math.pi * (since() + shift) / period)


def say(text: str, lines: int = 1) -> None:
    """Print to stdout."""
    sys.stdout.write(f"{text}\n" * lines)
    sys.stdout.flush()


class Page(BaseHTTPRequestHandler):
    """Slower with the load, and not there at all for a while."""

    def do_GET(self) -> None:
        """Answer."""
        overloaded = 120 < since() < 145
        time.sleep(0.004 + 0.02 * wave(60) + (0.25 if overloaded else 0.0))
        self.send_response(503 if overloaded and since() > 128 else 200)
        self.end_headers()
        self.wfile.write(b"# TYPE requests_total counter\nrequests_total %d\n" % (since() * 40))

    def log_message(self, *_: object) -> None:
        """Nothing; the lines come from ``web``."""


def web(port: str) -> None:
    """Serve, and write a line for each of many visitors."""
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    while True:
        say("level=info msg=answered status=200", 2 + int(12 * wave(90)))
        time.sleep(0.2)


def worker(shift: str) -> None:
    """Compute in waves, and give a sign of life."""
    beat = 0.0
    while True:
        began = time.monotonic()
        while time.monotonic() - began < 0.02 + 0.09 * wave(80, float(shift)):
            pass
        time.sleep(0.25)
        say("job done")
        if since() > beat:
            beat = since() + 4
            url = f"http://{os.environ['HEALTH_SOCKET']}/heartbeat?name=worker"
            with suppress(OSError):
                urlopen(Request(url, method="PATCH"), timeout=2).close()


def cache(growth: str) -> None:
    """Keep everything for ever."""
    kept = []
    while True:
        kept.append(b"x" * int(float(growth) * 1024 * 1024))
        time.sleep(1)


def importer() -> None:
    """Try, and fail."""
    say("level=info msg=importing")
    time.sleep(3 + 4 * wave(37))
    sys.stderr.write('level=error msg="no such table: orders"\n')
    sys.exit(3)


def archive(folder: str) -> None:
    """Write much, into a log file whose folder is not there at first."""
    while True:
        if since() > 45:
            Path(folder).mkdir(exist_ok=True)
        say("level=info msg=archived", 1 + int(6 * wave(50)))
        time.sleep(0.2)


if __name__ == "__main__":
    roles: dict[str, Callable[..., None]] = {
        "web": web, "worker": worker, "cache": cache, "importer": importer, "archive": archive,
    }  # fmt: skip
    roles[sys.argv[1]](*sys.argv[2:])
