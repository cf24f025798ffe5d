"""A host of HTTP alone, for tests with real sockets: ``python -m tests.support.web_host SOCKET [patience]``.

It says on standard output where it serves, then obeys each line of its standard input: ``up NAME`` and
``down NAME`` move a process, ``watchers`` asks how many watch the board. It ends with its standard input.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from attrs import evolve
from twisted.internet import reactor as global_reactor
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from procwrap.core.board import Board
from procwrap.core.events import Declared, StateChanged
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.lifecycle import State
from procwrap.spec.plan import LivenessRule
from procwrap.web.listening import bind

NAMES = ("api", "db")
STATES = {"up": State.RUNNING, "down": State.UNHEALTHY}
reactor: Any = global_reactor


def say(what: object) -> None:
    """Write one line."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def seconds_of(text: str) -> float:
    """Understand ``30s``."""
    if not text.endswith("s"):
        raise ValueError(text)
    return float(text[:-1])


class Orders(LineReceiver):
    """Takes orders on standard input."""

    delimiter = b"\n"

    def __init__(self, board: Board) -> None:
        self._board = board

    def lineReceived(self, line: bytes) -> None:
        """Carry one out."""
        verb, *names = line.decode().split()
        for name in names:
            self._board.tell(StateChanged(name, STATES[verb], reactor.seconds(), time.time(), "told to"))
        say(len(self._board._watchers) if verb == "watchers" else "done")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End with whoever started us."""
        reactor.stop()


def main(where: str, patience: str = "10") -> None:
    """Serve until standard input ends."""
    bound = bind(where, reactor)
    say(getattr(bound.host, "port", where))
    from procwrap.web.limits import Limits
    from procwrap.web.site import HostView, make_site

    board = Board(say)
    board.tell(Declared(NAMES))
    view = HostView(board, Heartbeats(NAMES), LivenessRule.HEALTHY, reactor, time.time, seconds_of)
    bound.serve(make_site(view, evolve(Limits(), patience=float(patience))))
    StandardIO(Orders(board))
    reactor.addSystemEventTrigger("before", "shutdown", bound.stop)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
