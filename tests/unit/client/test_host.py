from __future__ import annotations

import json
import socket
import time

import pytest

from procwrap.client import host as hosts
from procwrap.client.host import Host
from procwrap.client.target import Target
from procwrap.errors import ExitStatus, NoHostError, OrderRefusedError
from tests.support.rawserver import RawServer, Script, http, saying

FAST = 0.1


def host_at(server: RawServer, patience: float = 5.0, token: str | None = None) -> Host:
    """Return a host at a server."""
    if server.port:
        target = Target("test", None, "127.0.0.1", server.port, "/pods/1", None, token)
    else:
        target = Target("test", server.path, token=token)
    return Host(target, time.monotonic, patience)


def no_host(script: Script, patience: float = 5.0) -> str:
    """Ask a server that does not answer as procwrap does; return what is said about it, on one line."""
    with RawServer(script) as server, pytest.raises(NoHostError) as caught:
        host_at(server, patience).ask("/api/processes")
    assert caught.value.exit_status is ExitStatus.NO_HOST
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_question_over_the_socket() -> None:
    """It is one request of HTTP/1.1 without a body."""
    with RawServer(saying(http(200, b'{"a": 1}'))) as server:
        answer = host_at(server).ask("/api/x", "POST")
    assert (answer.status, answer.document) == (200, {"a": 1})
    lines = server.heads[0].decode().split("\r\n")
    assert lines[0] == "POST /api/x HTTP/1.1"
    assert "Host: localhost" in lines
    assert "Content-Length: 0" in lines
    assert not [line for line in lines if line.startswith("Authorization")]


def test_a_question_over_tcp() -> None:
    """With the token, and below the path of the URL."""
    with RawServer(saying(http(200, b"{}")), port=True) as server:
        host_at(server, token="sesame").ask("/api/x")
    lines = server.heads[0].decode().split("\r\n")
    assert lines[0] == "GET /pods/1/api/x HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert "Authorization: Bearer sesame" in lines


def test_an_answer_in_chunks() -> None:
    """A proxy in between may make them."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with RawServer(saying(head, b'3\r\n{"a\r\n', b'5\r\n": 1}\r\n0\r\n\r\n')) as server:
        assert host_at(server).ask("/").document == {"a": 1}


def test_an_answer_without_a_length() -> None:
    """It ends with the connection."""
    with RawServer(saying(b"HTTP/1.0 200 OK\r\n\r\n", b'{"a": 1}')) as server:
        assert host_at(server).ask("/").document == {"a": 1}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "it closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it does not speak HTTP"),
        (bytes(range(256)) * 20, "it does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "it does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "its answer ended in the middle"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", "its answer ended in the middle"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "its answer ended in the middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "its answer is larger than 64 MiB"),
        (http(200, b'{"processes": ['), "its answer to GET /api/processes is no JSON"),
        (http(200, b"[1]"), "its answer to GET /api/processes is no JSON"),
        (http(200, b"[" * 100_000), "its answer to GET /api/processes is no JSON"),
        (http(200, b"\xff\xfe"), "its answer to GET /api/processes is no JSON"),
        (http(404, b"<html>not here"), "it answers with status 404: is procwrap there?"),
        (http(302, b"", Location="http://elsewhere"), "it answers with status 302: is procwrap there?"),
        (http(500, b"[]"), "it answers with status 500: is procwrap there?"),
    ],
)
def test_garbage(said: bytes, why: str) -> None:
    """One line says what came."""
    assert no_host(saying(said)) == f"cannot talk to what is at test: {why}"


def test_an_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading ends at a bound, whatever the host has promised."""
    monkeypatch.setattr(hosts, "LARGEST", 100_000)

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 10_000)

    assert "its answer is larger than" in no_host(script)


def test_a_host_that_says_nothing() -> None:
    """There is a time for the whole answer."""
    with RawServer(lambda *_: None) as server:
        server.script = server.silent
        began = time.monotonic()
        with pytest.raises(
            NoHostError, match=r"no answer from test within 0s: it is busy, stopped, or no procwrap"
        ):
            host_at(server, FAST).ask("/")
        assert FAST <= time.monotonic() - began < 5


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"])
def test_a_host_that_says_a_byte_now_and_then(head: bytes) -> None:
    """Each byte comes in time, and the whole does not: that counts."""
    server = RawServer(lambda *_: None)

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while not server.stop.wait(FAST / 5):
            connection.sendall(b"x")

    server.script = script
    with server, pytest.raises(NoHostError, match="no answer from test"):
        host_at(server, FAST).ask("/")


def test_a_host_that_nobody_has_to_wait_for() -> None:
    """What may take long has its own time."""
    server = RawServer(lambda *_: None)

    def script(connection: socket.socket, _: bytes) -> None:
        server.stop.wait(FAST * 2)
        connection.sendall(http(200, b"{}"))

    server.script = script
    with server:
        assert host_at(server, FAST).ask("/", longer=5.0).status == 200
        assert host_at(server, FAST).ask("/", longer=None).status == 200


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "test refuses: the token is missing or wrong: give --token-file FILE"),
        (
            403,
            "test refuses: only its control socket admits, for it has no token: set PROCWRAP_API_TOKEN there",
        ),
        (503, "test refuses: too many waiting requests\\x1b"),
        (404, "test refuses: too many waiting requests\\x1b"),
    ],
)
def test_the_host_says_no(status: int, why: str) -> None:
    """It says why, and the exit code is 1."""
    body = json.dumps({"error": "too many waiting requests\x1b"}).encode()
    with RawServer(saying(http(status, body))) as server:
        for ask in (
            host_at(server).ask,
            host_at(server).text,
            lambda path: list(host_at(server).stream(path)),
        ):
            with pytest.raises(OrderRefusedError) as caught:
                ask("/")
            assert str(caught.value) == why
            assert caught.value.exit_status == 1


def test_a_refusal_that_the_caller_understands() -> None:
    """It is an answer like others."""
    with RawServer(saying(http(409, b'{"error": "it is stopping"}'))) as server:
        answer = host_at(server).ask("/", admits=(200, 409))
    assert (answer.status, answer.error) == (409, "it is stopping")


def test_no_room_for_a_question() -> None:
    """Only where the answer says that it may be asked again it is worth while."""
    full = b'{"error": "too many waiting requests"}'
    with RawServer(saying(http(503, full, Retry_After="5"))) as server:
        assert host_at(server).ask("/", admits=(503,)).is_busy
        server.script = saying(http(503, full))
        assert not host_at(server).ask("/", admits=(503,)).is_busy


def test_a_text() -> None:
    """Its bytes are what they were."""
    with RawServer(saying(http(200, b"a\xff\nb\n", "text/plain"))) as server:
        assert host_at(server).text("/x") == b"a\xff\nb\n"


STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def test_a_stream() -> None:
    """Events come as they come, and the end of the stream is no error."""
    with RawServer(saying(STREAM, b"9\r\n: alive\n\n\r\n", b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n")) as server:
        found = list(host_at(server).stream("/x", "7"))
    assert [(event.kind, event.data, event.last_id) for event in found] == [
        (":open", "", "7"),
        ("message", "1", "7"),
    ]
    assert b"\r\nLast-Event-ID: 7\r\n" in server.heads[0]


def test_a_stream_that_breaks_off() -> None:
    """What has come is told before."""
    with RawServer(saying(STREAM, b"9\r\ndata: 1\n\n\r\n")) as server:
        events = host_at(server).stream("/x")
        assert [next(events).data, next(events).data] == ["", "1"]
        with pytest.raises(NoHostError) as caught:
            next(events)
    assert str(caught.value) == "cannot talk to what is at test: its answer ended in the middle"
    assert not caught.value.gone


def test_what_is_no_stream() -> None:
    """A page of somebody else is not followed."""
    with (
        RawServer(saying(http(200, b"{}"))) as server,
        pytest.raises(NoHostError, match="is no stream of events"),
    ):
        list(host_at(server).stream("/x"))


def test_a_stream_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Procwrap gives signs of life; a host without any is not there any more."""
    monkeypatch.setattr(hosts, "SILENCE", FAST)
    server = RawServer(lambda *_: None)

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(STREAM)
        server.stop.wait(30)

    server.script = script
    with server, pytest.raises(NoHostError, match="no answer from test"):
        list(host_at(server).stream("/x"))
