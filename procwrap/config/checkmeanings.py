"""What the keys of checks, probes and hooks mean; the other half of ``meanings``."""

from __future__ import annotations

from collections.abc import Mapping

from procwrap.config.meanings import NONE, Meaning, Meanings

_COMMAND = "a command that has the process's environment, user and directory"
_ASKED = "the URL; a `user:password@` in it is sent as an `Authorization` header"

CHECK: Meanings = {
    "delay": Meaning("from the start of the process to the first round", "0s"),
    "period": Meaning("from the end of a round to the next; at least `10ms`", "10s"),
    "failureThreshold": Meaning("so many failed rounds in a row: the process is killed and restarted", 3),
    "successThreshold": Meaning("so many good rounds in a row: the check has succeeded", 1),
    "unhealthyThreshold": Meaning(
        "so many failed rounds in a row make a healthy process unhealthy; only `readiness` does that", 1
    ),
    "startupDeadline": Meaning("for so long failed rounds don't count, unless it was healthy before", "0s"),
    "restartOnFailure": Meaning("false: failed rounds restart nothing", default=True),
    "http": Meaning("succeeds when the answer to a request has one of the `statuses`"),
    "tcp": Meaning("succeeds when it connects"),
    "exec": Meaning("succeeds when its command exits with 0"),
    "file": Meaning("succeeds when the path exists"),
    "env": Meaning("succeeds when the process's environment has this variable with this value"),
    "floatingPid": Meaning(
        "succeeds when no more than `threshold` starts (the first not counted) were in the last `period`"
    ),
    "heartBeat": Meaning("succeeds when `PATCH /heartbeat?name=…` came within `period`"),
    "sql": Meaning(
        "succeeds when it connects, every query works, and each text of `contains` is in the first column "
        "of the rows of every query"
    ),
    "amqp": Meaning("succeeds when the connection is opened"),
    "grpc": Meaning("succeeds when `grpc.health.v1` says SERVING"),
    "notify": Meaning(
        "succeeds when the process itself has said that it is ready, and with `watchdog` goes on saying "
        "that it lives"
    ),
}

READINESS: Meanings = {
    **CHECK,
    "delay": Meaning(CHECK["delay"].text, "5s"),
    "period": Meaning(CHECK["period"].text, "5s"),
    "lock": Meaning(
        "succeeds when the shared lock is held. It is taken before the process starts, and only one Pod "
        "has it"
    ),
}

_REQUEST: Meanings = {
    "url": Meaning(_ASKED),
    "method": Meaning("how it is asked", "GET"),
    "headers": Meaning("headers of the request", without=NONE),
    "statuses": Meaning("codes and ranges that are a success", ["200-399"]),
}
_QUERIES: Meanings = {
    "queries": Meaning("what is asked of the database", without="it is only connected to"),
    "contains": Meaning("texts that the first column has to have", without=NONE),
    "dsn": Meaning("where it is, and who asks", without="the environment says"),
}

PROBES: Mapping[str, Meanings] = {
    "http": {**_REQUEST, "timeout": Meaning("after which it has failed", "2s")},
    "tcp": {
        "socket": Meaning("`host:port`, `:port` (localhost), `[::1]:80`"),
        "timeout": Meaning("after which it has failed", "2s"),
    },
    "exec": {
        "command": Meaning(_COMMAND),
        "timeout": Meaning("after which it is killed, and has failed", "30s"),
    },
    "command": {
        "entrypoint": Meaning("the program"),
        "args": Meaning("its arguments", without=NONE),
        "envs": Meaning("variables added to those of the process", without=NONE),
    },
    "file": {"path": Meaning("the path")},
    "env": {"name": Meaning("the variable"), "value": Meaning("what it has to be")},
    "floatingPid": {
        "period": Meaning("the time in which starts are counted", "10s"),
        "threshold": Meaning("how many there may be", 1),
    },
    "heartBeat": {"period": Meaning("how old the last heartbeat may be")},
    "sql": {**_QUERIES, "timeout": Meaning("after which it has failed", "5s")},
    "amqp": {
        "reuseConn": Meaning("the connection is kept, and looked at each time", default=False),
        "dsn": Meaning("where it is, and who asks", without="the environment says"),
        "timeout": Meaning("after which it has failed", "5s"),
    },
    "grpc": {
        "address": Meaning("`host:port`"),
        "service": Meaning("the service that is asked for", without="the whole server"),
        "timeout": Meaning("after which it has failed", "2s"),
    },
    "notify": {
        "watchdog": Meaning(
            "it has failed when nothing came for this long", without="it is ready once and for all"
        ),
        "fd": Meaning("the descriptor on which s6's newline comes", without="systemd's socket"),
    },
    "lock": {"ttlDuration": Meaning("how long it is granted for; it is renewed meanwhile", "2s")},
}

HOOKS: Mapping[str, Meanings] = {
    "postStart": {
        "when": Meaning("`started`: it is run at once, and the probes wait for it", "healthy"),
        "deadline": Meaning("for all of it", "30s"),
        "command": Meaning(_COMMAND, without=NONE),
        "envs": Meaning("variables added for the command", without=NONE),
        "sql": Meaning("queries, which are asked once", without=NONE),
        "http": Meaning("a request", without=NONE),
        "sleep": Meaning("a pause", without=NONE),
    },
    "preStop": {
        "command": Meaning(_COMMAND, without=NONE),
        "http": Meaning("a request", without=NONE),
        "sleep": Meaning("a pause", without=NONE),
    },
}
