"""/config, /env and /stats: procwrap itself, for its operators; secrets are replaced by ``***``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import Cooperator
from twisted.web.iweb import IRequest

from procwrap.core.redaction import Json, redacted, redacted_environment
from procwrap.spec.plan import Plan, Settings
from procwrap.web.answers import OK, UNAVAILABLE, Reply, complaint, data
from procwrap.web.routing import Access, Route
from procwrap.web.seats import Seats
from procwrap.web.slices import done_in_slices

AT_ONCE = 4
BUSY = complaint(UNAVAILABLE, "too many ask for the config at a time", ((b"Retry-After", b"1"),))

_ABOUT_HTTP = frozenset({"socket", "control"})


def _nothing() -> Mapping[str, Json]:
    return {}


@frozen
class Inside:
    """What operators may know about procwrap itself.

    Attributes:
        plan: returns what is run at this moment.
        settings: that hold for all of it.
        environment: that procwrap was started with.
        stats: returns figures about procwrap's own work.
    """

    plan: Callable[[], Plan] = lambda: Plan(processes=())
    settings: Settings = Settings()
    environment: Mapping[str, str] = field(factory=dict, repr=False)
    stats: Callable[[], Mapping[str, Json]] = _nothing


@define(eq=False)
class Configured:
    """Shows the config in force, a little at a time: it may have thousands of processes.

    Attributes:
        slices: as from ``procwrap.web.slices``.
    """

    _inside: Inside
    _slices: Cooperator
    _seats: Seats = field(factory=lambda: Seats(AT_ONCE))

    def whole(self, _: IRequest) -> Reply | Deferred[Reply]:
        """Answer with all of the config."""
        return self._written(self._pieces_of_all())

    def api(self, _: IRequest) -> Reply:
        """Answer where HTTP is served, and who may control procwrap."""
        return data(self._api())

    def processes(self, _: IRequest) -> Reply | Deferred[Reply]:
        """Answer with the processes (pidzero's daemons)."""
        return self._written(self._pieces_of_processes())

    def settings(self, _: IRequest) -> Reply:
        """Answer with what concerns all processes."""
        return data(self._settings())

    def environment(self, _: IRequest) -> Reply:
        """Answer with the environment that procwrap was started with."""
        return data(redacted_environment(self._inside.environment))

    def stats(self, _: IRequest) -> Reply:
        """Answer with what procwrap itself uses, and how its work goes."""
        return data(self._inside.stats())

    def _api(self) -> Json:
        settings = self._inside.settings
        control = redacted(settings.control)
        return {
            "socket": settings.socket,
            "controlSocket": control["socket"],
            "token": control["token"],
            "tokenFile": control["tokenFile"],
            "tls": control["tls"],
        }

    def _settings(self) -> Json:
        shown = redacted(self._inside.settings)
        return {name: value for name, value in shown.items() if name not in _ABOUT_HTTP}

    def _pieces_of_all(self) -> Iterator[str]:
        dialect = json.dumps(self._inside.plan().dialect)
        yield f'{{"dialect": {dialect}, "api": {_text(self._api())}, "settings": {_text(self._settings())}, '
        yield '"processes": '
        yield from self._pieces_of_processes()
        yield "}"

    def _pieces_of_processes(self) -> Iterator[str]:
        separator = "["
        for spec in self._inside.plan().processes:
            yield separator + _text(redacted(spec))
            separator = ", "
        yield "[]" if separator == "[" else "]"

    def _written(self, pieces: Iterator[str]) -> Reply | Deferred[Reply]:
        if not self._seats.take():
            return BUSY
        taken: list[bytes] = []
        written = done_in_slices(self._slices, _taking(pieces, taken))
        return written.addBoth(self._seats.left).addCallback(lambda _: Reply(OK, pieces=(*taken, b"\n")))


def about_itself(inside: Inside, slices: Cooperator) -> tuple[Route, ...]:
    """Return the routes, of which some are called as pidzero calls them.

    Args:
        inside: what they show.
        slices: as from ``procwrap.web.slices``.
    """
    shown = Configured(inside, slices)
    return tuple(
        Route(path, ("GET",), Access.OPERATOR, answer)
        for path, answer in (
            ("/config", shown.whole),
            ("/config/api", shown.api),
            ("/config/daemons", shown.processes),
            ("/config/pidzero", shown.settings),
            ("/env", shown.environment),
            ("/stats", shown.stats),
        )
    )


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _taking(pieces: Iterator[str], taken: list[bytes]) -> Iterator[None]:
    for piece in pieces:
        taken.append(piece.encode("utf-8", "replace"))
        yield
