"""What each route is for, what it takes and what it answers, for the description of the API."""

from __future__ import annotations

from procwrap.web.openapioperators import FOR_OPERATORS
from procwrap.web.openapischemas import BOOLEAN, TEXT, WHOLE, ref, several, shape, table
from procwrap.web.openapiwords import (
    DURATION,
    NO_PROCESS,
    NONE,
    PLAIN,
    STREAM,
    Operation,
    answer,
    argument,
    error,
    json,
    operation,
)

METRICS = ("text/plain", "application/openmetrics-text")
HTML = "text/html"
FILES = ("text/javascript", "text/css")
UNCHANGED = answer("the client has it already")

WAIT_FOR_HEALTH = argument("wait", "answer when it is 200; gives up after a duration such as 30s", DURATION)
NAMED = argument("name", "of a process", required=True)
HEARTBEAT = operation(
    "Give a heartbeat",
    {202: json("taken", ref("HeartBeat")), 400: error("no name"), 404: NO_PROCESS},
    NAMED,
)


def _health(words: str) -> Operation:
    return operation(
        words,
        {200: json("yes", ref("Verdict")), 503: json("no, or too many wait", ref("Problem"))},
        WAIT_FOR_HEALTH,
    )


OPERATIONS: dict[str, Operation] = {
    "GET /liveness": _health("Should the container go on?"),
    "GET /readiness": _health("Should traffic come?"),
    "GET /ping": operation("Is HTTP served?", {200: json("yes", shape(ping={"const": "ok"}))}),
    "GET /metrics": operation(
        "Metrics of procwrap and of its processes",
        {200: answer("an exposition", *((kind, TEXT) for kind in METRICS)), 503: error("too many ask")},
    ),
    "GET /prommerge": operation(
        "The metrics of all ready processes that have a promTarget, merged",
        {
            200: answer("an exposition", *((kind, TEXT) for kind in METRICS)),
            204: NONE,
            503: error("too many ask, or a target failed"),
        },
    ),
    "GET /pids": operation("What runs", {200: json("pids by name", table(WHOLE)), 204: NONE}),
    "GET /pidof": operation(
        "The pid of a process",
        {200: answer("it", (PLAIN, TEXT)), 400: error("no name"), 404: error("unknown, or does not run")},
        NAMED,
    ),
    "GET /status": operation(
        "Which processes are healthy",
        {
            200: json(
                "by name; everything about each with full", table({"anyOf": [BOOLEAN, ref("Process")]})
            ),
            204: NONE,
        },
        argument("full", "show everything about each process", {"type": "string", "enum": [""]}),
    ),
    "GET /heartbeat": operation(
        "When processes last gave a heartbeat",
        {
            200: json("one, or all", {"anyOf": [ref("HeartBeat"), several(ref("HeartBeat"))]}),
            404: NO_PROCESS,
        },
        argument("name", "of a process; without it, all are shown"),
    ),
    "PATCH /heartbeat": HEARTBEAT,
    "POST /heartbeat": HEARTBEAT,
    "PUT /heartbeat": HEARTBEAT,
    "GET /live": operation(
        "What is true, then every change of it",
        {
            200: answer(
                "events: snapshot (all, with history), then process, gone, host, usage and round",
                (STREAM, TEXT),
            ),
            503: error("too many follow"),
        },
    ),
    "GET /api/openapi.json": operation("This description", {200: json("OpenAPI 3.1", {"type": "object"})}),
    "GET /": operation("The status page", {200: answer("it", (HTML, TEXT)), 304: UNCHANGED}),
    "GET /page/{name}": operation(
        "A file of the status page",
        {
            200: answer("it", *((kind, TEXT) for kind in FILES)),
            304: UNCHANGED,
            404: error("no such file"),
        },
    ),
    **FOR_OPERATORS,
}
"""Method and path -> what is said about it."""
