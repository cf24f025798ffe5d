"""The JSON Schema of the native config: what the readers of this package accept, for editors.

A test keeps both together: each key that a reader takes is here, and nothing else.
"""

from __future__ import annotations

from procwrap.config import plugins
from procwrap.config.attributes import RLIMITS
from procwrap.config.describe import described
from procwrap.config.hooks import When
from procwrap.config.processes import LARGEST_LIMIT, MAX_REPLICAS
from procwrap.config.readers import LOG_FORMATS
from procwrap.config.schemakinds import (
    ACCOUNT,
    BOOLEAN,
    DURATION,
    HOST_PORT,
    LIMIT,
    LITERAL,
    PAIRS,
    SIGNAL,
    SIZE,
    TEXT,
    UMASK,
    URL,
    Schema,
    any_case,
    list_of,
    mapping,
    one_of,
    whole,
)
from procwrap.spec.plan import LivenessRule
from procwrap.spec.process import AfterTooMany, Condition, RestartPolicy

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_COUNT = whole(1, 1_000_000)
_NAME: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$"}
_COMMAND = mapping({"entrypoint": TEXT, "args": list_of(LITERAL), "envs": PAIRS}, ["entrypoint"])
_STATUSES: Schema = {"type": "array", "minItems": 1, "items": {"type": ["integer", "string"]}}
_REQUEST = {"url": URL, "headers": PAIRS, "method": TEXT, "statuses": _STATUSES}
_QUERIES = {"queries": list_of(TEXT), "contains": list_of(LITERAL), "dsn": LITERAL}
_FORMAT = one_of(LOG_FORMATS)


def schema() -> Schema:
    """Return the schema of a whole config, in which every key is described."""
    many: Schema = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/process"}}
    whole_config = mapping(
        {
            "processes": {"$ref": "#/$defs/processes"},
            "api": _api(),
            "logs": mapping({"format": _FORMAT, "labels": PAIRS, "loki": _loki()}),
            "events": mapping({"udp": HOST_PORT, "elasticsearch": _elasticsearch()}),
            "shutdown": mapping({"deadline": DURATION}),
            "readinessFile": {"anyOf": [TEXT, mapping({"path": TEXT, "follow": BOOLEAN})]},
            "health": mapping({"liveness": one_of(LivenessRule)}),
        },
        ["processes"],
    )
    return described(
        {
            "$schema": DIALECT,
            "title": "procwrap",
            "anyOf": [{"$ref": "#/$defs/processes"}, {"$ref": "#/$defs/config"}],
            "$defs": {"config": whole_config, "processes": many, "process": _process()},
        }
    )


def _api() -> Schema:
    return mapping(
        {
            "socket": {"type": "string", "pattern": ":"},
            "token": LITERAL,
            "tokenFile": TEXT,
            "tls": mapping({"key": TEXT, "cert": TEXT}, ["key", "cert"]),
        }
    )


def _loki() -> Schema:
    return mapping({"url": URL, "tenant": TEXT})


def _elasticsearch() -> Schema:
    return mapping({"url": URL, "index": TEXT, "apiKey": TEXT})


def _process() -> Schema:
    return mapping(
        {
            "name": _NAME,
            "entrypoint": TEXT,
            "args": list_of(LITERAL),
            "dir": TEXT,
            "envs": PAIRS,
            "envsFile": TEXT,
            "labels": PAIRS,
            **_output(),
            **_restart(),
            "replicas": whole(1, MAX_REPLICAS),
            "dependsOn": list_of({"anyOf": [_NAME, _dependency()]}),
            "stopSignal": SIGNAL,
            "stopTimeout": DURATION,
            "sysProcAttr": _attributes(),
            "memoryLimitMB": whole(1, LARGEST_LIMIT),
            "promTarget": URL,
            "readiness": _check(lock=True),
            "liveness": _check(),
            "startup": _check(),
            "postStart": _post_start(),
            "preStop": mapping({"command": _COMMAND, "http": mapping(_REQUEST, ["url"]), "sleep": DURATION}),
            "tombstone": mapping({"graveyard": TEXT, "name": TEXT}),
            "deathDeps": list_of(TEXT),
            "birthDeps": list_of(TEXT),
            "birthTimeout": DURATION,
        },
        ["name", "entrypoint"],
    )


def _output() -> Schema:
    file = {"path": TEXT, "maxBytes": SIZE, "backups": whole(0, 1000)}
    return {
        "logFormat": _FORMAT,
        "logFile": mapping(file, ["path"]),
        "maxLineBytes": SIZE,
        "discardOutput": BOOLEAN,
    }


def _restart() -> Schema:
    limit = {"count": whole(0, 1_000_000), "period": DURATION, "then": one_of(AfterTooMany)}
    return {
        "restartPolicy": one_of(RestartPolicy),
        "restartBackoff": mapping({"initial": DURATION, "max": DURATION, "reset": DURATION}),
        "maxRestarts": mapping(limit),
        "successExitCodes": list_of(whole(0, 255)),
        "vital": BOOLEAN,
        "main": BOOLEAN,
        "background": BOOLEAN,
    }


def _dependency() -> Schema:
    return mapping({"name": _NAME, "condition": one_of(Condition)}, ["name"])


def _attributes() -> Schema:
    limits = {"anyOf": [LIMIT, mapping({"soft": LIMIT, "hard": LIMIT}, ["soft"])]}
    names = [*sorted(RLIMITS), *(f"RLIMIT_{name.upper()}" for name in sorted(RLIMITS))]
    return any_case(
        {
            "credential": any_case({"uid": ACCOUNT, "gid": ACCOUNT, "groups": list_of(ACCOUNT)}),
            "chroot": TEXT,
            "setsid": BOOLEAN,
            "pdeathsig": SIGNAL,
            "umask": UMASK,
            "nice": whole(-20, 19),
            "oomScoreAdj": whole(-1000, 1000),
            "rlimits": {"type": "object", "properties": dict.fromkeys(names, limits)},
            "noNewPrivs": BOOLEAN,
        }
    )


def _check(*, lock: bool = False) -> Schema:
    made = mapping(
        {
            "delay": DURATION,
            "period": DURATION,
            "failureThreshold": _COUNT,
            "successThreshold": _COUNT,
            "unhealthyThreshold": _COUNT,
            "startupDeadline": DURATION,
            "restartOnFailure": BOOLEAN,
            **_probes(),
            **({"lock": mapping({"ttlDuration": DURATION}, null=True)} if lock else {}),
        }
    )
    for name in plugins.installed():
        made["properties"].setdefault(name, {})
    return made


def _probes() -> Schema:
    timed: Schema = {"timeout": DURATION}
    return {
        "http": mapping({**_REQUEST, **timed}, ["url"]),
        "tcp": mapping({"socket": HOST_PORT, **timed}, ["socket"]),
        "exec": mapping({"command": _COMMAND, **timed}, ["command"]),
        "file": mapping({"path": TEXT}, ["path"]),
        "env": mapping({"name": TEXT, "value": LITERAL}, ["name", "value"]),
        "floatingPid": mapping({"period": DURATION, "threshold": whole(0, 1_000)}, null=True),
        "heartBeat": mapping({"period": DURATION}, ["period"]),
        "sql": mapping({**_QUERIES, **timed}, null=True),
        "amqp": mapping({"reuseConn": BOOLEAN, "dsn": LITERAL, **timed}, null=True),
        "grpc": mapping({"address": HOST_PORT, "service": LITERAL, **timed}, ["address"]),
        "notify": mapping({"watchdog": DURATION, "fd": whole(3, 1023)}, null=True),
    }


def _post_start() -> Schema:
    return mapping(
        {
            "deadline": DURATION,
            "envs": PAIRS,
            "command": _COMMAND,
            "sql": mapping(_QUERIES, null=True),
            "http": mapping(_REQUEST, ["url"]),
            "sleep": DURATION,
            "when": one_of(When),
        }
    )
