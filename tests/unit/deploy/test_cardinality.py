"""docs/explanation/observability.md says how many series there are."""

from __future__ import annotations

import re

from procwrap.core.histogram import Histogram
from procwrap.measuring import MERGE_SECONDS
from tests.support.checkout import ROOT
from tests.support.metrics import Told, over, probed, restarting, started, used

PAGE = (ROOT / "docs/explanation/observability.md").read_text("utf-8")


def told(**more: object) -> Told:
    """A process that has ended once and runs again, with all that every process has."""
    counts = [("api", "stdout", 5, 50), ("api", "stderr", 0, 0)]
    host = Told(("api",), counts=counts, dropped={"stdout": 0}, **more)  # type: ignore[arg-type]
    return host.tell(*started(), *over(), restarting(), *started(), used())


def of(host: Told, name: str) -> int:
    """How many series have the name of a process."""
    return sum(("process_name", name) in labels for _, labels in host.series())


def said(words: str) -> list[int]:
    """The numbers of the one place of the page that matches."""
    (numbers,) = re.findall(words, PAGE)
    return [int(number) for number in numbers]


def test_the_page_counts_right() -> None:
    """Of a process, of a type of probe, of the host and of /prommerge."""
    process, probe = map(int, re.findall(r"A process has (\d+), (\d+) more for each type of probe", PAGE)[0])
    itself, merge = map(
        int, re.findall(r"A host has (\d+) for itself, (\d+) more with `/prommerge`", PAGE)[0]
    )
    host = told()
    assert of(host, "api") == process
    assert len(host.series()) - process == itself
    assert len(told(merging=Histogram(MERGE_SECONDS)).series()) - process - itself == merge
    assert of(told().tell(probed(("tcp", True))), "api") == process + probe
