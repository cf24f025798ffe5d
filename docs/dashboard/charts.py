"""Panels over time: lines, stacks, bars, states, and single figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import frozen
from dashboard.canvas import FAINT, Box, Key, area, legend, line, path, rect, text, width_of
from dashboard.fields import Field, byte_ticks, field, finite, powers, ticks, written

Points = Sequence[tuple[float, float]]
"""Seconds since the beginning, and values; NaN where there is none."""

AXIS = 16.0
"""Height of the labels of time."""


@frozen
class Line:
    """One series of a panel.

    Attributes:
        number: its place among all series of the panel.
    """

    name: str
    points: Points
    number: int


@frozen
class Plot:
    """From values to places."""

    box: Box
    until: float
    low: float
    high: float
    log: bool = False

    def x(self, second: float) -> float:
        """Where a moment is."""
        return self.box.x + self.box.width * second / self.until

    def y(self, value: float) -> float:
        """Where a value is."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(max(value, low)), math.log10(low), math.log10(high)
        return self.box.bottom - self.box.height * (value - low) / (high - low)


def minutes(box: Box, until: float, grid_from: float) -> Iterator[str]:
    """Write the time below a plot."""
    for second in range(0, int(until) + 1, 60 if box.width < 500 else 30):
        x = box.x + box.width * second / until
        yield line(x, grid_from, x, box.bottom)
        label = f"{second // 60}:{second % 60:02}"
        anchor = "start" if second == 0 else "end" if x > box.right - 14 else "middle"
        yield text(label, x, box.bottom + 13, fill=FAINT, anchor=anchor)


def timeseries(panel: dict[str, Any], lines: Sequence[Line], box: Box, until: float) -> Iterator[str]:
    """Draw lines, a stack of areas, or a stack of bars."""
    fields = {each.number: field(panel, each.name) for each in lines}
    whole = field(panel, "")
    bars = whole.get("custom.drawStyle") == "bars"
    # There may not be room for all: those that stand out first.
    keys = [
        Key(each.name.strip(), fields[each.number].color(each.number), _dash(fields[each.number]), bars)
        for each in sorted(lines, key=_largest, reverse=True)
    ]
    high, pieces = legend(keys, box)
    yield from pieces
    plot = _plot(whole, lines, box.without(bottom=high + AXIS, top=4), until)
    yield from minutes(plot.box, until, plot.box.y)
    yield from _scale(whole, plot, box)
    stacked = whole.get("custom.stacking", {}).get("mode") == "normal"
    draw = _bars if bars else _areas if stacked else _lines
    yield from draw(lines, fields, plot)
    yield from _limits(whole, plot)


def _largest(each: Line) -> float:
    return max(finite(value for _, value in each.points), default=0.0)


def _plot(whole: Field, lines: Sequence[Line], box: Box, until: float) -> Plot:
    log = whole.get("custom.scaleDistribution", {}).get("type") == "log"
    stacked = whole.get("custom.stacking", {}).get("mode") == "normal"
    columns = zip(*([value for _, value in each.points] for each in lines), strict=True)
    values = [sum(finite(column)) for column in columns] if stacked else []
    values = values or finite(value for each in lines for _, value in each.points)
    top = max([*values, whole.get("custom.axisSoftMax", 0.0), 0.0])
    if log:
        above = [value for value in values if value > 0] or [0.001]
        low = 10.0 ** math.floor(math.log10(min(above)))
        high = 10.0 ** math.ceil(math.log10(max(above)) + 0.05)
        high = max(
            high,
            *(s["value"] * 2 for s in whole.get("thresholds", {}).get("steps", []) if s["value"]),
            low * 10,
        )
        return Plot(_beside(box, list(powers(low, high)), whole), until, low, high, True)
    low, high = float(whole.get("min") or 0.0), top * 1.08 or 1.0
    if whole.get("decimals") == 0:
        high = max(high, 1.2)
    marks = byte_ticks(high) if whole.get("unit") == "bytes" else ticks(low, high)
    return Plot(_beside(box, marks, whole), until, low, high)


def _beside(box: Box, marks: Sequence[float], whole: Field) -> Box:
    labels = [_label(whole, mark) for mark in marks]
    left = max(width_of(label) for label in labels) + 8 + (15 if whole.get("custom.axisLabel") else 0)
    return box.without(left=left, right=4)


def _label(whole: Field, mark: float) -> str:
    unit = whole.get("unit", "short")
    # The label of the axis says it already.
    return written(mark, "short" if unit == "cps" else unit)


def _scale(whole: Field, plot: Plot, box: Box) -> Iterator[str]:
    if plot.log:
        marks = list(powers(plot.low, plot.high))
    else:
        marks = byte_ticks(plot.high) if whole.get("unit") == "bytes" else ticks(plot.low, plot.high)
    if whole.get("decimals") == 0:
        marks = [mark for mark in marks if mark == int(mark)]
    for mark in marks:
        y = plot.y(mark)
        yield line(plot.box.x, y, plot.box.right, y)
        yield text(_label(whole, mark), plot.box.x - 6, y + 3.8, fill=FAINT, anchor="end")
    if whole.get("custom.axisLabel"):
        middle = plot.box.y + plot.box.height / 2
        yield text(whole.get("custom.axisLabel"), box.x + 9, middle, fill=FAINT, anchor="middle", turn=True)


def _dash(settings: Field) -> str:
    style = settings.get("custom.lineStyle", {})
    return ",".join(map(str, style.get("dash", []))) if style.get("fill") in {"dash", "dot"} else ""


def _runs(
    points: Points, place: Callable[[float, float], tuple[float, float]]
) -> Iterator[list[tuple[float, float]]]:
    """Yield the pieces of a line between its gaps."""
    run: list[tuple[float, float]] = []
    for second, value in points:
        if math.isfinite(value):
            run.append(place(second, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _lines(lines: Sequence[Line], fields: dict[int, Field], plot: Plot) -> Iterator[str]:
    for each in lines:
        settings = fields[each.number]
        color, dash = settings.color(each.number), _dash(settings)
        style = f'stroke-width="{settings.get("custom.lineWidth", 1) * 0.8 + 0.2:g}" stroke-linejoin="round"'
        style += f' stroke-dasharray="{dash}"' if dash else ""
        for run in _runs(each.points, lambda second, value: (plot.x(second), plot.y(value))):
            if settings.get("custom.fillOpacity") and not plot.log:
                ends = [(run[-1][0], plot.box.bottom), (run[0][0], plot.box.bottom)]
                opacity = settings.get("custom.fillOpacity") / 100
                yield area([*run, *ends], color, opacity)
            yield f'<path d="{path(run)}" fill="none" stroke="{color}" {style}/>'


def _areas(lines: Sequence[Line], fields: dict[int, Field], plot: Plot) -> Iterator[str]:
    below = [0.0] * len(lines[0].points)
    for each in lines:
        values = [value if math.isfinite(value) else 0.0 for _, value in each.points]
        above = [floor + value for floor, value in zip(below, values, strict=True)]
        seconds = [second for second, _ in each.points]
        top = [(plot.x(second), plot.y(value)) for second, value in zip(seconds, above, strict=True)]
        floor_line = [(plot.x(second), plot.y(value)) for second, value in zip(seconds, below, strict=True)]
        color = fields[each.number].color(each.number)
        opacity = fields[each.number].get("custom.fillOpacity", 40) / 100
        yield area([*top, *reversed(floor_line)], color, opacity)
        if any(values):
            yield f'<path d="{path(top)}" fill="none" stroke="{color}" stroke-width="1.4"/>'
        below = above


def _bars(lines: Sequence[Line], fields: dict[int, Field], plot: Plot) -> Iterator[str]:
    # Some of the moments, each as wide as the time to the next.
    every = max(1, len(lines[0].points) // 48)
    wide = plot.box.width * every / len(lines[0].points)
    below: dict[float, float] = {}
    for each in lines:
        color = fields[each.number].color(each.number)
        for second, value in each.points[::every]:
            if math.isfinite(value) and value > 0:
                floor = below.get(second, 0.0)
                below[second] = floor + value
                top = plot.y(floor + value)
                bar = Box(plot.x(second) - wide * 0.8, top, wide * 0.8, plot.y(floor) - top)
                yield rect(bar, color, 'fill-opacity="0.9"')


def _limits(whole: Field, plot: Plot) -> Iterator[str]:
    if whole.get("custom.thresholdsStyle", {}).get("mode") == "dashed":
        for step in whole.get("thresholds")["steps"]:
            if step["value"] is not None:
                y = plot.y(step["value"])
                yield line(plot.box.x, y, plot.box.right, y, step["color"], 'stroke-dasharray="6,4"')
