"""What the routes for operators are for, what they take and what they answer."""

from __future__ import annotations

from procwrap.web.openapischemas import TEXT, Schema, open_shape, ref, several, shape
from procwrap.web.openapiwords import (
    DURATION,
    JSON,
    NO_PROCESS,
    PLAIN,
    STREAM,
    Operation,
    answer,
    argument,
    error,
    json,
    operation,
)

WAIT: Schema = argument(
    "wait",
    "false: answer at once; a duration: answer 202 when it takes longer",
    {"anyOf": [{"type": "string", "enum": ["true", "false"]}, DURATION]},
)
FOLLOW = argument("follow", "go on with what comes, as server-sent events", {"type": "string", "enum": [""]})


def _order(words: str) -> Operation:
    return operation(
        words,
        {
            200: json("done", ref("ProcessState")),
            202: json("it is on its way", ref("ProcessState")),
            404: NO_PROCESS,
            409: error("it cannot be now, or it did not come up"),
            503: error("too many wait"),
        },
        WAIT,
    )


ANYTHING: Schema = {"type": "object"}
BUSY = error("too many ask")

FOR_OPERATORS: dict[str, Operation] = {
    "GET /api/processes": operation(
        "Everything about the host and its processes",
        {200: json("all", shape(host=ref("Host"), processes=several(ref("WholeProcess"))))},
    ),
    "GET /api/processes/{name}": operation(
        "Everything about a process", {200: json("it", ref("WholeProcess")), 404: NO_PROCESS}
    ),
    "GET /api/processes/{name}/logs": operation(
        "The last records of a process, as on stdout",
        {
            200: answer(
                "records, one a line; or events with one line of data for each", (PLAIN, TEXT), (STREAM, TEXT)
            ),
            400: error("lines is no number"),
            404: NO_PROCESS,
            503: error("too many follow"),
        },
        argument(
            "lines", "how many records", {"type": "integer", "minimum": 0, "maximum": 1000, "default": 100}
        ),
        FOLLOW,
    ),
    "GET /api/events": operation(
        "The last 1,000 things that happened",
        {
            200: answer(
                "all, the oldest first; or events of the kind lifecycle",
                (JSON, shape(events=several(ref("Event")))),
                (STREAM, TEXT),
            ),
            503: error("too many follow"),
        },
        FOLLOW,
    ),
    "POST /api/processes/{name}/start": _order("Start a process that does not run"),
    "POST /api/processes/{name}/stop": _order("Stop a process; it is not started again by itself"),
    "POST /api/processes/{name}/restart": _order("Stop a process if it runs, and start it"),
    "POST /api/processes/{name}/signal": operation(
        "Send a signal to the process group of a process",
        {
            200: json("sent", ref("ProcessState")),
            400: error("no such signal"),
            404: NO_PROCESS,
            409: error("it does not run"),
        },
        argument("signal", "such as HUP, SIGHUP or 1", required=True),
    ),
    "POST /api/reload": operation(
        "Read the config again and change what has changed in it",
        {
            200: json("what has changed", ref("Changes")),
            409: error("it cannot be now"),
            422: json("the config is wrong; nothing has changed", ref("ConfigErrors")),
            503: error("too many wait"),
        },
    ),
    "GET /config": operation(
        "The config in force, with *** in the place of secrets",
        {200: json("all of it", open_shape(dialect=TEXT, processes=several(ANYTHING))), 503: BUSY},
    ),
    "GET /config/api": operation("Where HTTP is served, and who may control", {200: json("it", ANYTHING)}),
    "GET /config/daemons": operation(
        "The processes of the config", {200: json("them", several(ANYTHING)), 503: BUSY}
    ),
    "GET /config/pidzero": operation("What concerns all processes", {200: json("it", ANYTHING)}),
    "GET /env": operation(
        "The environment that procwrap was started with", {200: json("NAME=value", several(TEXT))}
    ),
    "GET /stats": operation(
        "What procwrap itself uses, and how its work goes", {200: json("figures", ANYTHING)}
    ),
}
"""Method and path -> what is said about it."""
