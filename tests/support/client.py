"""What the subcommands that talk to a procwrap are tried with: screens, hosts told what to say, time."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from procwrap.client.call import Call, Clock
from procwrap.client.commands import COMMANDS
from procwrap.client.host import Answer
from procwrap.client.screen import Screen
from procwrap.client.sse import OPEN, Event
from procwrap.client.words import parse
from procwrap.errors import NoHostError, ProcwrapError

WALL = 1_795_291_384.567
"""2026-11-21T20:03:04.567Z."""


STAY = Event("", "stay")
"""Stands in a stream where nothing more comes, and no end."""


class Terminal(io.StringIO):
    """A stream that says that somebody looks at it."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class Hands:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def clock(self) -> Clock:
        """Return these hands as a clock."""
        return Clock(lambda: self.at, lambda: WALL, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


Say = Answer | ProcwrapError | bytes | Sequence[Event | ProcwrapError]


class SpokenHost:
    """Says what it was told to say.

    Args:
        says: for each ``METHOD PATH`` (``GET`` goes without saying) the answer, a text, an error, or what
            comes in a stream. Of a list of lists, each stream is the next; after the last one it is gone.

    Attributes:
        over: is set at the end of the test; a stream with ``STAY`` in it stays open until then.
        asked: every ``METHOD PATH`` so far.
        longer: the last ``longer`` that was asked with.
    """

    name = "/run/test.sock"

    def __init__(self, says: Mapping[str, Any]) -> None:
        self._says = dict(says)
        self.asked: list[str] = []
        self.longer: float | None = 0.0
        self.last_ids: list[str] = []
        self.over = threading.Event()

    def ask(
        self, path: str, method: str = "GET", longer: float | None = 0.0, admits: Collection[int] = (200,)
    ) -> Answer:
        """Answer with an object."""
        self.longer = longer
        said = self._said(path if method == "GET" else f"{method} {path}")
        assert isinstance(said, Answer)
        assert said.status in admits
        return said

    def text(self, path: str) -> bytes:
        """Answer with a text."""
        said = self._said(path)
        assert isinstance(said, bytes)
        return said

    def stream(self, path: str, last_id: str = "") -> Iterator[Event]:
        """Answer with events, and an error if there is one among them."""
        self.last_ids.append(last_id)
        said = self._said(path)
        if not said or isinstance(said[0], list):
            said = said.pop(0) if said else [NoHostError("no procwrap at test", gone=True)]
        if not (said and isinstance(said[0], ProcwrapError)):
            yield Event(OPEN, "", last_id)
        for event in said:
            if isinstance(event, ProcwrapError):
                raise event
            if event is STAY:
                self.over.wait(30)
                return
            yield event

    def _said(self, question: str) -> Any:
        self.asked.append(question)
        said = self._says[question]
        if isinstance(said, Callable):  # type: ignore[arg-type]
            said = said()
        if isinstance(said, ProcwrapError):
            raise said
        return said


def view(name: str, state: str = "running", **more: object) -> dict[str, object]:
    """Return a process as a host tells of it."""
    healthy = state in ("running", "exited")
    told: dict[str, object] = {
        "name": name, "state": state, "healthy": healthy, "reason": "", "pid": None, "uptime": None,
        "restarts": 0, "lastExit": None, "lastExitAt": None, "usage": None,
    }  # fmt: skip
    if state in ("running", "unhealthy", "starting"):
        told |= {"pid": 31, "uptime": 7384.2}
    return told | more


def fleet(*views: Mapping[str, object], **host: object) -> Answer:
    """Return the answer to /api/processes."""
    return Answer(200, {"host": {"healthy": True, "shutdown": False, **host}, "processes": list(views)})


class Tried:
    """A subcommand that was run.

    Attributes:
        code: its exit code.
        out: what it printed.
        err: what it printed on stderr.
    """

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


def try_out(
    run: Callable[[Call], int],
    line: str,
    says: Mapping[str, Any] | SpokenHost,
    *,
    terminal: bool = False,
    environ: Mapping[str, str] | None = None,
    hands: Hands | None = None,
) -> Tried:
    """Run a subcommand against a host that is told what to say.

    Args:
        run: of its module.
        line: its name and words.
        says: what the host says.
        terminal: whether somebody looks.
        environ: the environment.
        hands: of the clock.
    """
    name, *words = line.split()
    out, err = Terminal() if terminal else io.StringIO(), io.StringIO()
    host: Any = says if isinstance(says, SpokenHost) else SpokenHost(says)
    screen = Screen(out, err, environ or {})
    call = Call(parse(COMMANDS[name], words), host, screen, (hands or Hands()).clock())
    try:
        code = run(call)
    finally:
        host.over.set()
    return Tried(code, out.getvalue(), err.getvalue())
