"""One HTTP request to something beside us: the types, and a wire that is imported late."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime

TIMEOUT = 5.0
"""Seconds from the beginning of a request to the last byte of its answer, unless it says otherwise."""
PREPARED = 60.0
"""Seconds that importing the wire may take when nothing waits for it yet."""
MOST_BYTES = 1024 * 1024
"""Bytes that an answer may have, headers and body together; Envoy's own state can have a tenth of that."""


class AskError(Exception):
    """There was no answer, or not one that can be used; the text says why, in one line without secrets."""


@frozen
class Request:
    """What is asked.

    Attributes:
        url: may hold user and password, which become a header.
        shown: the URL for people, without secrets.
        headers: besides the usual ones.
        timeout: seconds until it is given up.
    """

    method: str
    url: str = field(repr=False)
    shown: str
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    timeout: float = TIMEOUT


@frozen
class Answer:
    """What was said.

    Attributes:
        headers: by their names in lower case; of several of one name, the first.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


Ask = Callable[[Request], "Deferred[Answer]"]
"""Asks once, following no redirect.

Its Deferred fires with any answer, whatever its status, and fails with AskError when there is none in time.
Cancelling it closes the connection; then it fails with CancelledError.
"""


@define(eq=False)
class LateAsk:
    """An ``Ask`` whose wire is imported for its first request, or when ``prepare`` is called.

    Args:
        make: makes what really asks.
    """

    _make: Callable[[], Deferred[Ask]]
    _clock: IReactorTime
    _ask: Ask | None = field(init=False, default=None)

    def prepare(self) -> None:
        """Begin to import what is needed, so that at the end nothing has to be found on a disk."""
        self._imported(PREPARED).addErrback(lambda failure: None)

    @inlineCallbacks
    def __call__(self, request: Request) -> Generator[Deferred[Any], Any, Answer]:
        """Ask once."""
        ask = self._ask
        if ask is None:
            try:
                ask = yield self._imported(request.timeout)
            except CancelledError:
                raise
            except Exception as error:
                raise AskError(f"what asks could not be imported: {type(error).__name__}") from None
        answer: Answer = yield ask(request)
        return answer

    @inlineCallbacks
    def _imported(self, timeout: float) -> Generator[Deferred[Any], Any, Ask]:
        made: Ask = yield self._make().addTimeout(timeout, self._clock)
        self._ask = made
        return made
