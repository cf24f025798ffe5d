"""One item of ``processes``: a node of the native dialect becomes the draft of a process."""

from __future__ import annotations

from procwrap.config import births, hooks, locks, names, probing, readers, tombstones
from procwrap.config.attributes import attributes
from procwrap.config.draft import Draft
from procwrap.config.fields import Fields, Place
from procwrap.config.node import Kind
from procwrap.config.promtarget import prom_target
from procwrap.spec.logs import LogFile, LogSpec
from procwrap.spec.process import (
    AfterTooMany,
    Attributes,
    Backoff,
    Condition,
    Dependency,
    MaxRestarts,
    ProcessSpec,
    Restart,
    RestartPolicy,
    Stop,
)

MAX_REPLICAS = 10_000
SHORTEST_BACKOFF = 0.01
"""Seconds; a process that fails at once would keep the machine busy with less."""
LARGEST_LIMIT = 64 * 1024 * 1024
"""MiB: 64 TiB, more than any machine has."""
LONGEST_LINE = 16 * 1024 * 1024
"""A line is held in memory until its end comes, one for each stream of each process."""


def process(place: Place) -> Draft:
    """Read one process.

    Raises:
        WrongValueError: it is no mapping.
    """
    fields = Fields(place)
    name = fields.require("name", names.process_name, "")
    spec = ProcessSpec(
        name=name,
        entrypoint=fields.require("entrypoint", readers.text, ""),
        args=fields.take("args", readers.list_of(readers.literal), ()),
        directory=fields.take("dir", readers.text, None),
        envs=fields.take("envs", readers.pairs(names.check_env), ()),
        env_file=fields.take("envsFile", readers.text, None),
        labels=fields.take("labels", readers.pairs(names.check_label), ()),
        log=_log(fields),
        restart=_restart(fields),
        attributes=fields.take("sysProcAttr", attributes, Attributes()),
        stop=_stop(fields),
        depends_on=fields.take("dependsOn", readers.list_of(_dependency), ()),
        readiness=fields.take("readiness", probing.check(probing.READINESS), None),
        liveness=fields.take("liveness", probing.check(probing.KUBERNETES), None),
        startup=fields.take("startup", probing.check(probing.KUBERNETES), None),
        post_start=fields.take("postStart", hooks.post_start, None),
        pre_stop=fields.take("preStop", hooks.pre_stop, None),
        memory_limit=fields.take("memoryLimitMB", _mebibytes, None),
        prom_target=fields.take("promTarget", prom_target, None),
        graves=tombstones.graves(fields, name),
        birth=births.birth(fields),
    )
    replicas = fields.take("replicas", readers.whole_number(1, MAX_REPLICAS), None)
    fields.finish()
    return Draft(locks.permitted(spec), place, replicas)


def _mebibytes(place: Place) -> int:
    # The seed's "MB" are those of the kernel's own counters: 1,048,576 bytes.
    return readers.whole_number(1, LARGEST_LIMIT)(place) * 1024 * 1024


def _log(fields: Fields) -> LogSpec:
    return LogSpec(
        format=fields.take("logFormat", readers.log_format, None),
        file=fields.take("logFile", _log_file, None),
        max_line_bytes=fields.take("maxLineBytes", readers.size(64, LONGEST_LINE), LogSpec().max_line_bytes),
        discard=fields.take("discardOutput", readers.boolean, default=False),
    )


def _log_file(place: Place) -> LogFile:
    fields = Fields(place)
    default = LogFile("")
    made = LogFile(
        path=fields.require("path", readers.text, ""),
        max_bytes=fields.take("maxBytes", readers.size(1, 2**60), default.max_bytes),
        backups=fields.take("backups", readers.whole_number(0, 1000), default.backups),
    )
    fields.finish()
    return made


def _restart(fields: Fields) -> Restart:
    policies = readers.choice(readers.words_of(RestartPolicy))
    codes = fields.take("successExitCodes", readers.list_of(readers.whole_number(0, 255)), ())
    return Restart(
        policy=fields.take("restartPolicy", policies, RestartPolicy.ALWAYS),
        backoff=fields.take("restartBackoff", _backoff, Backoff()),
        limit=fields.take("maxRestarts", _max_restarts, None),
        success_exit_codes=frozenset({0, *codes}),
        vital=fields.take("vital", readers.boolean, default=False),
        main=fields.take("main", readers.boolean, default=False),
        background=fields.take("background", readers.boolean, default=False),
    )


def _backoff(place: Place) -> Backoff:
    fields = Fields(place)
    default = Backoff()
    initial = fields.take("initial", readers.duration(SHORTEST_BACKOFF), default.initial)
    maximum = fields.take("max", readers.duration(SHORTEST_BACKOFF), max(default.maximum, initial))
    reset = fields.take("reset", readers.duration(), default.reset)
    fields.finish()
    if maximum < initial:
        place.value("max").report("expected max to be no shorter than initial")
    return Backoff(initial, maximum, reset)


def _max_restarts(place: Place) -> MaxRestarts:
    fields = Fields(place)
    default = MaxRestarts()
    made = MaxRestarts(
        count=fields.take("count", readers.whole_number(0, 1_000_000), default.count),
        period=fields.take("period", readers.duration(0.001), default.period),
        then=fields.take("then", readers.choice(readers.words_of(AfterTooMany)), default.then),
    )
    fields.finish()
    return made


def _stop(fields: Fields) -> Stop:
    return Stop(
        signal=fields.take("stopSignal", readers.signal_number, Stop().signal),
        timeout=fields.take("stopTimeout", readers.duration(), None),
    )


def _dependency(place: Place) -> Dependency:
    if place.node.kind is not Kind.MAPPING:
        return Dependency(names.process_name(place))
    fields = Fields(place)
    conditions = readers.choice(readers.words_of(Condition))
    made = Dependency(
        name=fields.require("name", names.process_name, ""),
        condition=fields.take("condition", conditions, Condition.READY),
    )
    fields.finish()
    return made
