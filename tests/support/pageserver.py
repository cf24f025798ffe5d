"""A host for the status page that does whatever a test wants.

It has a hundred processes that change at once, cuts the connection, prints a thousand lines a second, or
fails to reload. It serves the page's own files and speaks the same JSON and the same event streams as
procwrap. Threads of the standard library serve it; the test calls its methods from another.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import define, field

from procwrap.web import sse
from procwrap.web.answers import SECURITY_HEADERS
from procwrap.web.pagefiles import FILES, HTML, POLICY
from procwrap.web.statuspage import Moment, Verdict, page

TOKEN = "s3cret"
BEAT = 5.0
NO_TOKEN = "no token is configured (api.token or api.tokenFile): only the control socket admits"


def stamp(ago: float = 0.0) -> str:
    """Return a moment so many seconds ago as JSON has it."""
    return datetime.fromtimestamp(time.time() - ago, UTC).isoformat(timespec="milliseconds")


def shown(name: str, state: str = "running", **changed: Any) -> dict[str, Any]:
    """Return a process as ``/status?full`` shows it."""
    runs = state in {"running", "unhealthy", "starting", "stopping"}
    return {
        "name": name,
        "state": state,
        "healthy": state == "running",
        "reason": "",
        "pid": 4000 + sum(map(ord, name)) if runs else None,
        "uptime": 8000.0 if runs else None,
        "started": stamp(8000),
        "restarts": 0,
        "restartsBy": {},
        "lastExit": None,
        "lastExitAt": None,
        "checks": {},
        "usage": None,
        "memoryLimitBytes": None,
        "dependsOn": [],
        **changed,
    }


def check(healthy: bool = True, reason: str = "", failures: int = 0, **probes: str) -> dict[str, Any]:
    """Return the last round of a check; a probe is its target, and what is wrong with it."""
    results = [
        {"probe": f"{kind} {target}", "healthy": healthy, "reason": reason, "seconds": 0.0042}
        for kind, target in probes.items()
    ]
    return {
        "healthy": healthy,
        "reason": reason,
        "failures": failures,
        "threshold": 3,
        "at": stamp(),
        "probes": results,
    }


@define(eq=False)
class PageServer:
    """Serves the page; a context manager.

    Attributes:
        processes: by name, in the plan's order.
        history: of a process, by its name.
        host: what the header shows.
        refuse: answer 503 to everything, as long as it is set.
        orders: what was asked for, such as ``("restart", "api")``.
        reply: what orders are answered with, by their verb; else the process is there at once.
        log: yields the records of a process for as long as somebody reads; a list goes out as one event.
    """

    processes: dict[str, dict[str, Any]] = field(factory=dict)
    history: dict[str, Any] = field(factory=dict)
    host: dict[str, Any] = field(factory=dict)
    refuse: bool = False
    token: str | None = TOKEN
    orders: list[tuple[str, str]] = field(factory=list)
    reply: dict[str, tuple[int, Any]] = field(factory=dict)
    log: Callable[[str], Iterator[list[str]]] = field(default=lambda _: iter(()))
    events: list[dict[str, Any]] = field(factory=list)
    _followers: list[queue.Queue[bytes | None]] = field(init=False, factory=list)
    _server: ThreadingHTTPServer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.host = {
            "version": "0.1.0",
            "healthy": True,
            "preempted": False,
            "shutdown": False,
            "uptime": 98_000.0,
        } | self.host
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> PageServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    @property
    def followers(self) -> int:
        """How many follow /live."""
        return len(self._followers)

    def tell(self, kind: str, value: Mapping[str, Any]) -> None:
        """Send an event to all pages."""
        self.send(sse.event(kind, value))

    def send(self, data: bytes) -> None:
        """Send bytes to all pages."""
        for follower in list(self._followers):
            follower.put(data)

    def change(self, name: str, **changed: Any) -> None:
        """Change a process, and tell."""
        self.processes[name] = {**self.processes[name], **changed}
        self.tell("process", {"process": self.processes[name]})

    def cut(self) -> None:
        """End all streams at once."""
        for follower in list(self._followers):
            follower.put(None)

    def html(self) -> str:
        """Return the page as the server writes it."""
        ready = self.host["healthy"]
        said = Verdict("ok", "running", "Ready") if ready else Verdict("bad", "unhealthy", "Not ready")
        moment = Moment("web-7d9f8b6c5-x2x9k", time.time(), self.host["uptime"])
        return page(said, list(self.processes.values()), moment)

    def snapshot(self) -> dict[str, Any]:
        """Return the first event of /live."""
        processes = [{**one, "history": self.history.get(name, {})} for name, one in self.processes.items()]
        return {"host": self.host, "processes": processes}

    def follow(self) -> Iterator[bytes]:
        """Yield the stream of a page."""
        mine: queue.Queue[bytes | None] = queue.Queue()
        yield sse.event("snapshot", self.snapshot())
        self._followers.append(mine)
        try:
            while True:
                try:
                    data = mine.get(timeout=BEAT)
                except queue.Empty:
                    data = b": alive\n\n"
                if data is None:
                    return
                yield data
        finally:
            self._followers.remove(mine)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let those who leave leave."""


def _handler(host: PageServer) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a route each
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def log_message(self, *_: object) -> None:
            """Stay silent."""

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            name = path.removeprefix("/page/")
            if host.refuse:
                self._json(503, {"error": "not now"})
            elif path == "/":
                self._answer(200, HTML, host.html().encode())
            elif name in FILES:
                self._answer(200, FILES[name].kind, FILES[name].plain)
            elif path == "/live":
                self._stream(host.follow())
            else:
                self._private(unquote(path), parse_qs(query, keep_blank_values=True))

        def do_POST(self) -> None:
            if not self._admitted():
                return
            *_, name, verb = urlsplit(unquote(self.path)).path.split("/")
            host.orders.append((verb, name))
            if verb in host.reply:
                self._json(*host.reply[verb])
                return
            state = "stopped" if verb == "stop" else "running"
            host.processes[name] = shown(name, state, restarts=1)
            host.change(name)
            self._json(200, {key: host.processes[name][key] for key in ("name", "state", "pid", "reason")})

        def _private(self, path: str, query: dict[str, list[str]]) -> None:
            if not self._admitted():
                return
            if path == "/api/processes":
                self._json(200, host.snapshot())
            elif path == "/api/events":
                self._stream(self._journal())
            elif path.endswith("/logs"):
                name = path.split("/")[-2]
                self._stream(_records(host.log(name)))
            else:
                name = path.rpartition("/")[2]
                self._json(
                    200,
                    {
                        **host.processes[name],
                        "command": f"/usr/bin/{name} --config /etc/{name}.toml --password ***",
                    },
                )

        def _journal(self) -> Iterator[bytes]:
            for number, event in enumerate(host.events):
                yield sse.event("lifecycle", {"id": number, **event}, number)
            yield from _wait()

        def _admitted(self) -> bool:
            if host.token is None:
                self._json(
                    403,
                    {"error": NO_TOKEN},
                )
                return False
            if self.headers.get("Authorization") != f"Bearer {host.token}":
                self._json(401, {"error": "expected the header Authorization"})
                return False
            return True

        def _json(self, code: int, value: Any) -> None:
            self._answer(code, b"application/json", json.dumps(value).encode())

        def _head(self, code: int, kind: bytes, **headers: str) -> None:
            self.send_response(code)
            for key, value in SECURITY_HEADERS:
                self.send_header(
                    key.decode(),
                    (
                        POLICY if key.endswith(b"Policy") and kind == HTML and b"Content" in key else value
                    ).decode(),
                )
            self.send_header("Content-Type", kind.decode())
            for key, value in headers.items():
                self.send_header(key.replace("_", "-"), value)
            self.end_headers()

        def _answer(self, code: int, kind: bytes, body: bytes) -> None:
            self._head(code, kind, Content_Length=str(len(body)))
            self.wfile.write(body)
            self.wfile.flush()

        def _stream(self, pieces: Iterator[bytes]) -> None:
            self._head(200, b"text/event-stream", Connection="close")
            self.close_connection = True
            try:
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
            finally:
                pieces.close()  # type: ignore[attr-defined]

    return Handler


def _records(chunks: Iterator[list[str]]) -> Iterator[bytes]:
    for records in chunks:
        yield "".join(f"data: {record}\n" for record in records).encode() + b"\n"
    yield from _wait()


def _wait() -> Iterator[bytes]:
    while True:
        time.sleep(0.5)
        yield b": alive\n\n"
