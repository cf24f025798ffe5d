"""Google's metadata server, which answers when something changes.

https://cloud.google.com/compute/docs/metadata/querying-metadata#waitforchange and
https://cloud.google.com/compute/docs/instances/create-use-preemptible#detecting_if_an_instance_was_preempted
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from urllib.parse import quote, urlsplit

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks

from procwrap.core.oneline import one_line
from procwrap.pod.ask import Answer, Ask, AskError, Request

WAITS = 60
"""Seconds after which the server answers although nothing has changed."""
TIMEOUT = WAITS + 10.0

_ANY = "NONE"
"""An etag that no value has: the answer comes at once."""
_LONGEST_ETAG = 256


@define(eq=False)
class Google:
    """A ``preemption.Herald``.

    Args:
        url: of the value ``instance/preempted``.
        where: the same for people.
    """

    _url: str = field(repr=False)
    where: str
    _ask: Ask
    # What does not wait, such as a proxy between us, is not asked more often than that.
    period: float = 1.0
    _etag: str = field(init=False, default=_ANY)

    @inlineCallbacks
    def look(self) -> Generator[Deferred[Any], Any, str]:
        """Wait for a change; return what is announced."""
        etag, self._etag = self._etag, _ANY
        query = f"wait_for_change=true&timeout_sec={WAITS}&last_etag={quote(etag, safe='')}"
        parts = urlsplit(self._url)
        url = parts._replace(query=f"{parts.query}&{query}" if parts.query else query).geturl()
        answer = yield self._ask(Request("GET", url, self.where, {"Metadata-Flavor": "Google"}, TIMEOUT))
        announced = _announced(answer)
        seen = answer.headers.get("etag", "")
        self._etag = seen if 0 < len(seen) <= _LONGEST_ETAG else _ANY
        return announced


def _announced(answer: Answer) -> str:
    if answer.status != 200:
        raise AskError(f"{answer.status}, expected 200")
    # Whatever else answers at that address knows nothing about us.
    if answer.headers.get("metadata-flavor", "").strip().lower() != "google":
        raise AskError("the answer does not say Metadata-Flavor: Google")
    word = answer.body.decode("ascii", "replace").strip().upper()
    if word not in ("TRUE", "FALSE"):
        raise AskError(f"expected TRUE or FALSE, got {one_line(word, 40)!r}")
    return "Google takes this machine back" if word == "TRUE" else ""
