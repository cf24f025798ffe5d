from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.probes.grpcwire import Answer, health, refused, request_message, timeout_header

OK = {"grpc-status": "0"}


def meaning(message: bytes) -> str:
    """What a server says that answers with this message."""
    return health(Answer({}, OK, b"\0" + len(message).to_bytes(4, "big") + message), "svc")


def test_the_real_encoder_agrees() -> None:
    """What is sent is what protobuf would send, for no name, a plain one and a long one."""
    pb2 = pytest.importorskip("grpc_health.v1.health_pb2")
    for service in ("", "shop.Orders", "Ä" * 300):
        message = pb2.HealthCheckRequest(service=service).SerializeToString()
        assert request_message(service) == b"\0" + len(message).to_bytes(4, "big") + message


def test_the_real_statuses_are_understood() -> None:
    """Every status that grpc.health.v1 has is called as it is called there."""
    pb2 = pytest.importorskip("grpc_health.v1.health_pb2")
    for name, number in pb2.HealthCheckResponse.ServingStatus.items():
        assert meaning(pb2.HealthCheckResponse(status=number).SerializeToString()) == name


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"", "UNKNOWN"),
        (b"\x08\x01", "SERVING"),
        (b"\x08\x02\x08\x01", "SERVING"),
        (b"\x08\x63", "health status 99"),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "health status -1"),
        (b"\x0a\x01x\x08\x01", "SERVING"),
        (b"\x12\x03abc\x08\x01\x19" + b"8" * 8 + b"\x25" + b"4" * 4 + b"\x28\x96\x01", "SERVING"),
        (b"\x13\x08\x02\x1b\x1c\x14\x08\x01", "SERVING"),
    ],
)
def test_messages(message: bytes, said: str) -> None:
    """The last status counts; numbers that nobody knows have no name, and unknown fields are passed over."""
    assert meaning(message) == said


@pytest.mark.parametrize(
    "message",
    [
        *(
            b"\x08",
            b"\x08\x80",
            b"\x08" + b"\x80" * 10 + b"\x01",
            b"\x00\x01",
            b"\x12\x05ab",
            b"\x0f",
            b"\x0e",
        ),
        *(b"\x11abc", b"\x13\x08\x01", b"\x14", b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    ],
)
def test_malformed_messages(message: bytes) -> None:
    """What is no protobuf says nothing about health, wherever it is cut."""
    assert meaning(message) == "a malformed message"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an answer without a message"),
        (b"\1\0\0\0\2\x08\1", "a compressed message, which was not asked for"),
        (b"\0\0\0", "a message of another length than announced"),
        (b"\0\0\0\0\3\x08\1", "a message of another length than announced"),
        (b"\0\0\0\0\2\x08\1\0\0\0\0\0", "a message of another length than announced"),
    ],
)
def test_bodies(body: bytes, said: str) -> None:
    """An answer is one whole message that is not compressed."""
    assert health(Answer({}, OK, body), "") == said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "the answer ended without grpc-status"),
        ({"grpc-status": "14"}, "UNAVAILABLE"),
        (
            {"grpc-status": "14", "grpc-message": "db%20is%20down%3A%20%E2%98%A0 100%"},
            "UNAVAILABLE: db is down: ☠ 100%",
        ),
        ({"grpc-status": "5", "grpc-message": "x"}, 'the server knows no health of "svc" (NOT_FOUND)'),
        ({"grpc-status": "17"}, "grpc-status 17"),
        ({"grpc-status": "-1"}, "grpc-status -1"),
        ({"grpc-status": "٣"}, "grpc-status ٣"),
    ],
)
def test_statuses(status: dict[str, str], said: str) -> None:
    """A failed call says the name of its code and what the server says, decoded."""
    assert health(Answer({}, status, b""), "svc") == said
    assert health(Answer(status, {}, b""), "svc") == said


def test_a_server_without_health_gets_advice() -> None:
    """UNIMPLEMENTED says what is missing and what to do."""
    said = health(Answer({"grpc-status": "12", "grpc-message": "unknown service"}, {}, b""), "")
    assert said.startswith("the server does not implement grpc.health.v1.Health (")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({":status": "200", "content-type": "application/grpc"}, ""),
        ({":status": "200", "content-type": "application/grpc+proto"}, ""),
        ({":status": "200", "grpc-status": "12"}, ""),
        ({":status": "503", "content-type": "application/grpc"}, "HTTP status 503 instead of a gRPC answer"),
        ({}, "HTTP status none instead of a gRPC answer"),
        ({":status": "200", "content-type": "text/html"}, "no gRPC server (its content-type is text/html)"),
        ({":status": "200"}, "no gRPC server (its content-type is missing)"),
    ],
)
def test_headers(headers: dict[str, str], said: str) -> None:
    """Proxies and web servers that answer in HTTP/2 are told from gRPC servers."""
    assert refused(headers) == said


@pytest.mark.parametrize(
    ("seconds", "header"),
    [
        *((0.001, "1000u"), (2.0, "2000000u"), (99.999999, "99999999u"), (100.0, "100000m")),
        *((1e6, "1000000S"), (1e9, "16666667M"), (9.2e9, "2555556H"), (1e12, "99999999H"), (1e-9, "1u")),
    ],
)
def test_timeouts(seconds: float, header: str) -> None:
    """The server is told how long we wait, in at most eight digits and never less."""
    assert timeout_header(seconds) == header


@given(st.binary(max_size=200), st.text(max_size=5), st.text(max_size=40))
def test_no_answer_is_a_crash(body: bytes, code: str, message: str) -> None:
    """Whatever a server says, it is a line."""
    assert health(Answer({}, {"grpc-status": code, "grpc-message": message}, body), "svc")
    assert health(Answer({}, OK, body), "svc")
    assert meaning(body)
