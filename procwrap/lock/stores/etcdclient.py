"""treq's client as etcd's gateway needs it: no cookies, and bodies that are sent in one go."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

from attrs import define, field
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer


def make_client(agent: IAgent) -> HTTPClient:
    """Build a client over an agent."""
    # treq's own kind of jar, which its annotation names, differs in how it is read, and that is never done.
    no_cookies: Any = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return HTTPClient(agent, no_cookies, Body)


@implementer(IBodyProducer)
@define(eq=False)
class Body:
    """A body that is there in whole; treq's own kind reads it like a file, a little in each turn."""

    _data: bytes
    length: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.length = len(self._data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Hand it over."""
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """There is nothing to pause."""

    def resumeProducing(self) -> None:
        """There is nothing to resume."""

    def stopProducing(self) -> None:
        """There is nothing to stop."""
