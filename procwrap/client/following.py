"""A stream that is followed through breaks of its connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from procwrap.client.call import Call, Clock
from procwrap.client.sse import OPEN, Event
from procwrap.errors import NoHostError

LOST = ":lost"
"""The kind of the event that tells that it has broken off; its data say why."""

DROPPED = "dropped"
"""The kind of the event with which the host tells how much it has left out."""

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 10.0
SHORT_PAUSE = 1.0
"""Seconds between two looks for a host that has yet to begin."""
GONE_AFTER = 3.0


def follow(
    stream: Callable[[str], Iterator[Event]],
    name: str,
    clock: Clock,
    *,
    patient: bool = False,
    gone_after: float = GONE_AFTER,
) -> Iterator[Event]:
    """Follow a stream, and begin anew where it breaks off.

    Args:
        stream: begins it, after the event with this id.
        name: of the host, for messages.
        clock: where time comes from.
        patient: whether a host that is not there, or is gone, may come.
        gone_after: seconds in which somebody has to listen there again.

    Yields:
        What the host sends, and ``OPEN`` and ``LOST`` in between.

    Raises:
        NoHostError: there is no host, or no more.
        OrderRefusedError: it does not let us follow.
    """
    last_id, begun, gone_since, pause = "", False, None, FIRST_PAUSE
    while True:
        why = "procwrap has ended it"
        try:
            for event in stream(last_id):
                if event.kind == OPEN:
                    begun, gone_since, pause = True, None, FIRST_PAUSE
                last_id = event.last_id
                yield event
        except NoHostError as error:
            if not begun and not (patient and error.gone):
                raise
            why = str(error)
            if error.gone and begun and not patient:
                gone_since = clock.now() if gone_since is None else gone_since
                if clock.now() - gone_since >= gone_after:
                    raise NoHostError(f"the procwrap at {name} has gone", gone=True) from None
        yield Event(LOST, why, last_id)
        clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE if begun else SHORT_PAUSE)


class Breaks:
    """Says that the connection is lost, and that it is there again: once, however many streams meet it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lost = False

    def take(self, event: Event) -> bool:
        """Take an event of ``follow``; return whether it was about the connection."""
        name = self._call.host.name
        if event.kind == LOST:
            self._tell(f"the connection to {name} is lost: {event.data}; trying again", lost=True)
        elif event.kind == OPEN:
            self._tell(f"connected to {name} again", lost=False)
        return event.kind in (LOST, OPEN)

    def _tell(self, what: str, *, lost: bool) -> None:
        if lost != self._lost:
            self._lost = lost
            self._call.screen.say(what)
