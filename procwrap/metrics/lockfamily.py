"""The families of a lock server's metrics: what docs/reference/shared-lock.md lists."""

from __future__ import annotations

from collections.abc import Mapping

from procwrap.core.histogram import Histogram
from procwrap.metrics.family import COUNTER, GAUGE, HISTOGRAM, Family
from procwrap.metrics.page import Page, label

HELD = Family("procwrap_lock_leases", GAUGE, (), "Leases that are held.")
ACQUIRED = Family("procwrap_lock_acquired_total", COUNTER, (), "Requests for a lease that were granted.")
REFUSED = Family(
    "procwrap_lock_refused_total",
    COUNTER,
    (),
    "Requests for a lease that another held to the end of the wait.",
)
RELEASED = Family("procwrap_lock_released_total", COUNTER, (), "Leases that their holders gave back.")
EXPIRED = Family(
    "procwrap_lock_expired_total", COUNTER, (), "Leases that ended because nobody kept them alive in time."
)
WAITING = Family("procwrap_lock_waiting", GAUGE, (), "Requests that wait until a lease ends.")
ANSWERS = Family(
    "procwrap_lock_answers_total", COUNTER, ("endpoint", "code"), "Answers by endpoint and HTTP status."
)
DURATION = Family(
    "procwrap_lock_request_duration_seconds",
    HISTOGRAM,
    ("endpoint",),
    "How long answering took, for /lease with the time that it was to wait.",
)

LOCK_FAMILIES = (HELD, ACQUIRED, REFUSED, RELEASED, EXPIRED, WAITING, ANSWERS, DURATION)
"""In the order in which they are written."""


def lock_page(
    held: int,
    expired: int,
    waiting: int,
    answers: Mapping[tuple[str, int], int],
    seconds: Mapping[str, Histogram],
) -> Page:
    """Turn a lock server's figures into samples.

    Args:
        held: leases.
        expired: leases.
        waiting: requests.
        answers: by endpoint and status.
        seconds: that they took, by endpoint.
    """
    page = Page(LOCK_FAMILIES)
    plain = {
        HELD: held,
        ACQUIRED: answers.get(("/lease", 201), 0),
        REFUSED: answers.get(("/lease", 202), 0),
        RELEASED: answers.get(("/release", 200), 0),
        EXPIRED: expired,
        WAITING: waiting,
    }
    for family, value in plain.items():
        page.add(family, "", value)
    for (endpoint, code), count in sorted(answers.items()):
        page.add(ANSWERS, f"{label('endpoint', endpoint)},{label('code', str(code))}", count)
    for endpoint, histogram in sorted(seconds.items()):
        page.add_histogram(DURATION, label("endpoint", endpoint), histogram)
    return page
