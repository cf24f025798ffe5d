"""What many rounds of probes leave behind: nothing. A day's worth of them, with PROCWRAP_LONG=1."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.checkout import ROOT
from tests.support.hosted import free_port
from tests.support.servers import grpc_health, mariadb, postgres
from tests.support.servers.nginx import Nginx
from tests.support.servers.rabbitmq import RabbitMq

LONG = bool(os.environ.get("PROCWRAP_LONG"))
ROUNDS, BASELINE = (21_000, 1_000) if LONG else (420, 120)
COSTLY = {} if LONG else {"part": 3}
"""Makes just one in three rounds of what costs a server much: a login, a TLS handshake, a process."""
MEMORY = 2048
"""KiB that may come or go."""
OBJECTS = 500
"""Objects that may come or go: caches of reprs, one traceback more or less. One a round would be more."""
PATIENCE = 3600 if LONG else 120

pytestmark = [pytest.mark.integration, pytest.mark.timeout(PATIENCE + 60)]

Variants = dict[str, dict[str, Any]]


def variant(readiness: dict[str, Any], port: int = 0, *, fails: str = "", **more: Any) -> dict[str, Any]:
    """What rounds.py runs, and why its probe fails, if it shall."""
    return {"readiness": readiness, "port": port, "fails": fails, **more}


def exec_of(command: str) -> dict[str, Any]:
    """A check that runs a command."""
    return {"exec": {"command": {"entrypoint": command}}}


def alone() -> Variants:
    """Probes that need no server."""
    return {
        "exec": variant(exec_of("true"), **COSTLY),
        "exec-fails": variant(exec_of("false"), fails="exit code 1", **COSTLY),
        "exec-missing": variant(exec_of("no-such-command"), fails="cannot execute"),
        "file": variant({"file": {"path": "/"}}),
        "file-missing": variant({"file": {"path": "/no/such/file"}}, fails="no such file"),
        "env": variant({"env": {"name": "ROLE", "value": "1"}}, environment={"ROLE": "1"}),
        "env-fails": variant({"env": {"name": "ROLE", "value": "1"}}, fails="not set"),
        "floatingPid": variant({"floatingPid": {"threshold": 3}}),
        "heartBeat": variant({"heartBeat": {"period": "2h"}}),
        "heartBeat-fails": variant({"heartBeat": {"period": "1ms"}}, ready=False, fails="none yet"),
        "notify": variant({"notify": {}}),
        "notify-fails": variant({"notify": {}}, ready=False, fails="not ready yet"),
    }


def web(server: Nginx) -> Variants:
    """Probes of nginx, and of where nobody is."""
    dead = free_port()
    return {
        "http": variant({"http": {"url": server.url()}}, server.port),
        "http-fails": variant({"http": {"url": server.url("/status/503")}}, server.port, fails="503"),
        "http-body": variant({"http": {"url": server.url("/big")}}, server.port),
        "https": variant({"http": {"url": server.url(scheme="https")}}, server.tls_port, **COSTLY),
        "http-refused": variant({"http": {"url": f"http://127.0.0.1:{dead}/"}}, fails="connection refused"),
        "tcp": variant({"tcp": {"socket": f"127.0.0.1:{server.port}"}}, server.port),
        "tcp-refused": variant({"tcp": {"socket": f"127.0.0.1:{dead}"}}, fails="connection refused"),
    }


def grpc(port: int) -> Variants:
    """Probes of a gRPC server."""
    address = f"127.0.0.1:{port}"
    return {
        "grpc": variant({"grpc": {"address": address}}, port),
        "grpc-fails": variant(
            {"grpc": {"address": address, "service": "shop.Stock"}}, port, fails="NOT_SERV"
        ),
        "grpc-refused": variant(
            {"grpc": {"address": f"127.0.0.1:{free_port()}"}}, fails="connection refused"
        ),
    }


def sql(kind: str, dsn: str, wrong: str, port: int) -> Variants:
    """Probes of a database."""
    asked = {"queries": ["select 1", "select 'up'"]}
    dead = dsn.replace(str(port), str(free_port()))
    return {
        kind: variant({"sql": {"dsn": dsn, **asked}}, port),
        f"{kind}-query": variant({"sql": {"dsn": dsn, "queries": ["select nope"]}}, port, fails="nope"),
        f"{kind}-password": variant({"sql": {"dsn": wrong}}, port, fails="password", **COSTLY),
        f"{kind}-refused": variant({"sql": {"dsn": dead}}, fails="connection refused"),
    }


def postgresql(server: postgres.Postgres) -> Variants:
    """Probes of PostgreSQL."""
    dsn = "postgresql://{}:{}@127.0.0.1:{}/{}?sslmode=disable"
    right = dsn.format(postgres.USER, quote(postgres.PASSWORD, safe=""), server.port, postgres.DATABASE)
    wrong = dsn.format(postgres.USER, "wrong", server.port, postgres.DATABASE)
    return sql("postgresql", right, wrong, server.port)


def mysql(server: mariadb.MariaDb) -> Variants:
    """Probes of MariaDB."""
    dsn = "mysql://{}:{}@127.0.0.1:{}/{}"
    right = dsn.format(mariadb.USER, quote(mariadb.PASSWORD, safe=""), server.port, mariadb.DATABASE)
    wrong = dsn.format(mariadb.USER, "wrong", server.port, mariadb.DATABASE)
    return sql("mysql", right, wrong, server.port)


def amqp(server: RabbitMq) -> Variants:
    """Probes of RabbitMQ."""
    dsn = f"amqp://app:right@127.0.0.1:{server.port}/shop"
    return {
        "amqp": variant({"amqp": {"dsn": dsn}}, server.port, **COSTLY),
        "amqp-reuse": variant({"amqp": {"dsn": dsn, "reuseConn": True}}, server.port),
        "amqp-refused": variant(
            {"amqp": {"dsn": f"amqp://app:right@127.0.0.1:{free_port()}/shop"}}, fails="connection refused"
        ),
    }


NAMES = {
    "alone": ("exec", "exec-fails", "exec-missing", "file", "file-missing", "env", "env-fails", "floatingPid",
              "heartBeat", "heartBeat-fails", "notify", "notify-fails"),
    "web": ("http", "http-fails", "http-body", "https", "http-refused", "tcp", "tcp-refused"),
    "grpc": ("grpc", "grpc-fails", "grpc-refused"),
    "postgresql": ("postgresql", "postgresql-query", "postgresql-password", "postgresql-refused"),
    "mysql": ("mysql", "mysql-query", "mysql-password", "mysql-refused"),
    "amqp": ("amqp", "amqp-reuse", "amqp-refused"),
}  # fmt: skip
"""Groups that run one after the other in a program of their own, and what is in them."""


def go_round(variants: Variants) -> dict[str, Any]:
    """Run a group; returns what rounds.py says."""
    asked = json.dumps({"rounds": ROUNDS, "baseline": BASELINE, "variants": variants})
    command = [sys.executable, "-m", "tests.support.rounds"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    return {name: {**found[name], "fails": variants[name]["fails"]} for name in variants}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[dict[str, Any]]]]:
    """All groups, two at a time, each with its server; a group that fails fails its own tests."""
    with ExitStack() as stack:

        def with_nginx() -> Variants:
            server = Nginx(tmp_path_factory.mktemp("rounds") / "nginx")
            stack.callback(server.stop)
            server.start()
            return web(server)

        def with_grpc() -> Variants:
            port = free_port()
            stack.enter_context(grpc_health.GrpcServer(port))
            return grpc(port)

        def with_postgres() -> Variants:
            server = postgres.Postgres()
            stack.callback(server.remove)
            return postgresql(server)

        def with_mariadb() -> Variants:
            server = mariadb.MariaDb()
            stack.callback(server.remove)
            server.start()
            server.create_user()
            return mysql(server)

        def with_rabbitmq() -> Variants:
            home = Path(tmp_path_factory.mktemp("rabbitmq"))
            return amqp(stack.enter_context(RabbitMq(home, {"app": "right"}, {"shop": ["app"]})))

        # The slowest to start comes first; the two workers share what follows.
        makers = {
            "amqp": with_rabbitmq, "mysql": with_mariadb, "postgresql": with_postgres,
            "web": with_nginx, "alone": alone, "grpc": with_grpc,
        }  # fmt: skip
        with ThreadPoolExecutor(2) as workers:
            running = {
                group: workers.submit(partial(lambda make: go_round(make()), make))
                for group, make in makers.items()
            }
        yield running


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in NAMES for name in NAMES[group]])
def test_rounds_leave_nothing_behind(
    outcomes: Mapping[str, Future[dict[str, Any]]], group: str, name: str
) -> None:
    """Descriptors, threads, timers, objects, memory and the server's connections stay where they were."""
    found = outcomes[group].result()[name]
    before, after = found["before"], found["after"]
    expected = 0 if found["fails"] else found["rounds"]
    assert (found["succeeded"], all(found["fails"] in reason for reason in found["reasons"])) == (
        expected,
        True,
    ), found
    for exact in ("files", "threads", "calls", "connections"):
        assert after[exact] == before[exact], (exact, found)
    assert abs(after["objects"] - before["objects"]) < OBJECTS, found
    assert after["memory"] - before["memory"] < MEMORY, found


def test_every_group_was_run(outcomes: Mapping[str, Future[dict[str, Any]]]) -> None:
    """The names above are those that were measured."""
    assert {group: tuple(done.result()) for group, done in outcomes.items()} == NAMES
