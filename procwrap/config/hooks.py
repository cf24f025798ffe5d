"""``postStart`` and ``preStop``."""

from __future__ import annotations

import enum
from typing import TypeVar

from attrs import evolve

from procwrap.config import names, probes, readers
from procwrap.config.dsnprobes import sql
from procwrap.config.fields import Fields, Place, Reader
from procwrap.spec.hook import CommandHook, PostStart, PreStop

T = TypeVar("T")

_WHOLE_HOOK = "deadline is for the whole hook"


class When(enum.Enum):
    """What a ``postStart`` hook follows."""

    HEALTHY = "healthy"
    STARTED = "started"


def post_start(place: Place) -> PostStart:
    """``postStart``: a command, queries, a request, a pause, or several; its ``envs`` are for the command."""
    fields = Fields(place)
    envs = fields.take("envs", readers.pairs(names.check_env), ())
    command = fields.take("command", _command, None)
    made = PostStart(
        deadline=fields.take("deadline", readers.duration(probes.SHORTEST_TIMEOUT), 30.0),
        command=None if command is None else evolve(command, envs=envs + command.envs),
        sql=fields.take("sql", _without_timeout(sql, _WHOLE_HOOK), None, even_null=True),
        http=fields.take("http", _without_timeout(probes.http, _WHOLE_HOOK), None),
        sleep=fields.take("sleep", readers.duration(), None),
        at_start=fields.take("when", readers.choice(readers.words_of(When)), When.HEALTHY) is When.STARTED,
    )
    fields.finish()
    commands = _given(place, "command")
    if not commands and "sql" not in place.node.entries and not _given(place, "http", "sleep"):
        place.report("nothing to run: expected at least one of command, sql, http and sleep")
    elif envs and not commands:
        place.value("envs").report("expected a command with it: only a command has an environment")
    return made


def pre_stop(place: Place) -> PreStop:
    """``preStop``: a command, a request, or a pause."""
    fields = Fields(place)
    made = PreStop(
        command=fields.take("command", _command, None),
        http=fields.take("http", _without_timeout(probes.http, "stopTimeout is for the hook too"), None),
        sleep=fields.take("sleep", readers.duration(), None),
    )
    fields.finish()
    if _given(place, "command", "http", "sleep") != 1:
        place.report("expected exactly one of command, http and sleep")
    return made


def _command(place: Place) -> CommandHook:
    return CommandHook(*probes.command(place))


def _without_timeout(read: Reader[T], instead: str) -> Reader[T]:
    """What is a probe elsewhere has no timeout of its own in a hook; one that did nothing would mislead."""

    def look(place: Place) -> T:
        made = read(place)
        if _given(place, "timeout"):
            place.value("timeout").report(f"expected none here: {instead}")
        return made

    return look


def _given(place: Place, *keys: str) -> int:
    entries = place.node.entries
    return sum(key in entries and not entries[key].node.absent for key in keys)
