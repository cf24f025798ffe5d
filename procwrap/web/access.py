"""Who gets an answer: everybody, or those alone who know the token or came through the control socket.

It is decided before anything else of a request is looked at, so that a refusal tells nothing about what
there is.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest

from attrs import define
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest

from procwrap.web.answers import UNAVAILABLE, Reply, complaint

UNAUTHORIZED = 401
FORBIDDEN = 403

NEEDS_TOKEN = complaint(
    UNAUTHORIZED,
    "expected the header Authorization: Bearer TOKEN, with the token of the API",
    ((b"WWW-Authenticate", b"Bearer"),),
)
NO_TOKEN = complaint(
    FORBIDDEN, "no token is configured (api.token or api.tokenFile): only the control socket admits"
)
UNREADABLE = complaint(
    UNAVAILABLE,
    "the token of the API cannot be read: only the control socket admits; procwrap's log says why",
)

_SCHEME = b"bearer"


class Access(enum.Enum):
    """Who gets an answer."""

    EVERYONE = "everyone who reaches the port"
    OPERATOR = "who sends the token, or came through the control socket"


Refusal = Reply | None
"""The answer to somebody who is not admitted; None for one who is."""
Admits = Callable[[Access, IRequest], Refusal | Deferred[Refusal]]


@define(eq=False)
class TokenUnreadableError(Exception):
    """There should be a token, and nobody can tell which."""


def fingerprint(token: bytes) -> bytes:
    """Return what is kept and compared in the place of a token: of the same length for all of them."""
    return sha256(token).digest()


def judge(expected: bytes | None, authorization: Sequence[bytes]) -> Refusal:
    """Decide by the Authorization headers of a request.

    Args:
        expected: the fingerprint of the token; None when there is none, and so nobody is admitted.
        authorization: the values of all headers of this name.
    """
    if expected is None:
        return NO_TOKEN
    # The time that this takes depends on what was sent alone, never on how much of it is right.
    sent = fingerprint(_bearer(authorization))
    return None if compare_digest(sent, expected) else NEEDS_TOKEN


def _bearer(authorization: Sequence[bytes]) -> bytes:
    """The token that was sent; empty, as no token is, for whatever else stands there (RFC 6750, 2.1)."""
    if len(authorization) != 1:
        return b""
    scheme, _, token = authorization[0].partition(b" ")
    return token.lstrip(b" ") if scheme.lower() == _SCHEME else b""


@define(eq=False)
class Admission:
    """Asks who a request is from, where that matters.

    Attributes:
        token: returns the fingerprint of the token as it is now, or a Deferred of it; None when there is no
            token. Raises, or fails with, TokenUnreadableError when there should be one.
    """

    _token: Callable[[], bytes | Deferred[bytes] | None]

    def admits(self, access: Access, request: IRequest) -> Refusal | Deferred[Refusal]:
        """Return None for a request that is to be answered, else what it is told instead."""
        if access is Access.EVERYONE or came_through_control_socket(request):
            return None
        authorization = request.requestHeaders.getRawHeaders(b"authorization", [])
        try:
            expected = self._token()
        except TokenUnreadableError:
            return UNREADABLE
        if not isinstance(expected, Deferred):
            return judge(expected, authorization)
        decided: Deferred[Refusal] = expected.addCallback(judge, authorization)
        return decided.addErrback(lambda failure: failure.trap(TokenUnreadableError) and UNREADABLE)


def nobody(access: Access, request: IRequest) -> Refusal:
    """Admit to what is for everyone, as a site without any token does."""
    return None if access is Access.EVERYONE else NO_TOKEN


def fixed(token: str | None) -> Callable[[], bytes | None]:
    """Return what always gives the fingerprint of one token; an empty one is none."""
    known = fingerprint(token.encode()) if token else None
    return lambda: known


def came_through_control_socket(request: IRequest) -> bool:
    """Return whether the kernel has let the client in, by the permissions of the control socket."""
    site = getattr(getattr(request, "channel", None), "site", None)
    return getattr(site, "is_control", False) is True
