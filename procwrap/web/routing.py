"""A route table made into a Klein application, in which every error is JSON and none shows our insides."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from os.path import basename

from attrs import frozen
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource

from procwrap.web.answers import (
    BAD_REQUEST,
    NO_SUCH_PATH,
    NOT_ALLOWED,
    SERVER_ERROR,
    BadRequestError,
    Handler,
    Reply,
    complaint,
    put,
)
from procwrap.web.stream import stream


class Access(enum.Enum):
    """Who gets an answer."""

    EVERYONE = "everyone who reaches the port"


@frozen
class Route:
    """One line of the route table; a route for GET answers HEAD too."""

    path: str
    methods: tuple[str, ...]
    access: Access
    answer: Handler


def routed(routes: Iterable[Route], report: Callable[[str], None]) -> IResource:
    """Build the resource that answers by these routes.

    Args:
        routes: the table.
        report: called with one line when a route breaks; the client reads only that it did.
    """
    app = Klein()
    app.url_map.merge_slashes = False
    for route in routes:
        endpoint = f"{'|'.join(route.methods)} {route.path}"
        app.route(route.path, methods=route.methods, endpoint=endpoint)(_answering(route.answer))

    def failed(request: IRequest, failure: Failure) -> bytes:
        reply = _client_error(failure.value)
        if reply is None:
            report(f"cannot answer a request: {_where(failure)}")
            reply = complaint(SERVER_ERROR, "internal error; procwrap's log says more")
        return put(reply, request)

    app.handle_errors(Exception)(failed)
    return app.resource()


def _answering(answer: Handler) -> Callable[[IRequest], bytes | Deferred[bytes]]:
    def handle(request: IRequest) -> bytes | Deferred[bytes]:
        reply = answer(request)
        if isinstance(reply, Deferred):
            return reply.addCallback(_written, request)
        return _written(reply, request)

    return handle


def _written(reply: Reply, request: IRequest) -> bytes | Deferred[bytes]:
    body = put(reply, request)
    return stream(request, (body, *reply.pieces)) if reply.pieces else body


def _client_error(error: BaseException | None) -> Reply | None:
    if isinstance(error, BadRequestError):
        return complaint(BAD_REQUEST, str(error))
    # Klein lets werkzeug's exceptions through; they are known here by what they carry.
    code = getattr(error, "code", None)
    if code == NOT_ALLOWED:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        return complaint(NOT_ALLOWED, f"only {allowed}", ((b"Allow", allowed.encode()),))
    return None if code is None else NO_SUCH_PATH


def _where(failure: Failure) -> str:
    # The exception's text might hold a secret; its type and its place do not.
    _, path, line, *_ = failure.frames[-1] if failure.frames else ("", "?", 0)
    name = type(failure.value).__name__
    return f"{name} in {basename(path)}:{line}"
