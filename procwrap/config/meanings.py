"""What each key of the native config means, and what holds without it: for editors and for the documentation.

``describe`` writes this into the JSON Schema; the tables of docs/reference/config.md are made of that schema.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen
class Meaning:
    """What one key means.

    Attributes:
        text: half a sentence, without a full stop; code stands in backticks.
        default: the value that would mean the same as leaving the key out; None where there is no such value.
        without: what holds without the key, in words, where that is no value.
    """

    text: str
    default: object = None
    without: str = ""


Meanings = Mapping[str, Meaning]

NONE = "none"

CONFIG: Meanings = {
    "processes": Meaning("the processes; at least one"),
    "api": Meaning("where HTTP is served, and who may control procwrap through it"),
    "logs": Meaning("what holds for the log of all processes"),
    "events": Meaning("where events are sent", without="nowhere"),
    "shutdown": Meaning("how everything ends"),
    "readinessFile": Meaning(
        "the file that is there once all is healthy: a path, or `path` and `follow`", "/tmp/started"
    ),
    "health": Meaning("what the health endpoints go by"),
}

SECTIONS: Mapping[str, Meanings] = {
    "api": {
        "socket": Meaning(
            "where HTTP is served: `:port`, `host:port`, or an endpoint string of Twisted such as "
            "`unix:/run/procwrap/http.sock`",
            ":8111",
        ),
        "token": Meaning("the bearer token of whoever may control procwrap over HTTP", without=NONE),
        "tokenFile": Meaning(
            "a file that holds this token, read again when it changes; it goes before `token`", without=NONE
        ),
        "tls": Meaning("serves HTTP through TLS", without="no TLS"),
    },
    "tls": {
        "key": Meaning("PEM file of the private key"),
        "cert": Meaning("PEM file of the certificate, with those that vouch for it"),
    },
    "logs": {
        "format": Meaning("the format of every process that has none of its own", "logfmt"),
        "labels": Meaning("labels on every record", without=NONE),
        "loki": Meaning("a Loki that records are pushed to besides", without=NONE),
    },
    "loki": {
        "url": Meaning("its URL; a user and password may stand in it", without="`LOKI_URL`, if any"),
        "tenant": Meaning("whose these records are to it", without=NONE),
    },
    "events": {
        "udp": Meaning("a server that takes them as datagrams", without=NONE),
        "elasticsearch": Meaning("an Elasticsearch or OpenSearch that keeps them", without=NONE),
    },
    "elasticsearch": {
        "url": Meaning("its URL; a user and password may stand in it", without="`ELASTICSEARCH_URL`, if any"),
        "index": Meaning(
            "the index or data stream; strftime's `%Y`, `%m`, `%d` … take the time of the event",
            "procwrap-%Y.%m.%d",
        ),
        "apiKey": Meaning("its API key, in the place of a user and password", without=NONE),
    },
    "shutdown": {"deadline": Meaning("from the stop signal to SIGKILL", "10s")},
    "readinessFile": {
        "path": Meaning("the file", "/tmp/started"),
        "follow": Meaning("the file is removed while anything is not healthy", default=False),
    },
    "health": {
        "liveness": Meaning(
            "what makes /liveness fail. `healthy`: a process that is not healthy. `stuck`: only one that was "
            "given up, or that is not healthy after its checks have restarted it more than 5 times in a row",
            "healthy",
        ),
    },
}

PROCESS: Meanings = {
    "name": Meaning(
        "unique; letters, digits and `.` `_` `-`, at most 100; not `procwrap`, which is on procwrap's own "
        "records"
    ),
    "entrypoint": Meaning("the program; a name without `/` is looked up in the process's `PATH`"),
    "args": Meaning("its arguments", without=NONE),
    "dir": Meaning("its working directory", without="procwrap's"),
    "envs": Meaning("variables added to procwrap's environment", without=NONE),
    "envsFile": Meaning(
        "a file of `NAME=value` lines, read at every start; it goes before `envs`", without=NONE
    ),
    "labels": Meaning(
        "labels on its log records; one of the same name in `logs.labels` gives way. Not `time`, `level`, "
        "`msg`, `name`, `out`, `pid`, `partial`, `hook`",
        without=NONE,
    ),
    "logFormat": Meaning(
        "how its lines are written; `auto` finds the level in the text, `free` and `plain` are the bytes "
        "as they are",
        without="`logs.format`",
    ),
    "logFile": Meaning("a rotating file that gets the same records", without=NONE),
    "maxLineBytes": Meaning("a longer line becomes several records; 64 bytes to `16Mi`", "256Ki"),
    "discardOutput": Meaning(
        "what it writes is read and thrown away: in no log, only counted", default=False
    ),
    "restartPolicy": Meaning("when it is started again after it has ended by itself", "always"),
    "restartBackoff": Meaning("the pause before a restart"),
    "maxRestarts": Meaning("how many restarts are too many", without="no limit"),
    "successExitCodes": Meaning("further exit codes that count as success, besides 0", without=NONE),
    "vital": Meaning("when it ends for any reason, everything ends", default=False),
    "main": Meaning(
        "when it ends for good, everything ends with its exit code; at most one process", default=False
    ),
    "background": Meaning(
        "it serves the others. When none of those can run again, everything ends, and its own exit code "
        "does not count. (Where all are in the background, all count.)",
        default=False,
    ),
    "replicas": Meaning(
        "run it so many times (20,000 processes in all), as `name_0`, `name_1` …, with `PROCWRAP_REPLICA` "
        "in the environment",
        without="one process without a number",
    ),
    "dependsOn": Meaning(
        "what it waits for: names, or `name` and `condition`. The name of a process with replicas means "
        "all of them, `name_1` one",
        without=NONE,
    ),
    "stopSignal": Meaning(
        "a name, with or without `SIG` (`SIGRTMIN+3` too), or a number; sent to its process group", "SIGTERM"
    ),
    "stopTimeout": Meaning(
        "from the stop signal to SIGKILL, the time of its `preStop` hook included",
        without="`shutdown.deadline`",
    ),
    "postStart": Meaning(
        "what is done once it has become healthy, before it counts as healthy: `command`, `sql`, `http`, "
        "`sleep`, in this order",
        without=NONE,
    ),
    "preStop": Meaning("what is done before the stop signal: one of its keys", without=NONE),
    "memoryLimitMB": Meaning(
        "MiB of resident memory that it and its descendants may have together; with more it is stopped and "
        "restarted",
        without="no limit",
    ),
    "promTarget": Meaning("the URL of its metrics, which become part of /prommerge", without=NONE),
    "tombstone": Meaning("where it writes down its birth and death", without=NONE),
    "deathDeps": Meaning("names of tombstones: when one of these has died, it is stopped", without=NONE),
    "birthDeps": Meaning(
        "names of containers of the Pod that have to be ready before it starts", without=NONE
    ),
    "birthTimeout": Meaning("how long it waits for them; then everything ends with exit code 1", "30s"),
    "sysProcAttr": Meaning("what the kernel is told about it; keys in any case", without=NONE),
    "readiness": Meaning("decides whether it is healthy", without="it is healthy when it runs"),
    "liveness": Meaning("restarts it, and decides nothing else", without=NONE),
    "startup": Meaning("until it has succeeded, the other two wait", without=NONE),
}

PARTS: Mapping[str, Meanings] = {
    "logFile": {
        "path": Meaning("each process needs its own; replicas write `app_0.log`, `app_1.log` for `app.log`"),
        "maxBytes": Meaning("size at which it is rotated", "10Mi"),
        "backups": Meaning("how many older files are kept, as `PATH.1`, `PATH.2` …", 3),
    },
    "restartBackoff": {
        "initial": Meaning("the first pause, at least `10ms`; then it doubles", "1s"),
        "max": Meaning("the longest one", "60s"),
        "reset": Meaning("who ran for longer than this starts again at once", "60s"),
    },
    "maxRestarts": {
        "count": Meaning("more restarts than this within `period`: it is given up", 5),
        "period": Meaning("the time in which they are counted", "5m"),
        "then": Meaning("`exit` stops everything", "ignore"),
    },
    "dependsOn": {
        "name": Meaning("the process that it waits for"),
        "condition": Meaning("what that process has to have reached", "ready"),
    },
    "tombstone": {
        "graveyard": Meaning("the directory that the containers share", "/graveyard"),
        "name": Meaning("the name of the file", without="that of the process"),
    },
    "sysProcAttr": {
        "credential": Meaning("whom it runs as; names are looked up at each start", without="as procwrap"),
        "chroot": Meaning("the directory that becomes its root", without=NONE),
        "setsid": Meaning("a session of its own", default=False),
        "pdeathsig": Meaning("the signal it gets from the kernel when procwrap dies", without=NONE),
        "umask": Meaning('octal, with its leading zero: `"027"`', without="procwrap's"),
        "nice": Meaning("its niceness, nice(2)", without="0"),
        "oomScoreAdj": Meaning("whom the kernel kills first when memory is out", without="procwrap's"),
        "rlimits": Meaning(
            "resource (`nofile` or `RLIMIT_NOFILE`) to limit: a number or size, `unlimited`, or `soft` and "
            "`hard`",
            without="procwrap's",
        ),
        "noNewPrivs": Meaning(
            "it and its descendants can't gain privileges by setuid programs", default=False
        ),
    },
    "credential": {
        "uid": Meaning("the user", without="procwrap's"),
        "gid": Meaning("the group", without="that of the user"),
        "groups": Meaning("the supplementary groups", without="none, once `uid` or `gid` is given"),
    },
    "rlimits": {
        "soft": Meaning("what holds"),
        "hard": Meaning("up to which the process may raise it itself", without="the same as `soft`"),
    },
}
