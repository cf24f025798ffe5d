"""What a panel says about one of its lines or columns, and how values are written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import frozen

PALETTE = (
    "#4f9e48", "#d6a500", "#5b98f5", "#ef6f0b", "#d63c50", "#3a63c8",
    "#a24fcb", "#1f9c9c", "#8b5e3c", "#d9609f", "#6b7f2a", "#5d6b7a", "#b8433a", "#2f7fb8",
    "#c99b5f", "#7c6fd0", "#3f8f6f", "#c0609b", "#94a03a", "#4a5fa0",
)  # fmt: skip
"""Of lines for which the panel names no colour."""


@frozen
class Field:
    """The settings of one line or column.

    Attributes:
        settings: by Grafana's names: ``unit``, ``color``, ``custom.lineStyle`` …
    """

    name: str
    settings: dict[str, Any]

    def get(self, key: str, default: Any = None) -> Any:
        """Return a setting."""
        return self.settings.get(key, default)

    def color(self, number: int) -> str:
        """Return the colour of a line, ``number`` being its place in the panel."""
        set_to = self.get("color", {})
        return str(set_to["fixedColor"] if "fixedColor" in set_to else PALETTE[number % len(PALETTE)])

    def at(self, value: float) -> str:
        """Return the colour of a value by the thresholds."""
        steps = self.get("thresholds", {"steps": [{"value": None, "color": "#24292f"}]})["steps"]
        passed = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
        return str(passed[-1])

    def mapped(self, value: str) -> dict[str, str] | None:
        """Return text and colour of a value that is mapped."""
        for mapping in self.get("mappings", []):
            if value in mapping["options"]:
                return dict(mapping["options"][value])
        return None

    def text(self, value: float) -> str:
        """Write a value."""
        return written(value, self.get("unit", "short"), self.get("decimals"))


def field(panel: dict[str, Any], name: str) -> Field:
    """Return the settings of a line or column: the panel's, and what overrides them."""
    config = panel["fieldConfig"]
    settings = {key: value for key, value in config["defaults"].items() if key != "custom"}
    settings |= {f"custom.{key}": value for key, value in config["defaults"].get("custom", {}).items()}
    for override in config["overrides"]:
        if _matches(override["matcher"], name):
            settings |= {each["id"]: each["value"] for each in override["properties"]}
    return Field(name, settings)


def _matches(matcher: dict[str, str], name: str) -> bool:
    if matcher["id"] == "byName":
        return name == matcher["options"]
    return re.search(matcher["options"].strip("/"), name) is not None


def written(value: float, unit: str = "short", decimals: int | None = None) -> str:
    """Write a value with its unit, as short as Grafana does."""
    if unit == "bytes":
        power = min(4, int(math.log(value, 1024))) if value >= 1 else 0
        return f"{_plain(value / 1024**power, decimals)} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
    if unit == "s":
        if value >= 1 or value == 0:
            return f"{_plain(value, decimals)} s"
        return f"{_plain(value * 1000)} ms" if value >= 0.001 else f"{_plain(value * 1e6)} µs"
    if unit == "dtdurations":
        minutes, seconds = divmod(int(value), 60)
        return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"
    return _plain(value, decimals) + ("/s" if unit == "cps" else "")


def _plain(value: float, decimals: int | None = None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers from ``low`` to ``high``."""
    raw = (high - low) / most or 1.0
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, int(high / step + 1e-9) + 1)]


def byte_ticks(high: float) -> list[float]:
    """Return round numbers of MiB."""
    mebi = 1024 * 1024
    return [number * mebi for number in ticks(0, high / mebi)]


def powers(low: float, high: float) -> Iterator[float]:
    """Yield the powers of ten from ``low`` to ``high``."""
    for power in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1):
        yield 10.0**power


def finite(values: Iterable[float]) -> list[float]:
    """Return those that can be drawn."""
    return [value for value in values if math.isfinite(value)]
