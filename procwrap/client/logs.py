"""``procwrap logs``: the recent output of processes, and what they write from now on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from procwrap.client import crowd
from procwrap.client.call import Call
from procwrap.client.fleet import chosen, fetch, path, text
from procwrap.client.following import DROPPED, LOST, Breaks, follow
from procwrap.client.merge import merged
from procwrap.client.sse import OPEN, Event
from procwrap.errors import NoHostError, ProcwrapError, UsageError

LINES = 100
MISSED = 1_000
"""Recent records that are looked through for those that were missed while a connection was lost."""
SETTLE = 0.3
"""Seconds for the recent records of several processes to come, before they are put in order."""
LOOK = 1.0
"""Seconds between two looks whether stdout is still read."""

MOST_AT_ONCE = 20

MOST_FOLLOWED = 50
"""Each takes a connection, and others want some, too."""


def run(call: Call) -> int:
    """Print what was asked for.

    Returns:
        0, 1 when procwrap refused the output of a process, 3 when it has gone.

    Raises:
        UsageError: these are too many to follow.
    """
    names = [text(each, "name") for each in chosen(fetch(call.host)[1], call.asked.words)]
    lines = call.asked.whole("lines")
    wanted = LINES if lines is None else lines
    if call.asked.flag("follow"):
        if len(names) > MOST_FOLLOWED:
            raise UsageError(
                f"procwrap logs -f follows {MOST_FOLLOWED} processes at most, not {len(names)}: name some"
            )
        return Following(call, names, wanted).run()
    return _print_recent(call, names, wanted)


def _print_recent(call: Call, names: Sequence[str], lines: int) -> int:
    found: dict[str, list[bytes]] = {name: [] for name in names}
    code, said = 0, set[str]()
    asked = crowd.at_once(names, lambda name: call.host.text(_where(name, f"lines={lines}")), MOST_AT_ONCE)
    for item in asked:
        if item.brought is not None:
            found[item.source] = _records(item.brought)
        elif item.error is not None:
            code = max(code, _trouble(call, item.source, item.error, said))
    for record in merged(list(found.values())):
        call.screen.record(record)
    return code


def _records(body: bytes) -> list[bytes]:
    return body.removesuffix(b"\n").split(b"\n") if body else []


def _trouble(call: Call, name: str, error: Exception, said: set[str]) -> int:
    """Say that the output of one process cannot be had, once; the others' is printed all the same."""
    if not isinstance(error, ProcwrapError):
        raise error
    why = str(error) if isinstance(error, NoHostError) else f"{name}: {error}"
    if why not in said:
        said.add(why)
        call.screen.say(why)
    return int(error.exit_status)


def _where(name: str, query: str) -> str:
    return f"{path(name, 'logs')}?{query}"


class Followed:
    """One process that is followed, in a thread of its own.

    Attributes:
        name: of the process.
    """

    def __init__(self, call: Call, name: str, lines: int) -> None:
        self._call = call
        self._lines = lines
        self._last: str | None = None
        self.name = name

    def events(self) -> Iterator[Event]:
        """Yield what comes; of records that were there before a connection was lost none comes again."""
        repeats = False
        for event in follow(self._stream, self._call.host.name, self._call.clock):
            if event.kind in (OPEN, LOST, DROPPED):
                repeats = repeats or event.kind == LOST
                yield event
                continue
            records = event.data.split("\n")
            if repeats and self._last in records:
                records = records[len(records) - records[::-1].index(self._last) :]
            repeats = False
            if records:
                self._last = records[-1]
                yield event._replace(data="\n".join(records))

    def _stream(self, last_id: str) -> Iterator[Event]:
        lines = self._lines if self._last is None else MISSED
        return self._call.host.stream(_where(self.name, f"lines={lines}&follow"), last_id)


class Following:
    """Prints the output of several processes as it comes."""

    def __init__(self, call: Call, names: Sequence[str], lines: int) -> None:
        self._call = call
        self._screen = call.screen
        self._all = [Followed(call, name, lines) for name in names]
        self._early: dict[str, list[bytes]] = {name: [] for name in names}
        self._crowd: crowd.Crowd[Event] = crowd.Crowd()
        # One alone, or nothing old: there is nothing to put in order.
        self._settles = len(names) > 1 and lines > 0
        self._breaks = Breaks(call)
        self._code = 0
        self._said: set[str] = set()

    def run(self) -> int:
        """Print until all streams have ended, or nobody reads it any more."""
        for followed in self._all:
            self._crowd.add(followed.name, followed.events)
        settled = self._call.clock.now() + SETTLE
        while self._crowd.left:
            left = settled - self._call.clock.now() if self._settles else LOOK
            item = self._crowd.next(left)
            if item is not None:
                self.take(item)
            elif not self._screen.is_read():
                break
            if self._settles and left <= 0:
                self._settle()
            self._screen.flush()
        self._settle()
        return self._code

    def _settle(self) -> None:
        self._settles = False
        for record in merged(list(self._early.values())):
            self._screen.record(record)
        self._early.clear()

    def take(self, item: crowd.Item[Event]) -> None:
        """Show something that has come."""
        if item.error is not None:
            self._code = max(self._code, _trouble(self._call, item.source, item.error, self._said))
        elif item.brought is not None:
            self._show(item.source, item.brought)

    def _show(self, name: str, event: Event) -> None:
        if self._breaks.take(event):
            return
        if event.kind == DROPPED:
            self._screen.say(
                f"{name}: records were left out, for they are read too slowly here: {event.data}"
            )
        else:
            records = [record.encode("utf-8", "surrogateescape") for record in event.data.split("\n")]
            if self._settles:
                self._early[name] += records
            else:
                for record in records:
                    self._screen.record(record)
