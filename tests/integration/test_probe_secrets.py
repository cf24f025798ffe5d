"""Whatever fails, and however: no password, token or value of a secret variable is shown anywhere."""

from __future__ import annotations

import base64
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from attrs import define, field

from tests.support.hosted import Hosted, free_port, process

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

SECONDS = 3.0
"""How long everything may fail, over and over."""
ENDPOINTS = (
    "/", "/liveness", "/readiness", "/ping", "/metrics", "/prommerge", "/pids", "/pidof?name={}", "/status",
    "/status?full", "/heartbeat", "/heartbeat?name={}", "/config", "/config/api", "/env", "/stats",
    "/api/processes", "/api/processes/{}", "/api/processes/{}/logs", "/api/events",
)  # fmt: skip
DUMB, ECHOING, HTTP = "says nothing", "sends back what it gets", "speaks HTTP"


@define(eq=False)
class Rude:
    """A server that is of no use to any probe; ``port`` is where, ``heard`` what it was sent."""

    manner: str
    heard: bytes = b""
    _listener: socket.socket = field(init=False)
    _open: list[socket.socket] = field(factory=list)

    def __enter__(self) -> Rude:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        # Wakes up who waits in accept(), which close() alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            each.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._open.append(self._listener.accept()[0])
                Thread(target=self._meet, args=(self._open[-1],), daemon=True).start()

    def _meet(self, visitor: socket.socket) -> None:
        with suppress(OSError):
            while said := visitor.recv(65536):
                self.heard += said
                if self.manner == ECHOING:
                    visitor.sendall(said)
                elif self.manner == HTTP:
                    visitor.sendall(b"HTTP/1.1 401 No " + said.replace(b"\n", b" ").replace(b"\r", b" "))
                    visitor.sendall(b"\r\nContent-Length: 0\r\n\r\n")


class Secrets:
    """Makes secrets and finds them again, however they were written."""

    def __init__(self) -> None:
        self.cores: dict[str, str] = {}

    def make(self, use: str) -> str:
        """A new secret, with characters that mean something somewhere; what is looked for is within."""
        self.cores[use] = core = uuid4().hex
        return f"p:/{core}+&=%7e"

    def found_in(self, text: str) -> list[str]:
        """The uses of those secrets that a text gives away: as they are, in base64 or in hexadecimal."""
        return [use for use, core in self.cores.items() if any(form in text for form in forms(core))]


def forms(core: str) -> list[str]:
    """How a secret may look; base64 depends on what stood before it, modulo three bytes."""
    found = [core, core.upper(), core[::-1], core.encode().hex()]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + core.encode()).decode()
        # Neither the characters that hold bits of its neighbours.
        found.append(encoded[4:-4])
    return found


Configure = Callable[[str, int], dict[str, Any]]
"""Secret and port -> further settings of a process."""


def check(**probe: Any) -> dict[str, Any]:
    """A check that looks often and restarts now and then."""
    return {"delay": "10ms", "period": "300ms", "failureThreshold": 4, **probe}


def url(secret: str, scheme: str, where: str) -> str:
    """A URL with a login."""
    return f"{scheme}://app:{quote(secret, safe='')}@{where}"


def sql(dsn: str) -> dict[str, Any]:
    """A readiness check of a database."""
    return {"readiness": check(sql={"dsn": dsn, "timeout": "300ms", "queries": ["select 1"]})}


def from_env(variables: dict[str, str], **probe: Any) -> dict[str, Any]:
    """A check whose connection string stands in the process's environment."""
    return {"envs": variables, "readiness": check(**probe)}


def http(**settings: Any) -> dict[str, Any]:
    """A readiness check over HTTP."""
    return {"readiness": check(http={"timeout": "300ms", **settings})}


ON_THE_WIRE: dict[str, Configure] = {
    "header": lambda secret, port: http(
        url=f"http://127.0.0.1:{port}/", headers={"Authorization": f"Bearer {secret}", "X-Api-Key": secret}
    ),
    "login": lambda secret, port: http(url=url(secret, "http", f"127.0.0.1:{port}/")),
    "tls-login": lambda secret, port: http(url=url(secret, "https", f"127.0.0.1:{port}/")),
    "query": lambda secret, port: http(url=f"http://127.0.0.1:{port}/?x=1&access_token={quote(secret)}"),
    "postgresql": lambda secret, port: sql(url(secret, "postgresql", f"127.0.0.1:{port}/app")),
    "mysql": lambda secret, port: sql(url(secret, "mysql", f"127.0.0.1:{port}/app")),
    "go-mysql": lambda secret, port: sql(f"app:{secret}@tcp(127.0.0.1:{port})/app?timeout=9s"),
    "amqp": lambda secret, port: {
        "readiness": check(amqp={"dsn": url(secret, "amqp", f"127.0.0.1:{port}/"), "timeout": "300ms"})
    },
    "amqps": lambda secret, port: {
        "readiness": check(amqp={"dsn": url(secret, "amqps", f"127.0.0.1:{port}/"), "timeout": "300ms"})
    },
    "POSTGRES_DSN": lambda secret, port: from_env(
        {"POSTGRES_DSN": url(secret, "postgresql", f"127.0.0.1:{port}/app")}, sql={"timeout": "300ms"}
    ),
    "DATABASE_URL": lambda secret, port: from_env(
        {"DATABASE_URL": url(secret, "postgresql", f"127.0.0.1:{port}/app")}, sql={"timeout": "300ms"}
    ),
    "MYSQL_DSN": lambda secret, port: from_env(
        {"MYSQL_DSN": f"app:{secret}@tcp(127.0.0.1:{port})/app"}, sql={"timeout": "300ms"}
    ),
    "AMQP_PROBE": lambda secret, port: from_env(
        {
            "AMQP_PROBE_RABBITMQ_DSN_TEMPLATE": f"amqp://%v:%v@127.0.0.1:{port}",
            "AMQP_PROBE_RABBITMQ_USER": "app",
            "AMQP_PROBE_RABBITMQ_PASS": secret,
        },
        amqp={"timeout": "300ms"},
    ),
    "postStart-sql": lambda secret, port: {
        "postStart": {"deadline": "300ms", "sql": {"dsn": url(secret, "postgresql", f"127.0.0.1:{port}/app")}}
    },
    "preStop-http": lambda secret, port: {
        "stopTimeout": "300ms",
        "preStop": {
            "http": {
                "url": url(secret, "http", f"127.0.0.1:{port}/?key={quote(secret)}"),
                "headers": {"Authorization": secret},
            }
        },
    },
}
"""What sends a secret to a server; each is tried with one that is not there and with all rude ones."""

BROKEN: dict[str, Callable[[str], dict[str, Any]]] = {
    "broken-POSTGRES_DSN": lambda secret: from_env({"POSTGRES_DSN": f"host=db port={secret}"}, sql={}),
    "broken-DATABASE_URL": lambda secret: from_env({"DATABASE_URL": f"postgresql://a:{secret}@[::1"}, sql={}),
    "broken-MYSQL_DSN": lambda secret: from_env({"MYSQL_DSN": f"app:{secret}@udp((127.0.0.1"}, sql={}),
    "broken-AMQP_PROBE": lambda secret: from_env(
        {"AMQP_PROBE_RABBITMQ_DSN_TEMPLATE": f"amqp://{secret}@[::", "AMQP_PROBE_RABBITMQ_PASS": secret},
        amqp={},
    ),
    "exec-envs": lambda secret: {
        "readiness": check(
            exec={
                "command": {
                    "entrypoint": "sh",
                    "args": ["-c", 'echo "cannot log in with $API_TOKEN"; exit 3', secret],
                    "envs": {"API_TOKEN": secret},
                }
            }
        )
    },
    "exec-of-nothing": lambda secret: {
        "readiness": check(exec={"command": {"entrypoint": "/none", "args": [secret], "envs": {"A": secret}}})
    },
    "exec-process-envs": lambda secret: {
        "envs": {"DB_PASSWORD": secret},
        "readiness": check(
            exec={"command": {"entrypoint": "sh", "args": ["-c", 'echo "$DB_PASSWORD" >&2; exit 1']}}
        ),
    },
    "env-value": lambda secret: from_env({"ROLE": secret}, env={"name": "ROLE", "value": "other"}),
    "env-expected": lambda secret: from_env({"ROLE": "other"}, env={"name": "ROLE", "value": secret}),
    "postStart-envs": lambda secret: {
        "postStart": {
            "envs": {"TOKEN": secret},
            "command": {"entrypoint": "sh", "args": ["-c", "exit 4", secret], "envs": {"PASSWORD": secret}},
        }
    },
    "preStop-envs": lambda secret: {
        "preStop": {"command": {"entrypoint": "/none", "args": [secret], "envs": {"PASSWORD": secret}}}
    },
    "arguments": lambda secret: {"entrypoint": "/none", "args": [f"--password={secret}"]},
}
"""What fails without any server."""


def processes(secrets: Secrets, ports: dict[str, int]) -> Iterator[dict[str, Any]]:
    """One process for everything that can fail."""
    backoff = {"restartPolicy": "always", "restartBackoff": {"initial": "500ms", "max": "1s"}}
    for manner, port in ports.items():
        for use, configure in ON_THE_WIRE.items():
            name = f"{use}.{manner}".replace(" ", "-")
            settings = {**backoff, **configure(secrets.make(name), port)}
            yield process(name, "exec sleep 600", **settings)
    for name, broken in BROKEN.items():
        yield process(name, "exec sleep 600") | {**backoff, **broken(secrets.make(name))}


@contextmanager
def rude_servers() -> Iterator[dict[str, Rude]]:
    """One of each manner."""
    with Rude(DUMB) as dumb, Rude(ECHOING) as echoing, Rude(HTTP) as http_:
        yield {each.manner: each for each in (dumb, echoing, http_)}


def test_nothing_is_given_away(tmp_path: Path) -> None:
    """In no output, at no endpoint, in no answer to a signal, with debug messages, up to the very end."""
    secrets = Secrets()
    with rude_servers() as rude:
        ports = {manner: each.port for manner, each in rude.items()} | {"is not there": free_port()}
        plan = list(processes(secrets, ports))
        with Hosted(tmp_path, plan, ["--debug"], http=True) as hosted:
            answers = [str(answer) for answer in asked(hosted, [each["name"] for each in plan])]
            hosted.signal(signal.SIGUSR1)
            hosted.until(lambda: hosted.said("received SIGUSR1"))
            assert hosted.end(signal.SIGTERM) == 0
        heard = "".join(each.heard.decode("latin-1") for each in rude.values())
        everything = hosted.out.read_text() + hosted.err.read_text() + "\n".join(answers)
    assert secrets.found_in(everything) == []
    assert everything.count("expected") > 300, "too little has failed to mean anything"
    for use in ("header", "login", "query"):
        assert secrets.found_in(heard).count(f"{use}.{ECHOING}".replace(" ", "-")) == 1, "not even sent"


def asked(hosted: Hosted, names: list[str]) -> Iterator[Any]:
    """What every endpoint answers, again and again while things fail."""
    hosted.until(lambda: answers(hosted))
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for endpoint in ENDPOINTS:
            yield hosted.get(endpoint.format(names[0]))
        time.sleep(0.2)


def answers(hosted: Hosted) -> bool:
    """Whether HTTP is served."""
    with suppress(OSError):
        return hosted.get("/ping")[0] == 200
    return False


@pytest.mark.parametrize("secret", ["0123456789abcdef0123456789abcdef"])
@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_the_search_finds_what_it_looks_for(secret: str, before: str) -> None:
    """The test above would see a secret in a header of basic authentication, wherever it begins."""
    secrets = Secrets()
    secrets.cores["login"] = secret
    assert secrets.found_in(base64.b64encode(f"{before}{secret}x".encode()).decode()) == ["login"]
