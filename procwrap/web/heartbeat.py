"""/heartbeat: processes say that they live, others ask when they last did."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest

from procwrap.core.heartbeats import Heartbeats
from procwrap.core.timestamp import rfc3339
from procwrap.core.verdicts import Json
from procwrap.web.answers import ACCEPTED, BAD_REQUEST, NOT_FOUND, Reply, argument, complaint, data

UNKNOWN = complaint(NOT_FOUND, "no process of this name")


@define(eq=False)
class Pulse:
    """Takes and shows heartbeats.

    Attributes:
        wall: seconds since the epoch.
    """

    _heartbeats: Heartbeats
    _clock: IReactorTime
    _wall: Callable[[], float]

    def take(self, request: IRequest) -> Reply:
        """Record a heartbeat; nothing is stored for a name that is not in the plan."""
        name = argument(request, "name")
        if not name:
            return complaint(BAD_REQUEST, "missing argument: heartbeat?name=NAME")
        if not self._heartbeats.beat(name, self._clock.seconds(), self._wall()):
            return UNKNOWN
        return data(self._last(name), ACCEPTED)

    def show(self, request: IRequest) -> Reply:
        """Answer when a process, or each of them, last gave a heartbeat."""
        name = argument(request, "name")
        if not name:
            return data([self._last(known) for known in self._heartbeats.names])
        return data(self._last(name)) if name in self._heartbeats.names else UNKNOWN

    def _last(self, name: str) -> Json:
        beat = self._heartbeats.last(name)
        return {"name": name, "lastHeartBeat": None if beat is None else rfc3339(beat.wall)}
