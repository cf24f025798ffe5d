"""An Elasticsearch that keeps what comes through ``_bulk``, and answers item by item as the real one does.

Run as a program; see ``moods.py`` for how it misbehaves, and one mood more: ``partial``, in which it is too
busy for every third document and refuses the one whose sequence number is ``status``. It can be asked for
``documents`` (in the order of their arrival, each with its ``_index`` and ``_id``), ``count``, ``conflicts``
(how many came a second time), ``asked`` (how many requests came) and ``requests`` (the headers of each, its
path, and how many documents it had).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import URLError

from attrs import define, field
from klein import Klein

from tests.support.hosted import Hosted
from tests.support.servers.moods import Moods, Moody, serve

MODULE = "tests.support.servers.elasticsearch"
CALM = 1.5
"""Seconds in which nothing arrives when there is nothing left: longer than a batch waits to be full."""


@define(eq=False)
class Elasticsearch:
    """What is kept."""

    _moods: Moods
    documents: dict[tuple[str, str], dict[str, Any]] = field(factory=dict)
    requests: list[dict[str, Any]] = field(factory=list)
    conflicts: int = 0

    def note(self, request: Any, body: bytes) -> None:
        """Remember a request, whatever becomes of it."""
        headers = {
            name.decode().lower(): values[0].decode()
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        documents = body.count(b"\n") // 2
        self.requests.append({**headers, "path": request.uri.decode(), "documents": documents})

    def bulk(self, request: Any, body: bytes) -> bytes:
        """Take a request."""
        if request.getHeader("content-type") != "application/x-ndjson" or not body.endswith(b"\n"):
            request.setResponseCode(400)
            return _error("illegal_argument_exception", "The bulk request must be terminated by a newline")
        lines = [json.loads(line) for line in body.split(b"\n")[:-1]]
        moods = self._moods
        partial = moods.mood == "partial" and (moods.times is None or moods.times >= 0)
        results = [
            {"create": self._result(number, action["create"], document, partial=partial)}
            for number, (action, document) in enumerate(zip(lines[::2], lines[1::2], strict=True))
        ]
        errors = any("error" in result["create"] for result in results)
        request.setHeader("content-type", "application/json")
        return json.dumps({"errors": errors, "items": results}).encode()

    def _result(
        self, number: int, target: Mapping[str, str], document: dict[str, Any], *, partial: bool
    ) -> dict[str, Any]:
        if partial and document["sequence"] == self._moods.status:
            return _refusal(400, "document_parsing_exception", "[1:60] failed to parse\nfield [labels.x]")
        if partial and number % 3 == 1:
            return _refusal(429, "es_rejected_execution_exception", "rejected execution of coordinating task")
        key = (target["_index"], target["_id"])
        if key in self.documents:
            self.conflicts += 1
            return _refusal(409, "version_conflict_engine_exception", "version conflict, document exists")
        self.documents[key] = {**document, **target}
        return {"status": 201}


def _refusal(status: int, kind: str, reason: str) -> dict[str, Any]:
    return {"status": status, "error": {"type": kind, "reason": reason}}


def _error(kind: str, reason: str) -> bytes:
    return json.dumps({"error": {"type": kind, "reason": reason}}).encode()


def make(moods: Moods) -> tuple[Klein, Mapping[str, Callable[[], Any]]]:
    """Build the app."""
    app, elastic = Klein(), Elasticsearch(moods)

    @app.route("/_bulk", methods=["POST"])
    def bulk(request: Any) -> Any:
        body = request.content.read()
        elastic.note(request, body)
        return moods.answer(request, lambda: elastic.bulk(request, body))

    return app, {
        "documents": lambda: list(elastic.documents.values()),
        "count": lambda: len(elastic.documents),
        "conflicts": lambda: elastic.conflicts,
        "asked": lambda: moods.asked,
        "requests": lambda: elastic.requests,
    }


def counted(host: Hosted, sink: str = "elasticsearch") -> dict[str, int]:
    """Return what /metrics says about the events to a sink; nothing while nobody answers."""
    try:
        _, page = host.get("/metrics")
    except URLError:
        return {}
    line = rf'^procwrap_events_sent_total\{{sink="{sink}",result="(\w+)"\}} (\d+)$'
    return {result: int(value) for result, value in re.findall(line, page, re.MULTILINE)}


def settled(host: Hosted, server: Moody) -> list[dict[str, Any]]:
    """Wait until no more events arrive; return all documents."""

    def calm() -> bool:
        before = server.ask("count")
        time.sleep(CALM)
        return bool(server.ask("count") == before == counted(host).get("sent"))

    host.until(calm)
    found: list[dict[str, Any]] = server.ask("documents")
    return found


if __name__ == "__main__":
    serve(make)
