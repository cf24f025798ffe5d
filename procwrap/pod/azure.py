"""Azure's scheduled events, those of the type Preempt that are about this machine.

https://learn.microsoft.com/en-us/azure/virtual-machines/linux/scheduled-events
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks

from procwrap.core.oneline import one_line
from procwrap.pod.ask import Answer, Ask, AskError, Request

EVENTS = "/metadata/scheduledevents?api-version=2020-07-01"
NAME = "/metadata/instance/compute/name?api-version=2021-02-01&format=text"
TIMEOUT = 130.0
"""Seconds: the first request after a machine was made may take two minutes."""

_HEADERS = {"Metadata": "true"}
_COMING = ("Scheduled", "Started")


@define(eq=False)
class Azure:
    """A ``preemption.Herald``.

    Events of all machines of a scale set are told to each of them, so we have to know our own name, which is
    that of the machine and not of its host.

    Args:
        base: where the service is.
        where: the same for people.
    """

    _base: str = field(repr=False)
    where: str
    _ask: Ask
    # As Microsoft advises: a preemption is announced 30 seconds before it comes.
    period: float = 1.0
    _name: str = field(init=False, default="")

    @inlineCallbacks
    def look(self) -> Generator[Deferred[Any], Any, str]:
        """Ask once; return what is announced."""
        if not self._name:
            answer = yield self._get(NAME)
            self._name = answer.body.decode("utf-8", "replace").strip().lower()
            if not self._name:
                raise AskError("it does not know the name of this machine")
        answer = yield self._get(EVENTS)
        return self._announced(answer.body)

    @inlineCallbacks
    def _get(self, path: str) -> Generator[Deferred[Any], Any, Answer]:
        request = Request("GET", self._base + path, self.where, _HEADERS, TIMEOUT)
        answer: Answer = yield self._ask(request)
        if answer.status != 200:
            raise AskError(f"{answer.status}, expected 200")
        return answer

    def _announced(self, body: bytes) -> str:
        try:
            events = [event for event in json.loads(body)["Events"] if self._is_ours(event)]
            times = [str(event.get("NotBefore") or "now") for event in events]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise AskError("expected JSON with events, got something else") from None
        return one_line(f"Azure takes this machine back, not before: {times[0]}", 120) if times else ""

    def _is_ours(self, event: dict[str, Any]) -> bool:
        if event.get("EventType") != "Preempt" or event.get("EventStatus") not in _COMING:
            return False
        # One that names nobody may mean us.
        names = [str(name).lower() for name in event.get("Resources") or ()]
        return not names or self._name in names
