"""Panels of states over time, and of single figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from dashboard.canvas import INK, LINE, Box, Key, area, clipped, legend, path, rect, text, width_of
from dashboard.charts import AXIS, Line, Points, minutes
from dashboard.fields import field


def timeline(panel: dict[str, Any], lines: Sequence[Line], box: Box, until: float) -> Iterator[str]:
    """Draw a row of coloured pieces for each series."""
    settings = field(panel, "")
    (mapping,) = settings.get("mappings")
    seen = {str(int(value)) for each in lines for _, value in each.points if math.isfinite(value)}
    keys = [
        Key(each["text"], each["color"], block=True)
        for value, each in mapping["options"].items()
        if value in seen
    ]
    high, pieces = legend(keys, box, 1)
    yield from pieces
    left = min(max(width_of(each.name.strip()) for each in lines) + 10, box.width * 0.45)
    plot = box.without(bottom=high + AXIS, left=left, right=4)
    yield from minutes(plot, until, plot.y)
    step = plot.height / len(lines)
    thick = min(step * 0.74, 26.0)
    for number, each in enumerate(lines):
        middle = plot.y + step * (number + 0.5)
        name = clipped(each.name.strip(), left - 8)
        yield text(name, plot.x - 8, middle + 4, anchor="end", fill=INK)
        for begins, ends, value in _pieces(each.points, until):
            shown = settings.mapped(value) or {"text": value, "color": LINE}
            start, stop = plot.x + plot.width * begins / until, plot.x + plot.width * ends / until
            yield rect(
                Box(start, middle - thick / 2, max(stop - start - 0.6, 0.7), thick),
                shown["color"],
                'rx="1.5"',
            )
            if width_of(shown["text"], 10.5) + 12 < stop - start and thick > 13:
                yield text(
                    shown["text"], start + 6, middle + 3.8, 10.5, "#ffffff" if _dark(shown["color"]) else INK
                )


def _pieces(points: Points, until: float) -> Iterator[tuple[float, float, str]]:
    """Yield the times between changes, with the value that holds there."""
    begins, value = 0.0, ""
    for second, found in [*points, (until, math.nan)]:
        now = str(int(found)) if math.isfinite(found) else ""
        if now != value:
            if value:
                yield begins, second, value
            begins, value = second, now


def _dark(color: str) -> bool:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue < 150


def stat(panel: dict[str, Any], lines: Sequence[Line], now: float, box: Box) -> Iterator[str]:
    """Write one figure, with what it was before as its ground."""
    settings = field(panel, "")
    color = settings.at(now)
    values = [(second, value) for second, value in lines[0].points if math.isfinite(value)] if lines else []
    if panel["options"]["graphMode"] == "area" and len(values) > 1:
        ground = box.below(box.height * 0.36)
        top = max(value for _, value in values) or 1.0
        last = values[-1][0]
        points = [
            (ground.x + ground.width * s / last, ground.bottom - ground.height * 0.9 * v / top)
            for s, v in values
        ]
        yield area([*points, (points[-1][0], ground.bottom), (points[0][0], ground.bottom)], color, 0.13)
        stroke = f'stroke="{color}" stroke-opacity="0.6" stroke-width="1.3"'
        yield f'<path d="{path(points)}" fill="none" {stroke}/>'
    figure, size = settings.text(round(now)), 40.0
    yield text(
        figure, box.x + box.width / 2, box.y + box.height * 0.5 + size * 0.2, size, color, "middle", 600
    )
