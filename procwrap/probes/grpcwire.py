"""What is said in gRPC: the health request, and what an answer means. Pure; no more protobuf than that takes.

Sources: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, doc/health-checking.md there, and
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import unquote

from attrs import frozen

METHOD = "/grpc.health.v1.Health/Check"
SERVING = "SERVING"

_HEALTH = ("UNKNOWN", SERVING, "NOT_SERVING", "SERVICE_UNKNOWN")
_CODES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE"),
    *("UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
_OK, _NOT_FOUND, _UNIMPLEMENTED = 0, 5, 12
_TIMEOUT_UNITS = (("u", 1e6), ("m", 1e3), ("S", 1.0), ("M", 1 / 60), ("H", 1 / 3600))
_LARGEST_TIMEOUT = 99_999_999
"""A grpc-timeout has at most eight digits."""
_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10


class WireError(Exception):
    """A peer did something else than answer; the message says what, for the reason of a failed probe."""


@frozen
class Answer:
    """A whole response.

    Attributes:
        headers: pseudo headers included; of equal names the last.
        trailers: empty when the server sent headers only.
        body: the data of all frames.
    """

    headers: Mapping[str, str]
    trailers: Mapping[str, str]
    body: bytes


def request_message(service: str) -> bytes:
    """Write a HealthCheckRequest with its five bytes of prefix: not compressed, and the length."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def timeout_header(seconds: float) -> str:
    """Write the value of grpc-timeout, such as ``2000000u``, in the finest unit that fits."""
    for unit, per_second in _TIMEOUT_UNITS:
        number = math.ceil(seconds * per_second)
        if number <= _LARGEST_TIMEOUT:
            return f"{number}{unit}"
    return f"{_LARGEST_TIMEOUT}H"


def refused(headers: Mapping[str, str]) -> str:
    """Say why no gRPC answer follows these headers; nothing when one may."""
    status, content = headers.get(":status", "none"), headers.get("content-type", "")
    if status != "200":
        return f"HTTP status {status} instead of a gRPC answer"
    if not content.startswith("application/grpc") and "grpc-status" not in headers:
        return f"no gRPC server (its content-type is {content or 'missing'})"
    return ""


def health(answer: Answer, service: str) -> str:
    """Say what an answer means: ``SERVING``, another health status, or what went wrong."""
    status = {**answer.headers, **answer.trailers}
    code = status.get("grpc-status")
    if code is None:
        return "the answer ended without grpc-status"
    if code != str(_OK):
        return _failure(code, unquote(status.get("grpc-message", ""), errors="replace"), service)
    try:
        number = _health_status(_message(answer.body))
    except WireError as error:
        return str(error)
    return _HEALTH[number] if 0 <= number < len(_HEALTH) else f"health status {number}"


def _failure(code: str, message: str, service: str) -> str:
    known = code.isascii() and code.isdigit() and len(code) <= 2 and int(code) < len(_CODES)
    name = _CODES[int(code)] if known else f"grpc-status {code}"
    if code == str(_UNIMPLEMENTED):
        return (
            "the server does not implement grpc.health.v1.Health (register its health service, or probe tcp)"
        )
    if code == str(_NOT_FOUND):
        return f'the server knows no health of "{service}" ({name})'
    return f"{name}: {message}" if message else name


def _message(body: bytes) -> bytes:
    """Take the one message of a unary answer out of its prefix."""
    if not body:
        raise WireError("an answer without a message")
    if body[0] != 0:
        raise WireError("a compressed message, which was not asked for")
    length = int.from_bytes(body[1:5], "big")
    if len(body) < 5 or len(body) != 5 + length:
        raise WireError("a message of another length than announced")
    return body[5:]


def _health_status(message: bytes) -> int:
    """Read field 1 of a HealthCheckResponse; 0 when there is none, the last one when there are several."""
    at, status, depth = 0, 0, 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise _malformed()
        if kind == _VARINT:
            value, at = _read_varint(message, at)
            if number == 1 and depth == 0:
                status = _int32(value)
        elif kind in (_GROUP, _END_GROUP):
            depth += 1 if kind == _GROUP else -1
        else:
            at = _skipped(message, at, kind)
        if depth < 0 or at > len(message):
            raise _malformed()
    if depth:
        raise _malformed()
    return status


def _skipped(message: bytes, at: int, kind: int) -> int:
    if kind == _BYTES:
        length, at = _read_varint(message, at)
        return at + length
    if kind not in _FIXED:
        raise _malformed()
    return at + _FIXED[kind]


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, octet in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (octet & 0x7F) << (7 * index)
        if octet < 0x80:
            return value, at + index + 1
    raise _malformed()


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def _int32(value: int) -> int:
    """Enumerations travel as 64 bits and count as the signed lower 32 of them."""
    low = value & 0xFFFF_FFFF
    return low - (1 << 32) if low >= 1 << 31 else low


def _malformed() -> WireError:
    return WireError("a malformed message")
