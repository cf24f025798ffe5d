"""The resource in front of Klein: what holds for every request, and the short way for the kubelet's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from procwrap.web.answers import NO_SUCH_PATH, SECURITY_HEADERS, Reply, put

Shortcut = Callable[[], Reply]


class Front(Resource):
    """Sets the headers of every response and answers the hottest requests without routing them.

    Attributes:
        shortcuts: request targets that are answered at once when a GET or HEAD asks for exactly them.
        end: finishes the answers that have no end.
    """

    isLeaf = True  # noqa: N815

    def __init__(
        self,
        behind: IResource,
        shortcuts: Mapping[bytes, Shortcut],
        end: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._behind = behind
        self.end = end
        self.shortcuts = shortcuts

    def render(self, request: IRequest) -> Any:
        """Answer a request."""
        headers = request.responseHeaders
        headers.removeHeader(b"Server")
        for name, value in SECURITY_HEADERS:
            headers.setRawHeaders(name, [value])
        shortcut = self.shortcuts.get(request.uri)
        if shortcut is not None and request.method in (b"GET", b"HEAD"):
            return put(shortcut(), request)
        return self._route(request)

    def _route(self, request: IRequest) -> Any:
        # Klein raises for targets and Host headers that are not UTF-8, and for a missing Host on a unix
        # socket. No route of ours is about a host.
        if not _is_text(b"/".join(request.postpath)):
            return put(NO_SUCH_PATH, request)
        request.requestHeaders.setRawHeaders(b"Host", [b"localhost"])
        return self._behind.render(request)


def _is_text(path: bytes) -> bool:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
