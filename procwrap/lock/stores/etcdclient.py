"""treq's client as etcd's gateway needs it: no cookies, and bodies that are sent in one go."""

from __future__ import annotations

from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

from treq.client import HTTPClient
from twisted.web.iweb import IAgent, IBodyProducer


def make_client(agent: IAgent, whole_body: Callable[[bytes], IBodyProducer]) -> HTTPClient:
    """Build a client.

    Args:
        agent: what connects.
        whole_body: sends a body at once; treq's own kind reads it like a file, a little in each turn.
    """
    # treq's own kind of jar, which its annotation names, differs in how it is read, and that is never done.
    no_cookies: Any = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return HTTPClient(agent, no_cookies, whole_body)
