"""Part of the composition root: the way of records and events to a server that takes them over HTTP."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThreadPool

from procwrap.core.events import Level
from procwrap.probes.aside import Asides
from procwrap.sinks.delivery import Delivery
from procwrap.sinks.post import Answer, Post, PostError
from procwrap.sinks.shipping import Bounds, Shipping, Surroundings
from procwrap.sinks.trouble import Trouble

T = TypeVar("T")


def make_delivery(
    shipping: Shipping[T],
    what: str,
    url: str,
    bounds: Bounds,
    reactor: Any,
    wall: Callable[[], float],
    report: Callable[[Level, str], None],
) -> Delivery[T]:
    """Build what takes items to a server.

    Args:
        shipping: knows the kind of server.
        what: is sent, for the log: ``log records``.
        url: that is posted to; may hold user and password.
        bounds: of the queue and the batches.
        reactor: the one that runs.
        wall: seconds since the epoch.
        report: takes a line for the log.
    """

    def in_thread(work: Callable[[], Any]) -> Deferred[Any]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work)

    trouble = Trouble(what, urlsplit(url).netloc.rpartition("@")[2], reactor, report)
    world = Surroundings(reactor, wall, random.random, in_thread, trouble)
    return Delivery(shipping, make_post(url, reactor, Asides(reactor)), bounds, world)


def make_post(url: str, reactor: Any, asides: Asides) -> Post:
    """Return what posts to a URL (``sinks/post.py``).

    Args:
        url: may hold user and password, which become a header.
        reactor: the one that runs.
        asides: import what is needed, and ask the name server.
    """
    return _LatePost(url, reactor, asides)


@define(eq=False)
class _LatePost:
    """Imports what posts when there is something to post, aside."""

    _url: str = field(repr=False)
    _reactor: Any
    _asides: Asides
    _post: Post | None = field(init=False, default=None)

    @inlineCallbacks
    def __call__(self, body: bytes, headers: Mapping[str, str]) -> Generator[Deferred[Any], Any, Answer]:
        if self._post is None:
            try:
                self._post = yield self._asides.ask(self._make, self._url)
            except Exception as error:
                raise PostError(f"cannot post: {type(error).__name__}") from None
        answer: Answer = yield self._post(body, headers)
        return answer

    def _make(self, url: str) -> Post:
        from procwrap.postwiring import wired

        return wired(url, self._reactor, self._asides)
