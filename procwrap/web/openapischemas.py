"""The shapes of what is answered, as JSON Schema 2020-12, for the description of the API."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}
TIME: Schema = {"type": "string", "format": "date-time"}
STATES = (
    *("waiting", "standby", "starting", "running", "unhealthy", "stopping", "stopped"),
    *("backoff", "exited", "failed", "skipped"),
)


def ref(name: str) -> Schema:
    """Refer to a shape by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def shape(**properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {**open_shape(**properties), "additionalProperties": False}


def open_shape(**properties: Schema) -> Schema:
    """An object with these properties, and perhaps others."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def table(of: Schema, described: str = "by name") -> Schema:
    """An object with any names."""
    return {"type": "object", "additionalProperties": of, "description": described}


def several(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def perhaps(of: Schema) -> Schema:
    """Something or null."""
    return {"anyOf": [of, NULL]}


def said(of: Schema, words: str) -> Schema:
    """Describe a shape."""
    return {**of, "description": words}


STATE: Schema = {"type": "string", "enum": list(STATES)}

PROBE = shape(probe=TEXT, healthy=BOOLEAN, reason=TEXT, seconds=NUMBER)

CHECK = shape(
    healthy=BOOLEAN,
    reason=TEXT,
    failures=said(WHOLE, "failed rounds in a row"),
    threshold=said(WHOLE, "how many of them are acted on"),
    at=TIME,
    probes=several(PROBE),
)

USAGE = shape(
    cpu=said(perhaps(NUMBER), "fraction of one core over the last sample"),
    memoryBytes=WHOLE,
    processes=WHOLE,
    threads=WHOLE,
    openFiles=perhaps(WHOLE),
)

EXIT = shape(code=perhaps(WHOLE), signal=perhaps(TEXT), reason=TEXT)

PROCESS = open_shape(
    name=TEXT,
    state=ref("State"),
    healthy=BOOLEAN,
    reason=said(TEXT, "why it is in this state"),
    pid=perhaps(WHOLE),
    uptime=said(perhaps(NUMBER), "seconds; null when it does not run"),
    started=perhaps(TIME),
    restarts=WHOLE,
    restartsBy=table(WHOLE, "by cause"),
    lastExit=perhaps(EXIT),
    lastExitAt=perhaps(TIME),
    checks=table(ref("Check"), "the last round of each check"),
    usage=perhaps(ref("Usage")),
    memoryLimitBytes=perhaps(WHOLE),
    dependsOn=several(TEXT),
)

WHOLE_PROCESS: Schema = {
    "allOf": [ref("Process")],
    "type": "object",
    "properties": {"command": said(perhaps(TEXT), "with *** in the place of secrets")},
    "required": ["command"],
}

HOST = shape(
    version=TEXT,
    healthy=said(BOOLEAN, "what /readiness says"),
    preempted=BOOLEAN,
    shutdown=BOOLEAN,
    uptime=said(NUMBER, "seconds"),
)

VERDICT = shape(
    healthy=BOOLEAN,
    preempted=BOOLEAN,
    shutdown=BOOLEAN,
    processes=table(shape(state=ref("State"), reason=TEXT), "those that are the cause"),
)

CHANGES = shape(
    added=several(TEXT),
    removed=several(TEXT),
    restarted=table(several(TEXT), "the keys of the config for which it was restarted, by name"),
    adjusted=table(several(TEXT), "the keys that took effect in the running process, by name"),
    unchanged=said(WHOLE, "how many go on as they were"),
    needsRestart=said(several(TEXT), "keys that take effect when procwrap is started again"),
    failed=table(TEXT, "why it did not come up, by name"),
    warnings=several(TEXT),
)

EVENT = open_shape(
    id=said(WHOLE, "each is one more than the one before"),
    time=TIME,
    event=said(TEXT, "what happened: started, ended, state, restarting, check, notice, …"),
)

SCHEMAS: Schema = {
    "State": STATE,
    "Check": CHECK,
    "Usage": USAGE,
    "Process": PROCESS,
    "WholeProcess": WHOLE_PROCESS,
    "Host": HOST,
    "Verdict": VERDICT,
    "Changes": CHANGES,
    "Event": EVENT,
    "ProcessState": shape(name=TEXT, state=perhaps(ref("State")), pid=perhaps(WHOLE), reason=TEXT),
    "HeartBeat": shape(name=TEXT, lastHeartBeat=perhaps(TIME)),
    "Error": shape(error=TEXT),
    "Problem": {"anyOf": [ref("Verdict"), ref("Error")]},
    "ConfigErrors": shape(error=TEXT, errors=said(several(TEXT), "FILE:LINE:COLUMN: path: what is wrong")),
}
"""By the names that others refer to."""
