"""Who may do what: every route of the table, with every kind of credentials, over every way in."""

from __future__ import annotations

import os
import re
import socket
import ssl
import stat
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from procwrap.web import site
from procwrap.web.limits import Limits
from procwrap.web.routing import Access, Route
from tests.support.certificates import Authority
from tests.support.hosted import ControlConnection, Hosted, process
from tests.support.plans import SERVE
from tests.support.web import Host

pytestmark = pytest.mark.integration

TOKEN = "Zx9-very-secret"
ENVIRONMENT = {"PROCWRAP_API_TOKEN": TOKEN, "DB_PASSWORD": "Qw7-other-secret", "LOGIN": "http://u:Qw7-pass@x"}
REFUSED = (401, 403)
WRONG = {
    "no": [],
    "wrong": ["Bearer wrong"],
    "empty": ["Bearer "],
    "prefix": [f"Bearer {TOKEN[:-1]}"],
    "longer": [f"Bearer {TOKEN}x"],
    "scheme": [f"Basic {TOKEN}"],
    "twice": [f"Bearer {TOKEN}", f"Bearer {TOKEN}"],
}
RIGHT = [f"Bearer {TOKEN}"]
Call = Callable[[], socket.socket]


def table() -> list[Route]:
    """The routes as the code has them."""
    with patch.object(site, "routed", wraps=site.routed) as routed:
        site.make_front(Host().view, Limits())
    [called] = routed.call_args_list
    return list(called.args[0])


ROUTES = table()


def requests(name: str = "nobody") -> Iterator[tuple[Access, str, str]]:
    """Each method of each route, and a method that none has."""
    for route in ROUTES:
        path = re.sub(r"<(?:\w+:)?\w+>", name, route.path)
        head = ("HEAD",) if "GET" in route.methods else ()
        for method in (*route.methods, *head, "BREW"):
            yield route.access, method, path


def ask(call: Call, method: str, path: str, tokens: list[str]) -> tuple[int, bytes]:
    """Ask once; return the status and, of an answer that has an end, all of it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *(f"Authorization: {token}" for token in tokens)]
    with call() as caller:
        caller.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        answer = caller.recv(65536)
        while b"\r\n\r\n" not in answer and (more := caller.recv(65536)):
            answer += more
        if b"text/event-stream" not in answer:
            while more := caller.recv(65536):
                answer += more
    return int(answer.split()[1]), answer


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the certificates of this module."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A certificate for localhost, its key, and the key of another."""
    certificate, key = authority.issue("server", ["127.0.0.1"])
    return {"cert": str(certificate), "key": str(key), "other": str(authority.issue("other")[1])}


def config(**api: Any) -> dict[str, Any]:
    """A process, and what the config says about HTTP."""
    secrets = {"envs": {"API_KEY": "Qw7-env"}, "args": ["-c", SERVE, "sh", "--password", "Qw7-arg"]}
    return {"processes": [{**process("a", SERVE), **secrets}], "api": api}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """One that is reached over TCP."""
    home = tmp_path_factory.mktemp("plain")
    with Hosted(home, config(), http=True, environment=ENVIRONMENT) as hosted:
        yield hosted.up()
        assert hosted.end() == 0
        assert_nothing_is_told(hosted.out.read_bytes() + hosted.err.read_bytes())


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, tls: dict[str, str]) -> Iterator[Hosted]:
    """One that is reached through TLS."""
    home = tmp_path_factory.mktemp("secure")
    plan = config(tls={"key": tls["key"], "cert": tls["cert"]}, token=TOKEN)
    with Hosted(home, plan, http=True) as hosted:
        yield hosted.up()
        assert hosted.end() == 0


def over_tcp(hosted: Hosted) -> Call:
    """Calls over TCP."""
    return lambda: socket.create_connection(("127.0.0.1", hosted.port), 20)


def over_tls(hosted: Hosted, authority: Authority) -> Call:
    """Calls through TLS."""
    context = ssl.create_default_context(cafile=str(authority.file))
    return lambda: context.wrap_socket(over_tcp(hosted)(), server_hostname="127.0.0.1")


def through_the_control_socket(hosted: Hosted) -> Call:
    """Calls through the control socket."""

    def call() -> socket.socket:
        connection = ControlConnection(hosted.control)
        connection.connect()
        return connection.sock

    return call


def assert_nothing_is_told(text: bytes) -> None:
    """No secret of this module is in a text."""
    for secret in (TOKEN.encode(), b"Qw7"):
        assert secret not in text


def refuses(call: Call) -> None:
    """Everything for operators is refused to who has not the token, in the same words whatever was asked."""
    told = set()
    for access, method, path in requests():
        for tokens in WRONG.values():
            code, answer = ask(call, method, path, tokens)
            assert (code in REFUSED) == (access is Access.OPERATOR), (method, path, tokens, code)
            if access is Access.OPERATOR:
                told.add((code, answer.partition(b"\r\n\r\n")[2] if method != "HEAD" else b""))
    assert len(told) == 2


def admits(call: Call, tokens: list[str]) -> None:
    """Nothing is refused to who may ask, and no answer holds a secret."""
    for _, method, path in requests():
        code, answer = ask(call, method, path, tokens)
        assert code not in (*REFUSED, 500), (method, path, code)
        assert_nothing_is_told(answer)


def test_the_table_has_both_kinds() -> None:
    """The tests of this module are not empty by mistake."""
    kinds = [access for access, _, _ in requests()]
    assert min(kinds.count(access) for access in Access) > 10


def test_over_tcp(plain: Hosted) -> None:
    """The token opens everything, and nothing else opens what is for operators."""
    refuses(over_tcp(plain))
    admits(over_tcp(plain), RIGHT)


def test_through_tls(secure: Hosted, authority: Authority) -> None:
    """TLS changes nothing about that."""
    call = over_tls(secure, authority)
    for access, method, path in requests():
        assert (ask(call, method, path, [])[0] in REFUSED) == (access is Access.OPERATOR)
    assert ask(call, "GET", "/config", RIGHT)[0] == 200
    assert ask(call, "GET", "/config", WRONG["prefix"])[0] == 401


def test_old_tls(secure: Hosted) -> None:
    """TLS 1.2 is the least, and plain HTTP is not answered there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version
        with over_tcp(secure)() as caller:
            try:
                with context.wrap_socket(caller) as through:
                    assert works, through.version()
            except (ssl.SSLError, ConnectionError):
                assert not works


def test_through_the_control_socket(plain: Hosted) -> None:
    """No token is needed there, and a wrong one does no harm."""
    call = through_the_control_socket(plain)
    admits(call, [])
    assert ask(call, "GET", "/config", WRONG["wrong"])[0] == 200
    assert stat.S_IMODE(os.stat(plain.control).st_mode) == 0o600


def test_what_operators_see(plain: Hosted) -> None:
    """The config in force, the environment, and figures about procwrap itself."""
    code, whole = plain.operate("GET", "/config")
    assert (code, [one["name"] for one in whole["processes"]]) == (200, ["a"])
    assert whole["processes"][0]["args"][-1] == "***"
    assert whole["api"]["token"] == "***"
    for path, part in (("api", "api"), ("daemons", "processes"), ("pidzero", "settings")):
        assert plain.operate("GET", f"/config/{path}") == (200, whole[part])
    environment = plain.operate("GET", "/env")[1]
    assert {"PROCWRAP_API_TOKEN=***", "DB_PASSWORD=***", "LOGIN=***"} <= set(environment)
    stats = plain.operate("GET", "/stats")[1]
    assert stats["memoryBytes"] > 1_000_000
    assert stats["connections"]["control"] == 1
    assert stats["pid"] == plain.process.pid


def test_children_do_not_inherit_the_token(tmp_path: Path) -> None:
    """Who runs as a child shall not control the others; everything else is inherited."""
    with Hosted(tmp_path, [process("a", "env; echo done")], http=True, environment=ENVIRONMENT) as hosted:
        hosted.until(lambda: hosted.said("done", "a"))
        printed = "\n".join(hosted.lines("a"))
    assert TOKEN not in printed
    assert "PROCWRAP_API_TOKEN" not in printed
    assert "DB_PASSWORD" in printed


def test_without_a_token(tmp_path: Path) -> None:
    """403 over TCP, whatever is sent, and the control socket still admits."""
    with Hosted(tmp_path, config(), http=True) as hosted:
        hosted.up()
        for tokens in (*WRONG.values(), RIGHT, ["Bearer None"]):
            assert ask(over_tcp(hosted), "GET", "/config", tokens)[0] == 403
        assert hosted.operate("GET", "/config")[0] == 200


def test_a_token_file(tmp_path: Path) -> None:
    """A new token counts soon after it was written; while there is none, nobody is admitted."""
    file = tmp_path / "token"
    file.write_text("first\n")
    with Hosted(tmp_path, config(tokenFile=str(file), token=TOKEN), http=True) as hosted:
        hosted.up()

        def code(token: str) -> int:
            return ask(over_tcp(hosted), "GET", "/stats", [f"Bearer {token}"])[0]

        assert (code("first"), code(TOKEN)) == (200, 401)
        # As Kubernetes does it.
        (tmp_path / "new").write_text("second\n")
        (tmp_path / "new").rename(file)
        hosted.until(lambda: code("second") == 200)
        assert code("first") == 401
        for content in (None, ""):
            file.unlink()
            if content is not None:
                file.write_text(content)
            hosted.until(lambda: code("second") == 503)
            assert (code(""), hosted.operate("GET", "/stats")[0]) == (503, 200)
            file.write_text("second")
            hosted.until(lambda: code("second") == 200)
        warnings = hosted.said(f"cannot read the API token from {file}")
    reasons = [warning.split(": ")[1].split(";")[0] for warning in warnings]
    assert reasons == ["no such file or directory", "it is empty"]


def test_no_control_socket_by_default(tmp_path: Path) -> None:
    """Where there is no place for it, one line says so, and all goes on."""
    for directory in (tmp_path / "nowhere", Path("/proc")):
        home = tmp_path / directory.name
        home.mkdir(exist_ok=True)
        runtime = str(directory / "x")
        options = {"XDG_RUNTIME_DIR": runtime, "PROCWRAP_CONTROL_SOCKET": ""}
        with Hosted(home, config(), http=True, environment=options) as hosted:
            hosted.up()
            hosted.until(lambda: hosted.said("no control socket"))
            assert hosted.get("/ping")[0] == 200
            assert hosted.end() == 0
        [record] = [record for record in hosted.records() if "no control socket" in record["msg"]]
        assert record["level"] == "info"


def test_a_live_one_is_left_alone(tmp_path: Path) -> None:
    """By default a second procwrap goes without; one that was told to have it does not start."""
    (tmp_path / "second").mkdir()
    with Hosted(tmp_path, config(), http=True) as first:
        first.up()
        inherited = {"XDG_RUNTIME_DIR": str(first.control.parent), "PROCWRAP_CONTROL_SOCKET": ""}
        with Hosted(tmp_path / "second", config(), http=True, environment=inherited) as second:
            second.up()
            second.until(lambda: second.said("another program answers there"))
            assert first.operate("GET", "/stats")[1]["pid"] == first.process.pid
            assert second.end() == 0
        told = {"PROCWRAP_CONTROL_SOCKET": str(first.control)}
        with Hosted(tmp_path / "second", config(), http=True, environment=told) as third:
            assert third.wait() == 1
            assert third.out.read_text() == ""
            [line] = third.err.read_text().splitlines()
            assert "another program answers there" in line
        assert first.operate("GET", "/stats")[0] == 200


def test_a_stale_one_is_replaced(tmp_path: Path) -> None:
    """After a crash the next run has it again."""
    with Hosted(tmp_path, config(), http=True) as hosted:
        hosted.up()
        child = hosted.pid_of("a")
        hosted.process.kill()
        hosted.process.wait()
        os.killpg(child, 9)
    assert hosted.control.is_socket()
    with Hosted(tmp_path, config(), http=True) as hosted:
        hosted.up()
        assert hosted.operate("GET", "/ping")[0] == 200
        assert hosted.end() == 0
    assert not hosted.control.exists()


def test_removed_while_we_run(tmp_path: Path) -> None:
    """It does no harm that it is gone, and what stands in its place is not removed."""
    with Hosted(tmp_path, config(), http=True) as hosted:
        hosted.up()
        assert hosted.operate("GET", "/ping")[0] == 200
        hosted.control.unlink()
        hosted.control.write_text("mine")
        assert hosted.end() == 0
        assert hosted.err.read_text() == ""
    assert hosted.control.read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("nowhere/x", "no such file or directory"), ("x" * 120, "path too long"), ("ready", "is not a socket")],
)
def test_one_that_was_asked_for_has_to_be_there(tmp_path: Path, path: str, reason: str) -> None:
    """Exit 1 with one line, and nothing was started."""
    (tmp_path / "ready").write_text("")
    plan = [process("a", f"touch {tmp_path}/started")]
    with Hosted(tmp_path, plan, ["--control-socket", path], http=True) as hosted:
        assert hosted.wait() == 1
    [line] = hosted.err.read_text().splitlines()
    assert line.startswith(f"no control socket {path}: ")
    assert reason in line
    assert not (tmp_path / "started").exists()


def test_without_http(tmp_path: Path) -> None:
    """The control socket works where it is asked for, without a port and around a wrapped command too."""
    options = ["--control-socket", "x.sock"]
    for plan, words in (([process("a", SERVE)], options), (None, [*options, "--", "/bin/sh", "-c", SERVE])):
        with Hosted(tmp_path, plan, words) as hosted:
            hosted.control = tmp_path / "x.sock"
            assert hosted.operate("GET", "/ping") == (200, {"ping": "ok"})
            hosted.until(lambda: hosted.operate("GET", "/pids")[0] == 200)
            hosted.end()
            assert not hosted.control.exists()


def test_off(tmp_path: Path) -> None:
    """There is none, and a wrapped command has none unless it is asked for."""
    with Hosted(tmp_path, config(), ["--control-socket", "off"], http=True) as hosted:
        hosted.up()
        assert hosted.get("/ping")[0] == 200
        assert not hosted.control.exists()
    with Hosted(tmp_path, None, ["--", "/bin/sh", "-c", f"test -e {tmp_path}/procwrap.sock"]) as wrapped:
        assert wrapped.wait() == 1


@pytest.mark.parametrize("fault", ["gone", "other", "nonsense"])
def test_bad_files_for_tls(tmp_path: Path, tls: dict[str, str], fault: str) -> None:
    """Exit 1 with one line that names the file, and nothing was started."""
    (tmp_path / "nonsense").write_text("nonsense")
    key = {"gone": str(tmp_path / "gone"), "nonsense": str(tmp_path / "nonsense"), **tls}[fault]
    plan = config(tls={"key": key, "cert": tls["cert"]})
    plan["processes"] = [process("a", f"touch {tmp_path}/started")]
    with Hosted(tmp_path, plan, http=True) as hosted:
        assert hosted.wait() == 1
    [line] = hosted.err.read_text().splitlines()
    assert line.startswith("api.tls: ")
    assert key in line
    assert not (tmp_path / "started").exists()


def test_as_twistd(tmp_path: Path) -> None:
    """The plugin serves the control socket as well."""
    program = (
        sys.executable,
        "-c",
        "from twisted.scripts.twistd import run; run()",
        "-n",
        "--pidfile=",
        "procwrap",
    )
    with Hosted(tmp_path, [process("a", SERVE)], http=True, program=program) as hosted:
        assert hosted.operate("GET", "/ping")[0] == 200
        hosted.up()
        assert hosted.end() == 0
        assert not hosted.control.exists()


def test_it_is_there_soon(plain: Hosted) -> None:
    """A client that asks again and again is answered at once."""
    begin = time.monotonic()
    for _ in range(50):
        assert plain.operate("GET", "/ping")[0] == 200
    assert time.monotonic() - begin < 10
