from __future__ import annotations

from twisted.internet.task import Clock

from procwrap.core.events import Level
from procwrap.pod.outage import QUIET, Outage
from procwrap.pod.problem import ApiError


def test_it_is_told_once() -> None:
    """However often it is tried; and once that it is over."""
    clock = Clock()
    told: list[tuple[Level, str]] = []
    outage = Outage("job-1", clock, lambda level, text: told.append((level, text)))
    for _ in range(1000):
        outage.goes_on(ApiError("no answer"))
        clock.advance(1)
    outage.is_over()
    outage.is_over()
    assert told == [
        (Level.WARNING, "cannot watch the Pod job-1: no answer"),
        (Level.INFO, "the Pod job-1 can be watched"),
    ]


def test_what_a_person_has_to_mend_is_told_besides() -> None:
    """It is an error, and told though something else was told just now."""
    told: list[Level] = []
    outage = Outage("job-1", Clock(), lambda level, text: told.append(level))
    outage.goes_on(ApiError("no answer"))
    outage.goes_on(ApiError("may not list pods", refused=True))
    assert told == [Level.WARNING, Level.ERROR]


def test_never_more_than_a_few_lines_a_minute() -> None:
    """A connection that comes and goes fills no log."""
    clock, told = Clock(), [0]

    def count(level: Level, text: str) -> None:
        told[0] += 1

    outage = Outage("job-1", clock, count)
    for number in range(1000):
        outage.goes_on(ApiError(str(number)))
        outage.is_over()
        clock.advance(QUIET / 100)
    assert told[0] == 20
