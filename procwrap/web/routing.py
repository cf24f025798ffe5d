"""A route table made into a Klein application, in which every error is JSON and none shows our insides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os.path import basename
from typing import Any

from attrs import frozen
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource

from procwrap.web.access import Access, Admits, Refusal, nobody
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

__all__ = ["Access", "Route", "routed"]


@frozen
class Route:
    """One line of the route table; a route for GET answers HEAD too.

    Attributes:
        path: as Klein has it: ``/processes/<name>`` gives ``answer`` an argument ``name``.
        access: who gets an answer; asked before anything of the request is looked at.
    """

    path: str
    methods: tuple[str, ...]
    access: Access
    answer: Handler


def routed(routes: Iterable[Route], report: Callable[[str], None], admits: Admits = nobody) -> IResource:
    """Build the resource that answers by these routes.

    Args:
        routes: the table.
        report: called with one line when a route breaks; the client reads only that it did.
        admits: tells who is answered; nobody but by the routes for everyone, unless it is given.
    """
    app = Klein()
    app.url_map.merge_slashes = False
    table = {f"{'|'.join(route.methods)} {route.path}": route for route in routes}
    for endpoint, route in table.items():
        app.route(route.path, methods=route.methods, endpoint=endpoint)(_answering(route, admits))

    def failed(request: IRequest, failure: Failure) -> bytes | Deferred[bytes]:
        reply = _client_error(failure.value)
        if reply is None:
            report(f"cannot answer a request: {_where(failure)}")
            reply = complaint(SERVER_ERROR, "internal error; procwrap's log says more")
        if reply.code != NOT_ALLOWED:
            return put(reply, request)
        # Who is not admitted does not learn by which methods it would be, either.
        refused = admits(access_of(request, failure.value), request)
        if isinstance(refused, Deferred):
            return refused.addCallback(lambda refusal: put(refusal or reply, request))
        return put(refused or reply, request)

    def access_of(request: IRequest, error: Any) -> Access:
        path = "/" + b"/".join(request.postpath).decode()
        endpoint, _ = app.url_map.bind("localhost").match(path, error.valid_methods[0])
        return table[endpoint].access

    app.handle_errors(Exception)(failed)
    return app.resource()


def _answering(route: Route, admits: Admits) -> Callable[..., bytes | Deferred[bytes]]:
    def handle(request: IRequest, **parts: str) -> bytes | Deferred[bytes]:
        def enter(refused: Refusal) -> bytes | Deferred[bytes]:
            reply = refused or route.answer(request, **parts)
            if isinstance(reply, Deferred):
                return reply.addCallback(_written, request)
            return _written(reply, request)

        refused = admits(route.access, request)
        return refused.addCallback(enter) if isinstance(refused, Deferred) else enter(refused)

    return handle


def _written(reply: Reply, request: IRequest) -> bytes | Deferred[bytes]:
    body = put(reply, request)
    if reply.follow is not None:
        return reply.follow(request)
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
