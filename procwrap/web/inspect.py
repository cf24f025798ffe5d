"""/ping, /pids, /pidof and /status: what runs, told from the snapshot."""

from __future__ import annotations

from attrs import define
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest

from procwrap.core.board import Board
from procwrap.core.fullview import FullView, full_status
from procwrap.core.verdicts import status
from procwrap.web.answers import (
    BAD_REQUEST,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    TEXT,
    Reply,
    argument,
    complaint,
    data,
)

PONG = data({"ping": "ok"})
NOTHING = Reply(NO_CONTENT)


def ping(_: IRequest) -> Reply:
    """Answer that HTTP is served, whatever the processes do."""
    return PONG


@define(eq=False)
class Inspection:
    """Shows the processes."""

    _board: Board
    _clock: IReactorTime
    _full: FullView = FullView()

    def pids(self, _: IRequest) -> Reply:
        """Answer with the pid of every process that runs."""
        views = self._board.snapshot.processes.values()
        running = {view.name: view.pid for view in views if view.pid is not None}
        return data(running) if running else NOTHING

    def pidof(self, request: IRequest) -> Reply:
        """Answer with the pid of one process, as text."""
        name = argument(request, "name")
        if not name:
            return complaint(BAD_REQUEST, "missing argument: pidof?name=NAME")
        view = self._board.snapshot.processes.get(name)
        if view is None:
            return complaint(NOT_FOUND, "no process of this name")
        if view.pid is None:
            return complaint(NOT_FOUND, f"{name} does not run: {view.state.value}")
        return Reply(OK, b"%d\n" % view.pid, TEXT)

    def status(self, request: IRequest) -> Reply:
        """Answer which processes are fine or, if asked, everything about them."""
        snapshot = self._board.snapshot
        if not snapshot.processes:
            return NOTHING
        if argument(request, "full") is not None or _wants_full(request):
            return data(full_status(snapshot, self._clock.seconds(), self._full))
        return data(status(snapshot))


def _wants_full(request: IRequest) -> bool:
    accept = request.requestHeaders.getRawHeaders(b"accept", [])
    parameters = b";".join(accept).lower().replace(b'"', b"").replace(b",", b";").split(b";")
    return b"profile=full" in [parameter.strip() for parameter in parameters]
