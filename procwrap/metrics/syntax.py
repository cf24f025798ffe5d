"""The two text formats: which one a target has sent, and which one a scraper wants to have."""

from __future__ import annotations

import enum

_NAMES = ("text/plain", "text/*", "*/*")
_OPEN_NAME = "application/openmetrics-text"


class Syntax(enum.Enum):
    """A text format; the value is its Content-Type.

    Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ and
    https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md.
    """

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def of_content_type(content_type: str) -> Syntax:
    """Return how a body is to be read; whatever is not OpenMetrics is text of version 0.0.4."""
    media = content_type.partition(";")[0].strip().lower()
    return Syntax.OPENMETRICS if media == _OPEN_NAME else Syntax.TEXT


def wanted(accept: str) -> Syntax:
    """Return what an Accept header asks for (RFC 9110, section 12.5.1); without a preference, text."""
    weights = {Syntax.TEXT: 0.0, Syntax.OPENMETRICS: 0.0}
    for choice in accept.split(","):
        media, *parameters = (part.strip().lower() for part in choice.split(";"))
        syntax = _syntax(media, parameters)
        if syntax is not None:
            weights[syntax] = max(weights[syntax], _weight(parameters))
    return Syntax.OPENMETRICS if weights[Syntax.OPENMETRICS] > weights[Syntax.TEXT] else Syntax.TEXT


def _syntax(media: str, parameters: list[str]) -> Syntax | None:
    version = next((text[8:].strip('"') for text in parameters if text.startswith("version=")), None)
    if media == _OPEN_NAME:
        return Syntax.OPENMETRICS if version in (None, "1.0.0", "0.0.1") else None
    # What is in version 1.0.0 of the text format only (quoted names) is never sent.
    return Syntax.TEXT if media in _NAMES else None


def _weight(parameters: list[str]) -> float:
    text = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
