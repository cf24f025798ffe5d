"""The status page: ``GET /`` with the table as it is now, and the files that keep it up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from socket import gethostname
from typing import Any

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest

from procwrap import __version__
from procwrap.core.board import Board
from procwrap.core.fullview import FullView
from procwrap.core.snapshot import Snapshot
from procwrap.core.verdicts import readiness
from procwrap.web.access import Access, came_through_control_socket
from procwrap.web.answers import NO_SUCH_PATH, Reply
from procwrap.web.pagefiles import FILES, HTML, INDEX, ROW, Kept, keep
from procwrap.web.routing import Route
from procwrap.web.statusrows import blank, duration, problems_first, rows

MOST_ROWS = 300
"""Processes that the server writes into the page itself; the page's script shows all of them."""

Processes = Sequence[Mapping[str, Any]]


@frozen
class Verdict:
    """How the host is, in a few words; ``icon`` is the shape of a state, ``tone`` says how bad it is."""

    tone: str
    icon: str
    words: str
    why: str = ""


def verdict(snapshot: Snapshot, processes: Processes) -> Verdict:
    """Say whether traffic should come and, if not, why; ``page/look.js`` says the same."""
    if snapshot.shutdown:
        return Verdict("warn", "stopping", "Shutting down", "the processes are being stopped")
    if snapshot.preempted:
        return Verdict("warn", "stopping", "Preempted", "this machine is about to be taken away")
    ready = readiness(snapshot)
    if ready.ok:
        return Verdict("ok", "running", "Ready", _all_is_well(processes))
    causes = [one for one in problems_first(processes) if one["name"] in ready.causes]
    if not causes:
        return Verdict("busy", "waiting", "Not ready", "nothing was started yet")
    why = f"{causes[0]['name']}: {causes[0]['reason'] or causes[0]['state']}"
    if len(causes) > 1:
        why += f", and {len(causes) - 1} more"
    if all(one["state"] in ("starting", "waiting", "standby") for one in causes):
        return Verdict("busy", "starting", "Not ready", why)
    return Verdict("bad", "unhealthy", "Not ready", why)


def _all_is_well(processes: Processes) -> str:
    standing_by = sum(one["state"] == "standby" for one in processes)
    if standing_by:
        return f"{len(processes) - standing_by} fine, {standing_by} standing by"
    return f"all {len(processes)} processes are fine" if len(processes) > 1 else ""


@frozen
class Moment:
    """When a page is written, and for whom.

    Attributes:
        wall: seconds since the epoch.
        uptime: seconds since procwrap was started.
        admitted: no token is asked for on the way by which the client has come.
    """

    host: str
    wall: float
    uptime: float
    admitted: bool = False


def page(said: Verdict, listed: Processes, moment: Moment) -> str:
    """Return the whole page with everything that is known now."""
    processes = problems_first(listed)
    hidden = len(processes) - MOST_ROWS
    nothing = "No processes yet." if hidden <= 0 else f"And {hidden} more."
    problem = "" if said.tone == "ok" else f"{said.words} · "
    filled = {
        "title": f"{problem}{moment.host} · procwrap",
        "host": moment.host,
        "version": __version__,
        "up": duration(moment.uptime),
        "admitted": "yes" if moment.admitted else "no",
        "tone": said.tone,
        "icon": said.icon,
        "verdict": said.words,
        "why": said.why,
        "nothing": nothing,
        "none": "hidden" if processes and hidden <= 0 else "",
    }
    table = "".join(rows(ROW, processes[:MOST_ROWS], moment.wall))
    written = {key: escape(value) for key, value in filled.items()}
    return INDEX.substitute(written, rows=table, row=blank(ROW))


def file(request: IRequest, name: str) -> Reply:
    """Answer with one of the files of the page."""
    kept = FILES.get(name)
    return NO_SUCH_PATH if kept is None else kept.reply(request)


@define(eq=False)
class StatusPage:
    """Answers with the page.

    Args:
        wall: seconds since the epoch.
        full: tells everything about a process.
        began: seconds of the clock when procwrap began.
        host: the name by which people know this machine; in a Pod it is the Pod's.
    """

    _board: Board
    _clock: IReactorTime
    _wall: Callable[[], float]
    _full: FullView = FullView()
    _began: float = 0.0
    _host: str = field(factory=gethostname)
    _of: tuple[Snapshot, int, bool] | None = field(init=False, default=None, repr=False)
    _written: Kept = field(init=False, default=keep(b"", HTML), repr=False)

    def routes(self) -> Iterator[Route]:
        """Return the page and its files, which are for everyone; so are the names and states it shows."""
        yield Route("/", ("GET",), Access.EVERYONE, self.show)
        yield Route("/page/<name>", ("GET",), Access.EVERYONE, file)

    def show(self, request: IRequest) -> Reply:
        """Answer with the page as it is in this second; however many ask, it is written once."""
        wanted = (self._board.snapshot, int(self._wall()), came_through_control_socket(request))
        if self._of is None or wanted[0] is not self._of[0] or wanted[1:] != self._of[1:]:
            text = self._text(wanted[0], admitted=wanted[2])
            self._written = keep(text.encode(errors="replace"), HTML, level=1)
            self._of = wanted
        return self._written.reply(request)

    def _text(self, snapshot: Snapshot, *, admitted: bool) -> str:
        now = self._clock.seconds()
        processes = [self._full.of(view, now) for view in snapshot.processes.values()]
        moment = Moment(self._host, self._wall(), now - self._began, admitted)
        return page(verdict(snapshot, processes), processes, moment)
