"""Part of the composition root: who may control procwrap, and the socket through which no token is needed."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed

from procwrap.core.board import Board
from procwrap.core.events import Level, Notice
from procwrap.probes.aside import Asides
from procwrap.spec.control import Control
from procwrap.web.access import Admission, Admits, fixed
from procwrap.web.controlsocket import ControlSocket, NoControlSocketError, open_control
from procwrap.web.tokenfile import TokenFile


def make_admits(control: Control, board: Board, reactor: Any) -> Admits:
    """Return what decides who is answered by the routes for operators."""
    if control.token_file is None:
        return Admission(fixed(control.token)).admits

    def warn(text: str) -> None:
        board.tell(Notice(Level.WARNING, text))

    file = TokenFile(control.token_file, Asides(reactor).ask, reactor, warn)
    file.begin()
    return Admission(file.current).admits


@define(eq=False)
class ControlDoor:
    """The control socket, from its opening to its removal.

    Args:
        opened: the socket, if that was done before Twisted was imported.
    """

    _control: Control
    _board: Board
    _reactor: Any
    _opened: ControlSocket | None = None
    _bound: Any = field(init=False, default=None)
    _notice: Notice | None = field(init=False, default=None)

    @property
    def is_open(self) -> bool:
        """Whether clients can connect."""
        return self._bound is not None

    def listen(self) -> None:
        """Open the socket, if there is to be one; that none can be had is told later, by ``serve``.

        Raises:
            NoControlSocketError: it cannot be had, and somebody has asked for it.
        """
        path = self._control.socket
        if path is None:
            return
        try:
            self._opened = self._opened or open_control(path)
        except NoControlSocketError as error:
            if self._control.socket_required:
                raise
            level = Level.INFO if error.is_usual else Level.WARNING
            self._notice = Notice(level, str(error))
            return
        from procwrap.web.listening import adopt_control

        self._bound = adopt_control(self._opened, self._reactor)

    def tell(self) -> None:
        """Say so if there is no control socket."""
        if self._notice is not None:
            self._board.tell(self._notice)

    def serve(self, site: Any) -> None:
        """Answer from now on."""
        if self._bound is not None:
            self._bound.serve(site)

    def stop(self) -> Deferred[None]:
        """End all connections, and remove the file if it is still ours."""
        if self._opened is not None:
            self._opened.remove()
        return succeed(None) if self._bound is None else self._bound.stop()
