"""What is answered: a Reply is data until the last moment, when it is put into a response."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest

JSON = b"application/json; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"

OK = 200
ACCEPTED = 202
NO_CONTENT = 204
NOT_MODIFIED = 304
BAD_REQUEST = 400
NOT_FOUND = 404
NOT_ALLOWED = 405
SERVER_ERROR = 500
UNAVAILABLE = 503

MOST_ARGUMENTS = 20

Pairs = tuple[tuple[bytes, bytes], ...]

SECURITY_HEADERS: Pairs = (
    (b"Content-Security-Policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cache-Control", b"no-store"),
)
"""They are on every response, errors and refusals included."""


@frozen
class Reply:
    """A whole response but for the headers that all have.

    Attributes:
        headers: those of this response alone, such as Retry-After.
        pieces: what follows the body, where it is long; written as the client reads it.
        follow: goes on with the response once its head is there, for as long as there is something to tell;
            the Deferred fires at the end, and cancelling it ends everything.
    """

    code: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Pairs = ()
    pieces: Sequence[bytes] = ()
    follow: Callable[[IRequest], Deferred[bytes]] | None = None
    length: bytes = field(init=False)

    @length.default
    def _length(self) -> bytes:
        return b"%d" % (len(self.body) + sum(map(len, self.pieces)))


Handler = Callable[..., Reply | Deferred[Reply]]
"""Answers the requests of one route: takes the request, and the parts of the path by their names."""


class BadRequestError(Exception):
    """The client asked for something that cannot be; the text is the answer's ``error``."""


def as_json(value: object) -> bytes:
    """Return the body of a JSON response: UTF-8, one line, with a newline at its end."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def data(value: object, code: int = OK) -> Reply:
    """Answer with JSON."""
    return Reply(code, as_json(value))


def complaint(code: int, text: str, headers: Pairs = ()) -> Reply:
    """Answer that something is wrong: ``{"error": text}``."""
    return Reply(code, as_json({"error": text}), headers=headers)


NO_SUCH_PATH = complaint(NOT_FOUND, "no such path")


def argument(request: IRequest, name: str) -> str | None:
    """Return the first value of a query argument: empty for ``?name`` alone, None when it isn't there.

    Raises:
        BadRequestError: there are too many arguments.
    """
    # Twisted's request.args knows nothing of an argument without "=".
    query = request.uri.partition(b"?")[2].decode("utf-8", "replace")
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=MOST_ARGUMENTS).get(name)
    except ValueError:
        raise BadRequestError("too many arguments") from None
    return values[0].strip() if values else None


def put(reply: Reply, request: IRequest) -> bytes:
    """Fill a response's head.

    Returns:
        The body that remains to be written, but for its further pieces (Twisted leaves it out for HEAD).
    """
    request.setResponseCode(reply.code)
    headers = request.responseHeaders
    for name, value in reply.headers:
        headers.setRawHeaders(name, [value])
    if reply.code not in (NO_CONTENT, NOT_MODIFIED):
        headers.setRawHeaders(b"Content-Type", [reply.content_type])
        if reply.follow is None:
            headers.setRawHeaders(b"Content-Length", [reply.length])
    return reply.body
