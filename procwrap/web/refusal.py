"""What a client is told that gets no answer to its request: it did not send one, or there is no room."""

from __future__ import annotations

from http import HTTPStatus

from procwrap.web.answers import SECURITY_HEADERS, complaint

BAD = HTTPStatus.BAD_REQUEST
BODY_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
TARGET_TOO_LONG = HTTPStatus.REQUEST_URI_TOO_LONG
HEAD_TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
CROWDED = HTTPStatus.SERVICE_UNAVAILABLE


def _response(status: HTTPStatus) -> bytes:
    reply = complaint(status, status.phrase.lower())
    headers = (
        *SECURITY_HEADERS,
        (b"Content-Type", reply.content_type),
        (b"Content-Length", reply.length),
        (b"Connection", b"close"),
    )
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    return head + b"".join(b"%s: %s\r\n" % pair for pair in headers) + b"\r\n" + reply.body


REFUSALS = {
    status: _response(status) for status in (BAD, BODY_TOO_LARGE, TARGET_TOO_LONG, HEAD_TOO_LARGE, CROWDED)
}
"""The whole response for each refusal, as it goes over the wire."""
