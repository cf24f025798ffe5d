"""A Loki that keeps what is pushed, and complains as the real one does; ``moods.py`` says how it misbehaves.

Run as a program. It can be asked for ``streams`` (a list of their labels and their entries, each a time in
nanoseconds and a line), ``numbers`` (of each process, the N of its lines with ``line N``), ``count``,
``requests`` (the headers of each and the size of its body) and ``duplicates``.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from klein import Klein

from tests.support.servers.moods import Moods, Moody, serve

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_NUMBER = re.compile(r"\bline (\d+)")
MOST_LABELS = 15


@define(eq=False)
class Loki:
    """What is kept."""

    streams: dict[str, list[tuple[int, str]]] = field(factory=dict)
    requests: list[dict[str, Any]] = field(factory=list)
    duplicates: int = 0

    def push(self, request: Any) -> bytes:
        """Take a request, or refuse it."""
        body = request.content.read()
        headers = {
            name.decode().lower(): values[0].decode()
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        self.requests.append({**headers, "size": len(body)})
        if headers["content-encoding"] != "gzip" or headers["content-type"] != "application/json":
            request.setResponseCode(400)
            return b"expected JSON in gzip"
        for stream in json.loads(gzip.decompress(body))["streams"]:
            wrong = self._take(stream["stream"], stream["values"])
            if wrong:
                request.setResponseCode(400)
                return wrong.encode()
        request.setResponseCode(204)
        return b""

    def _take(self, labels: Mapping[str, str], values: list[list[str]]) -> str:
        if not labels or len(labels) > MOST_LABELS or not all(map(_NAME.match, labels)):
            return f"stream {labels!r} has labels that are not allowed"
        kept = self.streams.setdefault(json.dumps(dict(sorted(labels.items()))), [])
        for time, line in values:
            entry = (int(time), line)
            if kept and entry[0] <= kept[-1][0]:
                if entry in kept[-100_000:]:
                    self.duplicates += 1
                    continue
                return f"entry out of order: {entry!r} after {kept[-1]!r}"
            kept.append(entry)
        return ""

    def shown(self) -> list[tuple[Mapping[str, str], list[tuple[int, str]]]]:
        """Return all streams."""
        return [(json.loads(labels), entries) for labels, entries in self.streams.items()]

    def numbers(self) -> dict[str, list[int]]:
        """Return the numbers in the lines of each process, of its standard output."""
        return {
            labels["name"]: [int(found[1]) for _, line in entries if (found := _NUMBER.search(line))]
            for labels, entries in self.shown()
            if labels.get("out") == "stdout"
        }


def make(moods: Moods) -> tuple[Klein, Mapping[str, Callable[[], Any]]]:
    """Build the app."""
    app, loki = Klein(), Loki()

    @app.route("/loki/api/v1/push", methods=["POST"])
    def push(request: Any) -> Any:
        return moods.answer(request, lambda: loki.push(request))

    return app, {
        "streams": loki.shown,
        "numbers": loki.numbers,
        "count": lambda: sum(map(len, loki.streams.values())),
        "requests": lambda: loki.requests,
        "duplicates": lambda: loki.duplicates,
        "asked": lambda: moods.asked,
    }


def lines_of(server: Moody, **labels: str) -> list[str]:
    """Return the lines of the stream that has these labels, among others; none while there is none."""
    found = [
        entries
        for stream, entries in server.ask("streams")
        if all(stream.get(name) == value for name, value in labels.items())
    ]
    assert len(found) <= 1, f"{len(found)} streams have {labels}"
    return [line for _, line in found[0]] if found else []


if __name__ == "__main__":
    serve(make)
