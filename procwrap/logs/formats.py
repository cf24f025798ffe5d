"""The formats by name: what the config's ``logFormat`` and LOG_FORMAT choose from."""

from __future__ import annotations

from collections.abc import Callable

from procwrap.logs.jsonl import JsonLines
from procwrap.logs.labels import Field, Raw, label_fields
from procwrap.logs.logfmt import Logfmt
from procwrap.logs.source import Source
from procwrap.logs.structured import Structured

Formatter = Callable[[bytes, str, bool], bytes]
"""Takes a block of complete lines, each ending in a newline, the time stamp of them all, and whether they are
pieces of a line that goes on; returns as many records, each ending in a newline."""


def formatter(log_format: str, source: Source) -> Formatter:
    """Return what writes the lines of one stream in one format.

    Args:
        log_format: ``logfmt``, ``auto``, ``json``, ``free`` or ``plain``.
        source: Whose lines they are.

    Raises:
        ValueError: There is no such format.
    """
    match log_format:
        case "logfmt" | "auto":
            return Structured(Logfmt(_ours(source)), finds_levels=log_format == "auto")
        case "json":
            return Structured(JsonLines(_ours(source)))
        case "free" | "plain":
            return free
    raise ValueError(f"unknown log format {log_format!r}: expected logfmt, auto, json, free or plain")


def free(block: bytes, stamp: str, partial: bool) -> bytes:
    """Return the child's bytes as they are."""
    return block


def _ours(source: Source) -> list[Field]:
    facts = [("name", source.name), ("out", source.out), ("pid", Raw(source.pid))]
    if source.hook:
        facts.append(("hook", source.hook))
    return [*facts, *label_fields(source.labels)]


__all__ = ["Formatter", "Source", "formatter"]
