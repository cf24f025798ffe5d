"""One HTTP POST after the other to one server: the types. ``procwrap.posting.make_post`` makes one.

    post = make_post(url, reactor, asides)          # procwrap/posting.py, part of the composition root
    answer = yield post(body, {"content-type": "application/json"})

The HTTP client is imported aside when the first body is posted. A user and password in the URL become a
header (``Authorization: Basic``) and stand in no text; a certificate is verified against those that the
system trusts; the connection is kept for the next body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import field, frozen
from twisted.internet.defer import Deferred

TIMEOUT = 10.0
"""Seconds from the first byte of the request to the last of the answer."""
MOST_BODY = 1024 * 1024
"""Bytes of an answer that are read; the rest is thrown away, and the connection with it."""


class PostError(Exception):
    """There was no answer; the text says why, in one line without secrets."""


@frozen
class Answer:
    """What a server has said.

    Attributes:
        headers: by their names in lower case; of several of one name, the first.
        body: at most ``MOST_BODY`` bytes of it, not packed.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


Post = Callable[[bytes, Mapping[str, str]], "Deferred[Answer]"]
"""Posts a body with these headers.

Its Deferred fires with any answer, whatever its status, and fails with PostError when there is none within
``TIMEOUT``. Cancelling it closes the connection; it fails with PostError then, too."""
