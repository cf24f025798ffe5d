from __future__ import annotations

import pytest

from procwrap.spec.probe import (
    AmqpProbe,
    Check,
    EnvProbe,
    ExecProbe,
    FileProbe,
    FloatingPidProbe,
    GrpcProbe,
    HeartBeatProbe,
    HttpProbe,
    NotifyProbe,
    Probe,
    SqlProbe,
    TcpProbe,
)
from tests.support.configs import messages_of, process_of


def probe(keys: str) -> Probe:
    readiness = process_of(f"readiness: {{{keys}}}").readiness
    assert readiness is not None
    [found] = readiness.probes
    return found


def wrong(keys: str) -> list[str]:
    return [line.removeprefix("readiness.") for line in messages_of(f"readiness: {{{keys}}}")]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("http: {url: 'http://localhost:80/x?y=1'}", HttpProbe("http://localhost:80/x?y=1")),
        (
            (
                "http: {url: 'HTTPS://[::1]/#top', headers: {Host: a.b, X: 1}, method: head,"
                " statuses: [204, 300-399],"
                " timeout: 500ms}"
            ),
            HttpProbe("https://[::1]/", (("Host", "a.b"), ("X", "1")), "HEAD", ((204, 204), (300, 399)), 0.5),
        ),
        ("http: {url: 'http://:8080'}", HttpProbe("http://localhost:8080")),
        ("tcp: {socket: '127.0.0.1:5673'}", TcpProbe("127.0.0.1", 5673)),
        ("tcp: {socket: ':5673', timeout: 1s}", TcpProbe("localhost", 5673, 1.0)),
        ("exec: {command: {entrypoint: test}}", ExecProbe("test")),
        (
            "exec: {command: {entrypoint: sh, args: [-c, 1], envs: {A: 1}}, timeout: 1m}",
            ExecProbe("sh", ("-c", "1"), (("A", "1"),), 60.0),
        ),
        ("file: {path: /tmp/x}", FileProbe("/tmp/x")),
        ("env: {name: A, value: no}", EnvProbe("A", "no")),
        ("floatingPid: {}", FloatingPidProbe(10.0, 1)),
        ("floatingPid: ", FloatingPidProbe(10.0, 1)),
        ("floatingPid: null", FloatingPidProbe(10.0, 1)),
        ("floatingPid: {period: 1m, threshold: 0}", FloatingPidProbe(60.0, 0)),
        ("heartBeat: {period: 30s}", HeartBeatProbe(30.0)),
        ("sql: ", SqlProbe()),
        ("sql: {}", SqlProbe()),
        (
            "sql: {queries: [select 1], contains: [1], dsn: 'postgresql://u:p@h/db', timeout: 1s}",
            SqlProbe(("select 1",), ("1",), "postgresql://u:p@h/db", 1.0),
        ),
        ("sql: {dsn: 'u:p@tcp(h:1)/db'}", SqlProbe(dsn="u:p@tcp(h:1)/db")),
        ("amqp: ", AmqpProbe()),
        (
            "amqp: {reuseConn: true, dsn: 'amqp://u:p@h/v', timeout: 1s}",
            AmqpProbe(reuse_connection=True, dsn="amqp://u:p@h/v", timeout=1.0),
        ),
        ("grpc: {address: ':50051'}", GrpcProbe("localhost", 50051)),
        ("grpc: {address: '[::1]:1', service: a.b, timeout: 1s}", GrpcProbe("::1", 1, "a.b", 1.0)),
        ("notify: ", NotifyProbe()),
        ("notify: {watchdog: 10s}", NotifyProbe(watchdog=10.0)),
        ("notify: {fd: 3}", NotifyProbe(fd=3)),
    ],
)
def test_probes(keys: str, expected: Probe) -> None:
    """Every type is read with its settings and its default timeout."""
    assert probe(keys) == expected


def test_a_login_in_a_url_becomes_a_header() -> None:
    """As Go's client does it; the URL, which appears in the log, has no password any more."""
    found = probe("http: {url: 'http://me:p%40ss@db:80/x'}")
    assert found == HttpProbe("http://db:80/x", (("Authorization", "Basic bWU6cEBzcw=="),))
    own = probe("http: {url: 'http://me@db/', headers: {authorization: mine}}")
    assert own == HttpProbe("http://db/", (("authorization", "mine"),))


EXAMPLE = "expected a URL such as http://localhost:8080/ready; this one"


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        ("http: {}", ["http.url: is missing"]),
        ("http: ", ["http: expected a mapping, got nothing"]),
        ("http: {url: 'localhost:80'}", [f"http.url: {EXAMPLE} does not begin with http:// or https://"]),
        (
            "http: {url: 'ftp://me:hunter2@x/'}",
            [f"http.url: {EXAMPLE} does not begin with http:// or https://"],
        ),
        ("http: {url: 'http://a:b'}", [f"http.url: {EXAMPLE}'s host or port is malformed"]),
        ("http: {url: 'http://[::1'}", [f"http.url: {EXAMPLE}'s host or port is malformed"]),
        ("http: {url: 'http://a:0/'}", [f"http.url: {EXAMPLE} has no host, or white space in it"]),
        ("http: {url: 'http:///x'}", [f"http.url: {EXAMPLE} has no host, or white space in it"]),
        ("http: {url: 'http://a/ b'}", [f"http.url: {EXAMPLE} has no host, or white space in it"]),
        ("http: {url: 80}", ['http.url: expected text, got a number: quote it ("80")']),
        (
            "http: {url: 'http://a', method: 'G T'}",
            ['http.method: expected a method such as GET or HEAD, got "G T"'],
        ),
        (
            "http: {url: 'http://a', headers: {X: \"hunter2\\n\"}}",
            ["http.headers.X: the value of a header is one line without control characters"],
        ),
        (
            "http: {url: 'http://a', statuses: []}",
            ['http.statuses: expected a list of codes or ranges such as [204, "300-399"], got an empty one'],
        ),
        (
            "http: {url: 'http://a', statuses: [99, 399-200, 2xx]}",
            [
                'http.statuses[0]: expected a code or range such as 204 or "200-399", got 99',
                'http.statuses[1]: expected a code or range such as 204 or "200-399", got "399-200"',
                'http.statuses[2]: expected a code or range such as 204 or "200-399", got "2xx"',
            ],
        ),
        ("http: {url: 'http://a', status: [200]}", ["http.status: unknown key: did you mean statuses?"]),
        (
            "http: {url: 'http://a', timeout: 0s}",
            ['http.timeout: expected at least 1ms, got "0s"'],
        ),
        ("tcp: {socket: 5673}", ['tcp.socket: expected "host:port", got 5673']),
        ("tcp: {socket: [a]}", ['tcp.socket: expected "host:port", got a list']),
        ("tcp: {socket: 'amqp://me:hunter2@x:1'}", ['tcp.socket: expected "host:port", got "***@x:1"']),
        ("exec: {}", ["exec.command: is missing"]),
        ("exec: {command: [hunter2]}", ["exec.command: expected a mapping, got a list"]),
        ("exec: {command: {args: [x]}}", ["exec.command.entrypoint: is missing"]),
        ("file: {}", ["file.path: is missing"]),
        (
            "env: {name: A=B, value: x}",
            ["env.name: expected the name of a variable: not empty and without ="],
        ),
        ("env: {name: A, value: [hunter2]}", ["env.value: expected text, got a list"]),
        ("env: {name: A}", ["env.value: is missing"]),
        (
            "floatingPid: {threshold: -1}",
            ["floatingPid.threshold: expected a whole number from 0 to 1000, got -1"],
        ),
        ("heartBeat: {}", ["heartBeat.period: is missing"]),
        ("heartBeat: {period: 0}", ["heartBeat.period: expected at least 1ms, got 0"]),
        (
            "sql: {contains: [x]}",
            ["sql.contains: expected queries too, in whose rows it is looked for"],
        ),
        ("grpc: {}", ["grpc.address: is missing"]),
        ("grpc: {address: 50051}", ['grpc.address: expected "host:port", got 50051']),
        ("notify: {fd: 2}", ["notify.fd: expected a whole number from 3 to 1023, got 2"]),
        (
            "notify: {fd: 3, watchdog: 1s}",
            ["notify.fd: expected no watchdog with it: the descriptor can only say that it is ready"],
        ),
        (
            "htpp: {url: x}",
            ["htpp: unknown key: did you mean http?"],
        ),
    ],
)
def test_errors(keys: str, messages: list[str]) -> None:
    """Each wrong setting is told at its place, and no secret with it."""
    assert wrong(keys) == messages


@pytest.mark.parametrize("kind", ["sql", "amqp"])
@pytest.mark.parametrize("dsn", ["hunter2", "ftp://me:hunter2@host/", "[hunter2]", "amqp://a:hunter2@[::/"])
def test_wrong_dsns(kind: str, dsn: str) -> None:
    """A connection string that cannot be used is told in one line at its place that never quotes it."""
    [line] = wrong(f"{kind}: {{dsn: {dsn!r}}}") if dsn[0] != "[" else wrong(f"{kind}: {{dsn: {dsn}}}")
    assert line.startswith(f"{kind}.dsn: ")
    assert "hunter2" not in line


def test_check_defaults() -> None:
    """The readiness check has the seed's timing, liveness and startup Kubernetes'."""
    file = "{file: {path: /x}}"
    process = process_of(f"readiness: {file}, liveness: {file}, startup: {file}")
    assert process.readiness == Check((FileProbe("/x"),), delay=5.0, period=5.0)
    assert process.liveness == process.startup == Check((FileProbe("/x"),), delay=0.0, period=10.0)


def test_every_key_of_a_check() -> None:
    """Several probes at once, each key read."""
    process = process_of(
        "readiness: {delay: 0, period: 1s, failureThreshold: 5, successThreshold: 2, startupDeadline: 60s,"
        " restartOnFailure: false, tcp: {socket: ':1'}, file: {path: /x}}"
    )
    assert process.readiness == Check(
        (TcpProbe("localhost", 1), FileProbe("/x")), 0.0, 1.0, 5, 2, 60.0, False
    )


NONE = "expected at least one of http, tcp, exec, file, env, sql, amqp, grpc, floatingPid, heartBeat, notify"


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        ("readiness: {delay: 1s}", [f"readiness: no probe: {NONE}, lock"]),
        ("liveness: {}", [f"liveness: no probe: {NONE}"]),
        ("startup: ", ["startup: expected a mapping, got nothing"]),
        (
            "readiness: {period: 0s, failureThreshold: 0, file: {path: /x}}",
            [
                'readiness.period: expected at least 10ms, got "0s"',
                "readiness.failureThreshold: expected a whole number from 1 to 1000000, got 0",
            ],
        ),
    ],
)
def test_wrong_checks(keys: str, messages: list[str]) -> None:
    """A check without a probe, or that would never rest, is refused."""
    assert messages_of(keys) == messages
