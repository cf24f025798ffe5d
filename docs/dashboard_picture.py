"""Draws docs/_static/dashboard.svg: every panel of the dashboard, with what a real run gave it.

``python docs/dashboard_picture.py`` takes four minutes and needs Debian's ``prometheus``. Meanwhile three
procwraps with nine processes and a lock server run (``docs/dashboard/scene.py``), and a Prometheus scrapes
them. It is asked each expression of the dashboard as Grafana would ask it. Nothing in the picture is made up;
only the cloud that takes a machine back is a server of ours.
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

from dashboard import charts, states, tables  # noqa: E402
from dashboard.canvas import CARD, FONT, INK, LINE, PAGE, TITLE, Box, rect, text  # noqa: E402
from dashboard.scene import Seen, played  # noqa: E402

from tests.support.dashboard import dashboard, substituted  # noqa: E402

PICTURE = DOCS / "_static" / "dashboard.svg"
COLUMN, ROW, GAP = 54.0, 31.0, 4.0
"""Of the grid: Grafana's has 24 columns, and rows of 30 pixels with gaps of 8."""
STEP, WINDOW = 2.5, "10s"


@frozen
class Asked:
    """Asks the questions of panels.

    Attributes:
        until: seconds that the run lasted.
    """

    seen: Seen
    until: float

    def now(self, target: dict[str, Any]) -> list[Any]:
        """Return the series that a query has at the end."""
        asked = {"query": self._expression(target), "time": f"{self.seen.end:.3f}"}
        return list(self.seen.prometheus.api("query", **asked)["result"])

    def lines(self, panel: dict[str, Any]) -> list[charts.Line]:
        """Return what all queries of a panel gave, over time."""
        found: list[charts.Line] = []
        for target in panel["targets"]:
            given = self.seen.prometheus.over_time(
                self._expression(target), self.seen.start, self.seen.end, STEP
            )
            named = [(_named(target["legendFormat"], each["metric"]), each["values"]) for each in given]
            for name, values in sorted(named, key=lambda pair: pair[0]):
                at = {
                    round((float(second) - self.seen.start) / STEP): float(value) for second, value in values
                }
                points = [(n * STEP, at.get(n, math.nan)) for n in range(int(self.until / STEP) + 1)]
                found.append(charts.Line(name, points, len(found)))
        return found

    def _expression(self, target: dict[str, Any]) -> str:
        return substituted(target["expr"], WINDOW, f"{self.until:.0f}s")


def _named(legend: str, labels: dict[str, str]) -> str:
    """Return the name that a query's legend gives a series."""
    return re.sub(r"{{(\w+)}}", lambda label: labels.get(label[1], ""), legend).removesuffix(" · ")


def place(panel: dict[str, Any]) -> Box:
    """Return where a panel is."""
    at = panel["gridPos"]
    return Box(GAP + at["x"] * COLUMN, GAP + at["y"] * ROW, at["w"] * COLUMN, at["h"] * ROW).without(
        *[GAP] * 4
    )


def drawn(panel: dict[str, Any], asked: Asked) -> Iterator[str]:
    """Draw one panel."""
    box = place(panel)
    if panel["type"] == "row":
        yield text("⌄", box.x + 4, box.y + 15, 14, INK, weight=600)
        yield text(panel["title"].replace("$pod", "(all)"), box.x + 20, box.y + 18, 15, INK, weight=600)
        return
    yield rect(box, CARD, f'rx="5" stroke="{LINE}"')
    yield text(panel["title"], box.x + 12, box.y + 20, TITLE, INK, weight=600)
    inner = box.without(top=30, right=12, bottom=8, left=12)
    if panel["type"] == "table":
        yield from tables.table(
            panel, tables.rows_of(panel, [asked.now(each) for each in panel["targets"]]), inner
        )
        return
    lines = asked.lines(panel)
    assert lines, panel["title"]
    if panel["type"] == "stat":
        (now,) = asked.now(panel["targets"][0])
        yield from states.stat(panel, lines, float(now["value"][1]), box.without(top=24))
    else:
        draw = states.timeline if panel["type"] == "state-timeline" else charts.timeseries
        yield from draw(panel, lines, inner, asked.until)


def svg(panels: list[dict[str, Any]], asked: Asked) -> Iterator[str]:
    """Draw all of them."""
    width = 24 * COLUMN + 2 * GAP
    height = max(place(panel).bottom for panel in panels) + 2 * GAP
    size = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">'
    yield "<title>The dashboard of procwrap</title>"
    yield rect(Box(0, 0, width, height), PAGE)
    for panel in panels:
        yield from drawn(panel, asked)
    yield "</svg>"


def main() -> None:
    """Play, ask, draw, write."""
    with tempfile.TemporaryDirectory() as home, played(Path(home)) as seen:
        picture = "\n".join(svg(dashboard()["panels"], Asked(seen, seen.end - seen.start)))
    PICTURE.write_text(picture + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
