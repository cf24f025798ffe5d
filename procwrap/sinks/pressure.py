"""Back-pressure: from a full queue to the pipes of the children.

The queue in front of stdout tells its size after every change. Above the high mark every producer is paused,
so Twisted no longer reads the children's pipes, these fill, and the children wait in their own ``write``, as
they would without procwrap. At the low mark all go on. The distance between the marks keeps a queue that
hovers around one size from pausing and resuming without end.

Rejected: pausing only the loudest child (the others fill the queue as well, only later, and fairness is not
worth a second rule), and dropping the oldest lines (nothing may be lost on stdout).
"""

from __future__ import annotations

from typing import Protocol

from attrs import define, field

HIGH = 8 * 1024 * 1024
LOW = 4 * 1024 * 1024

LAST_HIGH = 32 * 1024 * 1024
"""Above this even the pipes of ended processes are no longer read. Up to it they are, while the others wait:
what is in them is little, and a process that is restarted again and again leaves two behind each time."""

LAST_LOW = 16 * 1024 * 1024


class Producer(Protocol):
    """What reads a child's pipe: Twisted's ``IPushProducer`` without its end."""

    def pauseProducing(self) -> None:
        """Stop reading."""

    def resumeProducing(self) -> None:
        """Read again."""


@define(eq=False)
class Pressure:
    """Pauses and resumes all producers as the bytes that wait rise above ``high`` and sink to ``low``."""

    _high: int = HIGH
    _low: int = LOW
    paused: bool = field(default=False, init=False)
    _producers: dict[int, Producer] = field(factory=dict, init=False)

    def register(self, producer: Producer) -> None:
        """Take a producer in; if the others are paused, so is this one, at once."""
        self._producers[id(producer)] = producer
        if self.paused:
            producer.pauseProducing()

    def unregister(self, producer: Producer) -> None:
        """Forget a producer; it is neither paused nor resumed from here any more."""
        self._producers.pop(id(producer), None)

    def relieved_by(self, waiting: int) -> bool:
        """Whether telling ``level(waiting)`` would let the producers go on; callable from any thread."""
        return self.paused and waiting <= self._low

    def level(self, waiting: int) -> None:
        """Take note of how many bytes wait now."""
        if self.relieved_by(waiting):
            self.paused = False
            self._tell_all()
        elif not self.paused and waiting > self._high:
            self.paused = True
            self._tell_all()

    def _tell_all(self) -> None:
        """Tell every producer; one of them may write at once and so turn the tables while we are at it."""
        now = self.paused
        for key, producer in list(self._producers.items()):
            if self.paused is not now:
                return
            if key in self._producers:
                (producer.pauseProducing if now else producer.resumeProducing)()
